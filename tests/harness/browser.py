"""A headless Chromium of the system, for tests of what people see.

Beside the message's way. Per module, or for a package in which all tests want it: while playwright's
synchronous interface is open its event loop counts as running, and asynchronous tests could not start theirs.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.harness.waiting import wait_until

REQUIRED_VARIABLE: Final = "ROOMLOG_REQUIRE_BROWSER"
NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The cheapest first: without a browser's own windows a page costs a third of a core's time."""
HOW_TO_GET_IT: Final = "no Chromium here: install one (Debian: apt-get install chromium-headless-shell)"
STEP_SECONDS: Final = 10.0
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a memory for the tests of a module."""
    with running_browser() as chromium:
        yield chromium


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser meanwhile; skips where there is none, unless it is required."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if os.environ.get(REQUIRED_VARIABLE) == "1":
            pytest.fail(f"{REQUIRED_VARIABLE}=1, but {HOW_TO_GET_IT}")
        pytest.skip(HOW_TO_GET_IT)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


def reload(page: Page) -> None:
    """Reload the chat page, once the browser has taken back the step of a dialog that was closed."""
    wait_until(
        lambda: not page.evaluate("history.state?.dialog"), STEP_SECONDS, "the dialog's step is taken back"
    )
    page.reload()


def scroll(page: Page, top: int) -> None:
    """Move the log to this place, as a reader does; close to an end, more of it is loaded."""
    page.locator("#messages [data-seq]").first.wait_for()  # a room that is shown only now moves to its end
    page.evaluate("(top) => { document.getElementById('messages').scrollTop = top; }", top)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
