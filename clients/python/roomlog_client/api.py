"""What the client asks the api by HTTP: messages by their words, people by their names. Beside the socket.

Each question is one request with the token. Nothing is repeated: an error says what to do.
"""

from asyncio import get_running_loop, to_thread
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from io import BufferedReader, FileIO
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
import msgspec
from msgspec import Struct

from roomlog_contract import limits
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import User

from .driver import reason_of
from .errors import RETRIED, ProtocolError, RoomlogError, Throttled, Unreachable, error_of
from .tokens import NoToken, Token, ask_token

Answer = TypeVar("Answer")

ANSWER_SECONDS: Final = 10.0
"""Longest wait for a whole answer."""
UPLOAD_SECONDS: Final = 300.0
"""Longest wait for an upload and its answer."""
TOO_LARGE: Final = "too_large"
"""The code of an upload that is, whoever refused it: a proxy before the api says no code."""
PAGE_MESSAGES: Final = limits.HISTORY_MESSAGES
"""As many as the server finds at once."""
THROTTLED_SECONDS: Final = 60
"""The span over which the server counts: the wait where it names none."""


class Wanted(TypedDict, total=False):
    """What is looked for beside words; all of it must be so."""

    room: str
    author: int
    """A user's id."""
    after: int
    """Sent then or later, in seconds since 1970."""
    before: int
    """Sent earlier, in seconds since 1970."""


class Uploaded(Struct):
    """A file that is stored; what a message says of it, and where its small copy is."""

    id: str
    name: str
    size: int
    """Bytes."""
    type: str
    width: int | None
    height: int | None
    thumbnail: str | None
    """The path of an image's small copy."""


class _HeardFile(BufferedReader):
    """A file that tells how far it was read; aiohttp reads it piece by piece in a thread of its own."""

    def __init__(self, path: str | PathLike[str], heard: Callable[[int], object]) -> None:
        super().__init__(FileIO(path))
        self._heard = heard

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most so many bytes."""
        piece = super().read(size)
        self._heard(self.tell())
        return piece


class _Hits(Struct):
    messages: list[dict[str, Any]]
    next: str | None


class FoundRoom(Struct):
    """A room that everybody may join."""

    id: str
    name: str
    topic: str
    joined: bool
    """Whether the user is a member."""


class Door(Struct):
    """The room behind an invitation's token."""

    room: str
    name: str
    topic: str
    role: str
    """What whoever joins by it is."""
    joined: bool


class _FoundRooms(Struct):
    rooms: list[FoundRoom]
    next: str | None


class _Problem(Struct):
    error_code: str = ""
    detail: str = ""


def api_beside(url: str) -> str:
    """Return the address of the api on the host of a WebSocket: `/api/v1/` in place of its `/ws`."""
    scheme, host, path, _, _ = urlsplit(url)
    return urlunsplit((scheme.replace("ws", "http", 1), host, f"{path.rpartition('/')[0]}/api/v1/", "", ""))


