"""A browser's share of HTTP: cookies, forms and redirects of the admin and the chat page.

Around the message's way. What a browser shows is for tests with a real one.
"""

import re
from typing import Final, Self

import aiohttp
from yarl import URL

from tests.e2e import settings

REQUEST_SECONDS: Final = 20.0
INPUT: Final = re.compile(r"<input[^>]*>")
CSRF_TOKEN: Final = re.compile(r'data-csrf-token="([^"]+)"')
ATTRIBUTE: Final = re.compile(r'(type|name|value)="([^"]*)"')


class Browser:
    """One person's cookies."""

    def __init__(
        self, address: str = settings.PAGE, host: str = "", connector: aiohttp.BaseConnector | None = None
    ) -> None:
        """With a `host` the address stands for https://<host>: an edge that ends TLS listens there."""
        # Cookies of a host by number are dropped by default, and those for https where there is no TLS.
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=URL(address))
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        headers = {"Host": host} if host else {}
        self._origin = f"https://{host}" if host else address
        self._http = aiohttp.ClientSession(
            address, cookie_jar=jar, timeout=timeout, headers=headers, connector=connector
        )

    async def __aenter__(self) -> Self:
        """Return the browser itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Throw the cookies away."""
        await self._http.close()

    async def open(self, path: str) -> tuple[int, str, str]:
        """Follow a link; return status, the path at which it ended and the page."""
        async with self._http.get(path) as answer:
            return answer.status, answer.url.path, await answer.text()

    async def get(self, path: str) -> tuple[int, str]:
        """Follow a link; return status and the path at which it ended."""
        status, ended_at, _ = await self.open(path)
        return status, ended_at

    async def encoding(self, path: str) -> str | None:
        """Follow a link as a browser does that takes any compression; return the one of the answer."""
        async with self._http.get(
            path, headers={"Accept-Encoding": "gzip, br"}, auto_decompress=False
        ) as answer:
            return answer.headers.get("Content-Encoding")

    async def ticket(self, path: str = "/") -> str:
        """Ask for a ticket as the chat page's script does: with the session's cookie and its csrf token."""
        _, _, page = await self.open(path)
        found = CSRF_TOKEN.search(page)
        assert found, "the chat page carries no csrf token"
        headers = {"X-CSRFToken": found[1], "Referer": f"{self._origin}/", "Origin": self._origin}
        async with self._http.post(f"{path}api/v1/ticket/", json={}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["ticket"])

    async def submit(self, path: str, to: str = "", **fields: str) -> tuple[int, str, str]:
        """Open a form and send it filled in, to its own page or elsewhere; return like `open`."""
        _, _, page = await self.open(path)
        hidden = hidden_fields(page)
        assert "csrfmiddlewaretoken" in hidden, f"{path} has no form"
        data = {**hidden, **fields}
        headers = {"Referer": f"{self._origin}{path}", "Origin": self._origin}
        async with self._http.post(to or path, data=data, headers=headers) as answer:
            return answer.status, answer.url.path, await answer.text()

    async def sign_in(self, name: str, password: str, path: str = "/login/", to: str = "/") -> None:
        """Fill in a login form."""
        status, _, page = await self.submit(path, username=name, password=password, next=to)
        assert status == 200, page[:500]


def hidden_fields(page: str) -> dict[str, str]:
    """Return what a page's forms carry unseen."""
    inputs = [dict(ATTRIBUTE.findall(element)) for element in INPUT.findall(page)]
    return {
        field["name"]: field.get("value", "")
        for field in inputs
        if field.get("type") == "hidden" and "name" in field
    }
