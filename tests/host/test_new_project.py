"""A new project with the lines of docs/your-project.md and nothing else: two people chat in real browsers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser

from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command, probe
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import valkey
from tests.harness.browser import browser
from tests.host.project import ADDRESSES, APPS, SQLITE, Project
from tests.processes.stack.test_chat_page import Person

__all__ = ["browser"]

START_SECONDS: Final = 90.0
END_SECONDS: Final = 20.0
ROOT: Final = Path(__file__).parents[2]
PEOPLE: Final = {"alice": "correct horse", "bob": "battery staple"}
CLOSED: Final = (
    "REST_FRAMEWORK = {'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAdminUser'],",
    "    'DEFAULT_AUTHENTICATION_CLASSES': ['rest_framework.authentication.BasicAuthentication'],",
    "    'DEFAULT_RENDERER_CLASSES': ['rest_framework.renderers.AdminRenderer']}",
    "DEBUG = False",
    "ALLOWED_HOSTS = ['127.0.0.1']",
    "MIDDLEWARE.insert(1, 'whitenoise.middleware.WhiteNoiseMiddleware')",
    "STORAGES['staticfiles'] = {'BACKEND': 'shop.storage.Modules'}",
    "STATIC_ROOT = BASE_DIR / 'static'",
    "WHITENOISE_KEEP_ONLY_HASHED_FILES = True",
)
"""As in production: nothing is open by default, and files are served under hashed names alone."""
MODULES: Final = "support_js_module_import_aggregation = True"
STORAGE: Final = f"""
from whitenoise.storage import CompressedManifestStaticFilesStorage

class Modules(CompressedManifestStaticFilesStorage):
    {MODULES}
"""
MAKE_PEOPLE: Final = f"""
from uuid import UUID
from django.contrib.auth import get_user_model
from roomlog.pending import request_command
from roomlog.people import person_of
from roomlog_contract.commands import CreateRoom
users = [get_user_model().objects.create_user(name, password=word) for name, word in {PEOPLE!r}.items()]
alice, bob = (person_of(user).pk for user in users)
request_command(CreateRoom(uuid="orders", name="orders", members=[bob]), alice)
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the project's processes listen."""

    redis: int = field(default_factory=free_port)
    pages: int = field(default_factory=free_port)
    gateway: int = field(default_factory=free_port)
    gateway_health: int = field(default_factory=free_port)
    worker_health: int = field(default_factory=free_port)

    @property
    def redis_url(self) -> str:
        """Return the address of Redis."""
        return f"redis://{LOOPBACK}:{self.redis}/0"


def make_project(folder: Path, ports: Ports) -> Project:
    """Return a project with closed defaults and Roomlog, migrated, checked, with two people in a room."""
    made = Project(folder)
    made.set("from django.conf.global_settings import STORAGES", *CLOSED)
    made.write("shop/storage.py", STORAGE)
    made.add_roomlog()
    socket = f"ws://{LOOPBACK}:{ports.gateway}/ws"
    made.set(f'ROOMLOG = {{"REDIS_URL": "{ports.redis_url}", "WEBSOCKET_URL": "{socket}"}}')
    made.manage("migrate")
    assert "no issues" in made.manage("check")
    made.manage("collectstatic", "--noinput")
    made.shell(MAKE_PEOPLE)
    return made


def commands(made: Project, ports: Ports) -> list[Command]:
    """Return the project's processes, as docs/your-project.md starts them."""
    manage = str(made.folder / "manage.py")
    settings = {"DJANGO_SETTINGS_MODULE": "shop.settings"}
    health = {"ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{ports.worker_health}"}
    gateway = {
        "ROOMLOG_REDIS_URL": ports.redis_url,
        "ROOMLOG_ALLOWED_ORIGINS": f"http://{LOOPBACK}:{ports.pages}",
        "ROOMLOG_BIND": f"{LOOPBACK}:{ports.gateway}",
        "ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{ports.gateway_health}",
    }
    work, serve = (manage, "message_process_worker"), (manage, "runserver", "--noreload")
    is_served = probe(ports.pages, "/chat/login/")
    return [
        made.process("worker", work, {**settings, **health}, probe(ports.worker_health)),
        made.process(
            "gateway", ("-m", "roomlog_gateway", "--no-control-socket"), gateway, probe(ports.gateway_health)
        ),
        made.process("pages", (*serve, f"{LOOPBACK}:{ports.pages}"), settings, is_served),
    ]


@contextmanager
def running(processes: Sequence[Command], folder: Path) -> Iterator[None]:
    """Run these processes until all are ready and the block is over; each must end when it is asked to."""
    children = [Child(command, folder / f"{command.name}.log") for command in processes]
    try:
        for child in children:
            child.start()
        for child in children:
            child.wait_ready(START_SECONDS)
        yield
    finally:
        late = stop_all(children[::-1], END_SECONDS)
    assert late == []


@pytest.fixture
def project(tmp_path: Path) -> Iterator[tuple[Project, int]]:
    """A project with all its processes, and the port of its pages."""
    ports = Ports()
    made = make_project(tmp_path / "project", ports)
    with running([valkey(ports.redis, tmp_path), *commands(made, ports)], tmp_path):
        yield made, ports.pages


def test_two_people_chat(project: tuple[Project, int], browser: Browser) -> None:
    """Below a path, with the project's own users; what one says the other sees and the project finds."""
    made, pages = project
    seats = {}
    for name, password in PEOPLE.items():
        login = {"name": name, "password": password}
        seats[name] = Person(browser, f"http://{LOOPBACK}:{pages}/chat/", login, (1100, 700))
        seats[name].enter("orders")
    seats["alice"].say("Where is my order?")
    seats["bob"].sees("Where is my order?")
    seats["bob"].say("On its way.")
    for seat in seats.values():
        seat.sees("Where is my order?", "On its way.")
        assert seat.errors == []
    print_texts = "from roomlog.models import ChatMessage; print(*ChatMessage.objects.values_list('text'))"
    assert "On its way." in made.shell(print_texts)


def test_the_page_says_these_lines() -> None:
    """What this project was given is what a newcomer reads."""
    page = (ROOT / "docs/your-project.md").read_text()
    commands = ("manage.py migrate", "manage.py message_process_worker", "roomlog-gateway")
    for line in (APPS, ADDRESSES, SQLITE, MODULES, *commands):
        assert line in page