class Api:
    """The api of an install, asked in one user's name.

    Every question raises:
        InvalidToken, Forbidden, BadValue: it was refused; nothing of it will be answered.
        Throttled: too much was asked; `retry_after_seconds` says how long to wait.
        Unreachable: the api did not answer, or not as one.
        SignedOut: the token function said that there is no token any more.
    """

    def __init__(self, address: str, token: Token) -> None:
        """`address` is where the paths of REST begin: `https://chat.example.com/api/v1/`."""
        self._address = f"{address.rstrip('/')}/"
        self._token = token

    async def search(
        self, text: str = "", *, limit: int | None = None, **wanted: Unpack[Wanted]
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield messages of the user's rooms in their present state, the newest first, at most `limit`.

        `text` has `word`, `begin*` and `"words side by side"`; a message is found if it has all of them.
        """
        left = PAGE_MESSAGES if limit is None else limit
        query: dict[str, Any] = {"text": text, **wanted}
        while left > 0:
            query["limit"] = min(left, PAGE_MESSAGES)
            hits = await self._ask("search/", query, _Hits)
            for message in hits.messages:
                yield message
            if hits.next is None:
                return
            query["cursor"] = hits.next
            left -= len(hits.messages) if limit is not None else 0

    async def find_users(self, beginning: str) -> list[User]:
        """Return at most 20 active users whose name begins so, of those whom the user may find.

        The server wants two characters at least.
        """
        return await self._ask("users/", {"search": beginning}, list[User])

    async def find_rooms(self, words: str = "") -> AsyncIterator[FoundRoom]:
        """Yield the rooms that everybody may join and whose name contains the words, by name."""
        query = {"q": words} if words else {}
        while True:
            found = await self._ask("rooms/discoverable/", query, _FoundRooms)
            for room in found.rooms:
                yield room
            if found.next is None:
                return
            query["cursor"] = found.next

    async def door(self, invitation: str) -> Door:
        """Return the room behind an invitation's token.

        Raises:
            CommandError: `not_found`, if it is not valid, or not any more.
        """
        return await self._ask("invitation/", {}, Door, body={"invitation": invitation})

    async def upload(
        self,
        room: str,
        path: str | PathLike[str],
        *,
        uuid: str | None = None,
        heard: Callable[[int], object] = lambda _: None,
    ) -> Uploaded:
        """Upload a file to a room, and return what the server says of it; `send` names its id.

        `heard` is told how many bytes of it are on their way. After `Unreachable` it may be there or not:
        again with the same uuid is the same file.

        Raises:
            OSError: it can't be read.
        """
        loop = get_running_loop()

        def tell(count: int) -> None:
            loop.call_soon_threadsafe(heard, count)

        with await to_thread(_HeardFile, path, tell) as content:
            # As browsers do: aiohttp would write %20 for a space, which no server takes for one.
            form = aiohttp.FormData({"room": room, "uuid": uuid or uuid4().hex}, quote_fields=False)
            form.add_field("file", content, filename=_printable(Path(path).name))
            return await self._ask("attachments/", {}, Uploaded, form)

    async def _ask(
        self,
        path: str,
        query: Mapping[str, Any],
        kind: type[Answer],
        form: aiohttp.FormData | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        url = f"{self._address}{path}"
        try:
            status, wait, said = await self._request(url, query, form, body)
        except NoToken as failure:
            raise Unreachable(str(failure)) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"no answer from {url}: {reason_of(error)}") from None
        if status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            raise _refusal(url, status, wait, said)
        try:
            return msgspec.json.decode(said, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ProtocolError(f"{url} answered with something else than was asked for") from None

    async def _request(
        self,
        url: str,
        query: Mapping[str, Any],
        form: aiohttp.FormData | None,
        body: Mapping[str, Any] | None,
    ) -> tuple[int, str, bytes]:
        """Return status, Retry-After and body. No redirect is followed: the token is for this address."""
        rights = {"Authorization": f"Token {await ask_token(self._token)}", "Accept": "application/json"}
        timeout = aiohttp.ClientTimeout(total=UPLOAD_SECONDS if form else ANSWER_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=rights) as session,
            session.request(
                "POST" if form or body else "GET",
                url,
                params=query,
                data=form,
                json=body,
                allow_redirects=False,
            ) as answer,
        ):
            return answer.status, answer.headers.get("Retry-After", ""), await answer.read()


def _printable(name: str) -> str:
    """Return a file's name without what could end the line of the form that it stands in."""
    return "".join(sign for sign in name if sign.isprintable())


def _refusal(url: str, status: int, wait: str, body: bytes) -> RoomlogError:
    """Return the error of an answer; one without a code is not the api's but that of something before it."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = _Problem()
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(int(wait) if wait.isdecimal() else THROTTLED_SECONDS)
        case HTTPStatus.UNAUTHORIZED:
            return error_of(ErrorCode.INVALID_TOKEN, problem.detail)
        case HTTPStatus.FORBIDDEN:
            return error_of(ErrorCode.FORBIDDEN, problem.detail)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return error_of(TOO_LARGE, problem.detail or "The file is larger than the server takes.")
        case _ if problem.error_code and problem.error_code not in RETRIED:
            return error_of(problem.error_code, problem.detail)
        case _:
            return Unreachable(f"{url} answered with {status}")
