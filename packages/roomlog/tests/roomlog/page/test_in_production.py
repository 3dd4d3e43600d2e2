"""Page and element as projects serve them: files under hashed names, below a path, behind a proxy's TLS."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command
from django.template.loader import render_to_string
from playwright.sync_api import expect

from tests.harness.scripted_chat import FACTS, Chat, enter
from tests.harness.scripted_gateway import ORIGIN


class Modules(ManifestStaticFilesStorage):
    """Names in the imports of modules are hashed too, as docs/your-project.md says."""

    support_js_module_import_aggregation = True


@pytest.fixture(params=[ManifestStaticFilesStorage, Modules], ids=["Django's own", "with modules"])
def files(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Path:
    """Where a project's files are; with the modules' names hashed, no other file is left."""
    storage: type[ManifestStaticFilesStorage] = request.param
    settings.STORAGES = {"staticfiles": {"BACKEND": f"{storage.__module__}.{storage.__qualname__}"}}
    settings.STATIC_ROOT = str(tmp_path)
    call_command("collectstatic", verbosity=0, interactive=False)
    if storage is Modules:
        for name in json.loads((tmp_path / "staticfiles.json").read_text())["paths"]:
            (tmp_path / name).unlink()
    return tmp_path / "roomlog"


def test_page_and_element_load_their_modules(files: Path, chat: Chat) -> None:
    """Every import is found, and so are the styles."""
    element = render_to_string("roomlog/element.html", FACTS)
    pages = {"/": render_to_string("roomlog/chat.html", FACTS), "/order/": f"<!doctype html>{element}"}
    assert "roomlog/chat.js" not in pages["/"]
    chat.pages = {**chat.pages, **pages}
    chat.static = files
    page = enter(chat.open(), "team")
    expect(page.locator("#state")).to_have_text("Online")
    page.get_by_role("button", name="Choose an emoji").click()
    expect(page.get_by_role("option", name="fire")).to_be_visible()
    page = chat.open("/order/")
    expect(page.locator("roomlog-chat #state")).to_have_text("Online")
    expect(page.locator("roomlog-chat .bar")).to_have_css("display", "flex")
    assert chat.errors == []


def test_behind_tls_the_socket_has_it_too(chat: Chat) -> None:
    """The page's own address says so, and the path in front of it stays."""
    chat.pages = {"/": render_to_string("roomlog/chat.html", FACTS | {"websocket_url": "/shop/chat/ws"})}
    chat.context.route_web_socket("wss://roomlog.test/shop/chat/ws", chat.accept)
    page = chat.context.new_page()
    page.goto(ORIGIN.replace("http:", "https:"))
    expect(page.locator("#state")).to_have_text("Online")
