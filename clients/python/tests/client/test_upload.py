"""Uploads by HTTP: what the client sends, returns and raises, and `roomlog send --attach`."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from roomlog_client import CommandError, Unreachable
from roomlog_client.api import Api
from roomlog_client.cli import progress
from roomlog_client.testing import FakeServer
from tests.client.cli_runs import roomlog
from tests.client.test_client import ROOM, server

__all__ = ["server"]

LARGE = 3 * 1024 * 1024
STORED = {"id": "5" * 32, "name": "a.txt", "size": 5, "type": "text/plain"}
STORED |= dict.fromkeys(("width", "height", "thumbnail"))


class Uploads:
    """An api that answers uploads as a test says."""

    def __init__(self) -> None:
        self.answer: tuple[int, Any] = (201, STORED)
        self.fields: list[dict[str, Any]] = []
        self.rights: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        """Note what came."""
        self.rights.append(request.headers["Authorization"])
        form = await request.post()
        self.fields.append(
            {
                name: (value.filename, value.file.read()) if isinstance(value, web.FileField) else value
                for name, value in form.items()
            }
        )
        status, body = self.answer
        return web.json_response(body, status=status)


@pytest.fixture
def uploads() -> Uploads:
    """What came, and what is answered."""
    return Uploads()


@pytest.fixture
async def api(uploads: Uploads) -> AsyncIterator[Api]:
    """The client's view of it."""
    app = web.Application(client_max_size=2 * LARGE)
    app.router.add_post("/api/v1/attachments/", uploads.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield Api(f"http://{host}:{port}/api/v1/", "secret")
    await runner.cleanup()


async def test_a_file_is_uploaded_under_its_name(api: Api, uploads: Uploads, tmp_path: Path) -> None:
    """To the room, with the token; a repeat by the caller has the same uuid."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"hello")
    for _ in range(2):
        stored = await api.upload(ROOM, path, uuid="u")
    assert (stored.id, stored.size, stored.thumbnail) == ("5" * 32, 5, None)
    assert uploads.fields == [{"room": ROOM, "uuid": "u", "file": ("a.txt", b"hello")}] * 2
    assert uploads.rights == ["Token secret"] * 2


async def test_a_name_arrives_as_people_wrote_it(api: Api, uploads: Uploads, tmp_path: Path) -> None:
    """Without what ends a line."""
    path = tmp_path / 'Grüße & "tea"\n.txt'
    path.write_bytes(b"hello")
    await api.upload(ROOM, path)
    assert uploads.fields[0]["file"] == ('Grüße & "tea".txt', b"hello")


async def test_a_large_file_goes_in_pieces(api: Api, uploads: Uploads, tmp_path: Path) -> None:
    """The file is read in pieces, and the caller is told how many bytes are on their way, up to its size."""
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(LARGE))
    heard: list[int] = []
    await api.upload(ROOM, path, heard=heard.append)
    assert uploads.fields[0]["file"] == ("a.zip", bytes(LARGE))
    assert heard == sorted(heard)
    assert len(set(heard)) > 3
    assert heard[-1] == LARGE


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error_code": "bad_value", "detail": "`file`: The file is empty."}, CommandError),
        (413, {"error_code": "too_large", "detail": "The file is larger."}, CommandError),
        (413, {}, CommandError),
        (503, {"error_code": "busy", "detail": "later"}, Unreachable),
        (502, {}, Unreachable),
    ],
)
async def test_what_is_not_taken_raises(
    api: Api, uploads: Uploads, tmp_path: Path, status: int, body: dict[str, str], error: type[Exception]
) -> None:
    """For good, or because nobody knows whether it is there."""
    (tmp_path / "a.txt").write_bytes(b"hello")
    uploads.answer = status, body
    with pytest.raises(error):
        await api.upload(ROOM, tmp_path / "a.txt")


async def test_the_command_sends_files_with_a_message(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a text too; how far they are is on standard error, their names are in what the others read."""
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    for name in ("tea.png", "notes.txt"):
        (tmp_path / name).write_bytes(bytes(progress.MIB))
    files = ["--attach", str(tmp_path / "tea.png"), "--attach", str(tmp_path / "notes.txt")]
    for number, text in enumerate((["look"], []), 1):
        done = await roomlog("send", ROOM, *text, *files, server=server)
        assert (done.exit_code, done.stdout) == (0, f"{number}\n"), done.output
        assert "roomlog: notes.txt: 1.0 of 1.0 MiB" in done.stderr
    done = await roomlog("tail", ROOM, "--all", "--count", "2", server=server, user="bob")
    said = [line.split("alice: ")[1] for line in done.stdout.splitlines()]
    assert said == ["look [tea.png] [notes.txt]", "[tea.png] [notes.txt]"]
    done = await roomlog("search", "look", server=server, user="bob")
    assert done.stdout.rstrip().endswith("alice: look [tea.png] [notes.txt]")


async def test_a_file_that_is_refused_sends_no_message(server: FakeServer, tmp_path: Path) -> None:
    """The sentence is the server's, and says which file; one that is not there is named before anything."""
    path = tmp_path / "page.html"
    path.write_bytes(b"<p>")
    detail = "`file`: Files of this type are not taken here."
    server.refuse_http = lambda _: web.json_response(
        {"error_code": "bad_value", "detail": detail}, status=400
    )
    done = await roomlog("send", ROOM, "look", "--attach", str(path), server=server)
    assert done.exit_code == 1
    assert done.stderr == f"{path} was not uploaded: Files of this type are not taken here.\n"
    done = await roomlog("send", ROOM, "look", "--attach", str(tmp_path / "none"), server=server)
    assert (done.exit_code, "'--attach'" in done.stderr) == (2, True)
    done = await roomlog("send", ROOM, "-", "--attach", str(path), server=server, stdin="a\nb\n")
    assert (done.exit_code, "files go with one message" in done.stderr) == (1, True)
    assert server.logs[ROOM] == []
