"""The page of the REST interface's description, in a real browser under the project's own policy."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness.browser import browser
from tests.test_requests_in_full import Server, serving

__all__ = ["browser"]
SHOWN_MILLISECONDS = 30_000
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The api in a process of its own, with its real settings."""
    with serving(tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A stranger's tab that remembers what the policy refused."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


def test_the_page_shows_every_operation_from_our_own_files(server: Server, page: Page) -> None:
    """Swagger UI runs under the project's strict policy, violates it nowhere and asks nobody else."""
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    base = f"http://127.0.0.1:{server.port}"

    answer = page.goto(f"{base}/api/docs/")

    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    operations = page.locator(".opblock")
    expect(operations.first).to_be_visible(timeout=SHOWN_MILLISECONDS)
    schema: dict[str, Any] = page.evaluate(
        "fetch('/api/v1/schema/', {headers: {accept: 'application/json'}}).then((answer) => answer.json())"
    )
    expect(operations).to_have_count(sum(map(len, schema["paths"].values())))
    page.get_by_text("/api/v1/rooms/{room}/messages/", exact=True).first.click()
    expect(page.get_by_text("Try it out").first).to_be_visible(timeout=SHOWN_MILLISECONDS)
    assert [url for url in asked if not url.startswith((f"{base}/", "data:"))] == []
    assert page.evaluate("violations") == []
    assert said == []
