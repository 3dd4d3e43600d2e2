"""Attachments in a real S3 server, with the settings of our own images, as docs/attachments.md says.

Skipped where versitygw is not installed, unless SIZE=full.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import aiohttp
import pytest
from PIL import Image

from roomlog_client import Unreachable
from roomlog_client.api import Api, Uploaded
from roomlog_local.child import Child, stop_all
from roomlog_local.command import chores
from roomlog_local.ports import free_port
from tests.harness.s3 import BUCKET, S3Server, s3_server
from tests.harness.stack import MakeStack, Room, Stack, User
from tests.harness.stack_databases import POSTGRES_ONLY
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire

pytestmark = POSTGRES_ONLY
LARGE: Final = 9 * 1024 * 1024
"""Above the size from which S3's library sends a file in parts, unless it is told not to."""
AWAY_SECONDS: Final = 28.0
"""For an answer while S3 hangs: gunicorn would end the request at 30 s."""


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3Server]:
    """A server with an empty bucket."""
    with s3_server(tmp_path / "s3") as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A session that belongs to nobody."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2 * AWAY_SECONDS)) as session:
        yield session


@contextmanager
def collecting(stack: Stack) -> Iterator[None]:
    """Run the chores of the stand-alone api."""
    command = chores(stack.environ, free_port(), "roomlog_api.settings")
    child = Child(command, stack.directory / "chores.log")
    child.start()
    try:
        yield
    finally:
        assert stop_all([child], SECONDS) == []


def make_picture(path: Path) -> Path:
    """Write an image that is larger than its small copy."""
    content = BytesIO()
    Image.new("RGB", (900, 600), "teal").save(content, "PNG")
    path.write_bytes(content.getvalue())
    return path


def make_people(stack: Stack) -> tuple[list[User], Room]:
    """Return two members of a room and a stranger."""
    users = stack.make_users(3)
    (room,) = stack.make_rooms([users[:2]])
    return users, room


def api_of(stack: Stack, user: User) -> Api:
    """Return the api as the user's client sees it."""
    return Api(f"{stack.page}/api/v1/", user.token)


async def share(stack: Stack, user: User, room: Room, *files: Uploaded) -> int:
    """Send a message with the files; return its id."""
    async with Wire(stack.websocket(), user) as wire:
        await wire.authenticate()
        event = await wire.ask("new_message", room=room.id, text="", attachments=[file.id for file in files])
        assert event["status"] == "success", event
        return int(event["message"]["id"])


async def get(
    http: aiohttp.ClientSession, address: str, user: User | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Ask for an address, of the api in a user's name; return status, headers and body."""
    rights = {"Authorization": f"Token {user.token}"} if user else {}
    async with http.get(address, headers=rights, allow_redirects=False) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def test_files_are_in_the_bucket_for_members_alone_until_they_are_deleted(
    make_stack: MakeStack, s3: S3Server, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Both copies pass through the api; the chores delete what was deleted and what is orphaned."""
    stack = make_stack(api=True, environ=s3.environ)
    (alice, bob, stranger), room = make_people(stack)
    picture, large = make_picture(tmp_path / "tea.png"), tmp_path / "large.zip"
    large.write_bytes(bytes(LARGE))
    sent = [await api_of(stack, alice).upload(room.id, path) for path in (picture, large)]
    message = await share(stack, alice, room, *sent)
    orphan = await api_of(stack, alice).upload(room.id, picture)
    addresses = [f"{stack.page}/api/v1/attachments/{file.id}/" for file in sent]
    whole = [(await get(http, address, bob))[2] for address in addresses]
    assert whole == [picture.read_bytes(), large.read_bytes()]
    _, headers, small = await get(http, f"{stack.page}{sent[0].thumbnail}", bob)
    with Image.open(BytesIO(small)) as shown:
        assert (shown.size, headers["Content-Type"]) == ((480, 320), "image/webp")
    assert {(await get(http, address, stranger))[0] for address in addresses} == {404}
    names = s3.objects()
    assert len(names) == 5
    private = [await get(http, f"{s3.endpoint}/{BUCKET}/{name}") for name in names]
    assert {status for status, *_ in private} == {403}, "only the api's keys open the bucket"
    stack.sql("UPDATE roomlog_attachment SET date_created = '2026-01-01Z' WHERE id = %s", UUID(orphan.id))
    async with Wire(stack.websocket(), alice) as wire:
        await wire.authenticate()
        assert (await wire.ask("delete_message", room=room.id, message=message))["status"] == "success"
    assert {(await get(http, address, bob))[0] for address in addresses} == {404}
    with collecting(stack):
        await eventually(lambda: not s3.objects(), 2 * SECONDS, "nothing is left in the bucket")
    stack.assert_no_traceback()


async def test_downloads_are_sent_to_a_signed_address_if_the_install_wants_it(
    make_stack: MakeStack, s3: S3Server, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Members alone, for a minute, with the type and name that the api gives; changed it opens nothing."""
    stack = make_stack(api=True, environ={**s3.environ, "ROOMLOG_ATTACHMENT_REDIRECT": "1"})
    (alice, bob, stranger), room = make_people(stack)
    (tmp_path / "a b.txt").write_text("<script>")
    notes = await api_of(stack, alice).upload(room.id, tmp_path / "a b.txt")
    await share(stack, alice, room, notes)
    address = f"{stack.page}/api/v1/attachments/{notes.id}/"
    assert (await get(http, address, stranger))[0] == 404
    status, headers, _ = await get(http, address, bob)
    signed = headers["Location"]
    assert (status, signed.startswith(s3.endpoint)) == (302, True)
    assert parse_qs(urlsplit(signed).query)["X-Amz-Expires"] == ["60"]
    async with http.get(signed) as answer:
        assert (await answer.read(), answer.content_type) == (b"<script>", "text/plain")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.txt"'
    async with http.get(signed.replace("attachment", "inline")) as changed:
        assert changed.status == 403


async def test_a_bucket_that_hangs_is_told_and_holds_up_nobody(
    make_stack: MakeStack, s3: S3Server, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """Uploads and downloads end with 503 before gunicorn would end them; the same uuid uploads later."""
    stack = make_stack(api=True, environ=s3.environ)
    (alice, *_), room = make_people(stack)
    api = api_of(stack, alice)
    (tmp_path / "notes.txt").write_text("hello")
    stored = await api.upload(room.id, tmp_path / "notes.txt")
    address = f"{stack.page}/api/v1/attachments/{stored.id}/"
    await asyncio.to_thread(s3.pause)
    asked = (api.upload(room.id, tmp_path / "notes.txt", uuid="u"), get(http, address, alice))
    async with asyncio.timeout(AWAY_SECONDS):
        refused, answer = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(refused, Unreachable)
    assert isinstance(answer, tuple)
    assert answer[0] == 503
    s3.resume()
    again = await api.upload(room.id, tmp_path / "notes.txt", uuid="u")
    assert (await get(http, f"{stack.page}/api/v1/attachments/{again.id}/", alice))[2] == b"hello"
    stack.assert_no_traceback()
