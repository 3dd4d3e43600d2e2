"""The command line: what it prints, how it ends, and that it finds its account."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from roomlog_client.cli import messages, operators, owners, progress, terminal
from roomlog_client.testing import FakeServer
from tests.client.cli_runs import roomlog

KITCHEN = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"
CELLAR = "1e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"
pytestmark = pytest.mark.usefixtures("no_account")


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    """A server with a room of two and one of one."""
    async with FakeServer({KITCHEN: ["alice", "bob"], CELLAR: ["bob"]}) as fake:
        yield fake


async def test_send_prints_the_place(server: FakeServer) -> None:
    """Its seq alone is on standard output, for scripts; with - each line of input is a message, in order."""
    done = await roomlog("send", KITCHEN, "hello", server=server)
    assert (done.exit_code, done.stdout) == (0, "1\n")
    assert server.logs[KITCHEN][0]["message"]["text"] == "hello"
    done = await roomlog("send", KITCHEN, "-", server=server, stdin="one\ntwo\nthree\n")
    assert done.stdout == "2\n3\n4\n"
    assert [event["message"]["text"] for event in server.logs[KITCHEN]][1:] == ["one", "two", "three"]


async def test_mistakes_are_one_sentence(server: FakeServer) -> None:
    """An unknown room says which there are; without a token the command says where it looked."""
    done = await roomlog("send", CELLAR, "hello", server=server)
    assert done.exit_code == 1
    assert KITCHEN in done.stderr.replace("\n", "")
    assert server.logs[CELLAR] == []
    done = await roomlog("send", KITCHEN, "hello")
    assert (done.exit_code, "ROOMLOG_TOKEN" in done.stderr) == (1, True)


async def test_tail_prints_the_log(server: FakeServer) -> None:
    """`tail --all` prints a room's events from its first; what could command a terminal is replaced.

    A message has the time of this machine's zone.
    """
    for name, text in (("bob", "hello"), ("alice", "red \x1b[31m")):
        event = await server.post(KITCHEN, name, text)
        event["message"]["timestamp_ms"] = 1_764_201_600_000
    bob = {"user": server.user("bob")}
    server.logs[KITCHEN].append({**event, "action": "rename_room", "seq": 3, "message": bob, **bob})
    done = await roomlog("tail", KITCHEN, "--all", "--count", "3", server=server)
    time = f"{datetime.fromtimestamp(1_764_201_600):%Y-%m-%d %H:%M:%S}"
    assert done.stdout.splitlines() == [
        f"{time} {KITCHEN} 1 bob: hello",
        f"{time} {KITCHEN} 2 alice: red \ufffd[31m",
        f"{' ' * len(time)} {KITCHEN} 3 bob: (rename_room)",
    ]


async def test_tail_of_one_room_leaves_out_others(server: FakeServer) -> None:
    """With a room only its events are printed, with --json as they came."""
    await server.post(CELLAR, "bob", "dark")
    await server.post(KITCHEN, "bob", "hello")
    done = await roomlog("tail", KITCHEN, "--all", "--count", "1", "--json", server=server, user="bob")
    assert json.loads(done.stdout)["message"]["text"] == "hello"


async def _digest(server: FakeServer, user: str) -> str:
    done = await roomlog("verify", KITCHEN, server=server, user=user)
    assert done.exit_code == 0, done.output
    assert "1 to 250, no gap" in done.stdout
    (digest,) = re.findall(r"digest  (\w{64})", done.stdout)
    return str(digest)


async def test_verify_recounts_the_log(server: FakeServer) -> None:
    """Members get the same digest of one log, another text makes another; an empty room is in order."""
    done = await roomlog("verify", KITCHEN, server=server)
    assert (done.exit_code, "none" in done.stdout) == (0, True)
    for number in range(250):
        await server.post(KITCHEN, "alice", f"text {number} \N{BLACK TELEPHONE}", f"u-{number}")
    digest = await _digest(server, "alice")
    assert await _digest(server, "bob") == digest
    agreed = await roomlog("verify", KITCHEN, "--digest", digest.upper(), server=server)
    assert agreed.exit_code == 0
    server.logs[KITCHEN][100]["message"]["text"] += "!"
    differs = await roomlog("verify", KITCHEN, "--digest", digest, server=server)
    assert (differs.exit_code, "digest differs" in differs.stderr) == (1, True)


def write_demo(server: FakeServer) -> None:
    """Write what a demo in this folder would have written."""
    users: list[dict[str, Any]] = [{"name": name, "token": name} for name in ("alice", "bob")]
    folder = Path(".roomlog")
    folder.mkdir()
    (folder / "demo.json").write_text(json.dumps({"websocket": server.url, "users": users}))


async def test_demo_is_found(server: FakeServer) -> None:
    """Its first user is taken, or the one that --as names; `roomlog demo --help` is its own help."""
    write_demo(server)
    await roomlog("send", KITCHEN, "hello")
    await roomlog("send", KITCHEN, "hello", "--as", "bob")
    senders = [event["message"]["user"]["username"] for event in server.logs[KITCHEN]]
    assert senders == ["alice", "bob"]
    stranger = await roomlog("send", KITCHEN, "hello", "--as", "carol")
    assert (stranger.exit_code, "alice, bob" in stranger.stderr) == (1, True)
    assert "--folder" in (await roomlog("demo", "--help")).stdout


async def test_a_token_comes_from_a_file_or_the_environment(server: FakeServer, tmp_path: Path) -> None:
    """A file stands above the environment; a pasted one may end with a line break."""
    (tmp_path / "token").write_text("bob\n")
    await roomlog("send", KITCHEN, "hello", "--token-file", str(tmp_path / "token"), server=server)
    assert server.logs[KITCHEN][0]["message"]["user"]["username"] == "bob"
    done = await roomlog("send", KITCHEN, "hello", server=server, user=" alice\n")
    assert (done.exit_code, done.stdout) == (0, "2\n")


@pytest.fixture
async def workers() -> AsyncIterator[list[str]]:
    """Two workers' health addresses, each owning half of the shards."""
    runners, addresses = [], []
    for half in (range(32), range(32, 64)):
        text = "".join(f'roomlog_worker_shard_owned{{shard="{n}"}} {float(n in half)}\n' for n in range(64))

        async def metrics(request: web.Request, text: str = text) -> web.Response:
            return web.Response(text=text)

        application = web.Application()
        application.router.add_get("/metrics", metrics)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        addresses.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield addresses
    for runner in runners:
        await runner.cleanup()


async def test_shards_of_all_workers(workers: list[str]) -> None:
    """All have owners if every worker answers; one that does not is told, and no worker at all."""
    done = await roomlog("shards", *workers)
    assert done.exit_code == 0, done.output
    done = await roomlog("shards", workers[0], "http://127.0.0.1:9")
    assert (done.exit_code, "63" in done.stderr, "no answer" in done.stdout) == (1, True, True)
    done = await roomlog("shards")
    assert (done.exit_code, "--namespace" in done.stderr) == (1, True)


async def test_shard_named_twice_is_told() -> None:
    """Two workers that name the same shard are a double; what nobody names is an orphan."""
    shown = dict.fromkeys(range(128), False)
    found: owners.Owners = {"one": shown | {1: True, 2: True}, "two": shown | {2: True}, "three": None}
    assert owners.doubles(found) == [2]
    assert owners.orphans(found) == [0, *range(3, 128)]


async def test_an_operators_command_says_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the api beside the client there is nothing to ask; its image has the same command."""
    monkeypatch.setattr(operators, "API", "no_such_package")
    result = await roomlog("new-epoch")
    assert result.exit_code == 1
    assert "kubectl exec deploy/roomlog-api -- roomlog new-epoch" in " ".join(result.output.split())


async def test_an_operators_words_reach_the_api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command runs in another process, with the settings of the demo in this folder."""
    asked: list[tuple[list[str], str]] = []

    def run(words: list[str], *, env: dict[str, str], check: bool) -> subprocess.CompletedProcess[bytes]:
        asked.append((words, env.get("ROOMLOG_DATABASE_URL", "")))
        return subprocess.CompletedProcess(words, 3)

    monkeypatch.delenv("ROOMLOG_DATABASE_URL", raising=False)
    monkeypatch.setattr(operators, "find_spec", lambda name: object())
    monkeypatch.setattr(subprocess, "run", run)
    (tmp_path / ".roomlog").mkdir()
    demo = {"settings": {"ROOMLOG_DATABASE_URL": "sqlite:///x"}}
    (tmp_path / ".roomlog" / "demo.json").write_text(json.dumps(demo))
    assert (await roomlog("doctor", "--help")).exit_code == 3
    assert asked == [([sys.executable, "-m", "roomlog_api", "doctor", "--help"], "sqlite:///x")]


@pytest.mark.parametrize(
    ("path", "content", "sentence"),
    [
        ("token", b"", "token is empty"),
        ("token", b"\xff", "can't be read: it is no text"),
        (".roomlog/demo.json", b"{", "is not what a demo writes"),
        (".roomlog/demo.json", b"[]", "is not what a demo writes"),
    ],
)
async def test_broken_files_are_a_sentence(tmp_path: Path, path: str, content: bytes, sentence: str) -> None:
    """Whatever is in a file that a command reads."""
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(content)
    options = ["--token-file", str(tmp_path / path)] if path == "token" else []
    done = await roomlog("send", KITCHEN, "hello", *options)
    assert (done.exit_code, sentence in done.stderr) == (1, True), done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["localhost:8080", "ws//x", "ftp://h/ws", "ws://user:pw@h/ws", "ws://"])
async def test_an_address_of_another_form_is_one_sentence(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Nothing is tried for a minute that can't be an address; what it holds is not repeated."""
    monkeypatch.setenv("ROOMLOG_TOKEN", "t")
    done = await roomlog("send", KITCHEN, "hello", "--url", url)
    assert (done.exit_code, "ws://host:port/ws" in done.stderr, "pw" in done.stderr) == (1, True, False)


async def test_a_dead_address_is_told_and_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once on standard error, with the reason; after some seconds the command ends with a sentence."""
    monkeypatch.setattr(messages, "REACH_SECONDS", 1.0)
    monkeypatch.setenv("ROOMLOG_TOKEN", "t")
    for command in (["send", KITCHEN, "hello"], ["tail", KITCHEN], ["verify", KITCHEN]):
        done = await roomlog(*command, "--url", "ws://127.0.0.1:9/ws")
        said = done.stderr.splitlines()
        assert done.exit_code == 1
        assert (
            "no connection to ws://127.0.0.1:9/ws yet (Connect call failed" in said[0] or "refused" in said[0]
        )
        assert said[1].startswith("no answer from ws://127.0.0.1:9/ws in 1 s: ")
        assert len(said) == 2


async def test_many_lines_are_sent_in_order_and_show_their_progress(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several are under way at once: one by one they would go as slow as the gateway is far."""
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    texts = [f"line {number}" for number in range(35)]
    done = await roomlog("send", KITCHEN, "-", server=server, stdin="\r\n".join(texts) + "\n")
    assert [event["message"]["text"] for event in server.logs[KITCHEN]] == texts
    assert done.stdout.splitlines() == [str(seq) for seq in range(1, 36)]
    assert "roomlog: 35 sent, " in done.stderr


async def test_a_refused_line_is_named(server: FakeServer) -> None:
    """Those before it are stored and printed; the error is the server's, cleaned."""
    server.refuse = lambda command: (
        {"error_code": "empty_text", "error_message": "\x1b[31mno"} if command.get("text") == "bad" else None
    )
    done = await roomlog("send", KITCHEN, "-", server=server, stdin="one\ntwo\nbad\nfour\n")
    assert (done.exit_code, done.stdout) == (1, "1\n2\n")
    assert "message 3: empty_text: \ufffd[31mno" in done.stderr
    assert "\x1b" not in done.output


async def test_nothing_commands_a_terminal(monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> None:
    """Only what shows something is left, of texts and of a room's name."""
    everything = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    for text in (terminal.plain(everything), terminal.as_json(everything)):
        assert {c for c in text if not c.isprintable()} == set(terminal.JOINERS)
    for dangerous in "\x1b\x07\r\n\x7f\x9b\u202e\u2066\u200f\u2028":
        assert terminal.plain(dangerous) == "\ufffd"
    assert json.loads(terminal.as_json(everything)) == everything
    summary = server.summary
    monkeypatch.setattr(server, "summary", lambda room: {**summary(room), "name": "\x1b]0;evil\x07 [red]"})
    done = await roomlog("send", "nowhere", "hello", server=server)
    assert done.exit_code == 1
    assert "\ufffd]0;evil\ufffd [red]" in done.stderr


async def test_rooms_are_listed_with_their_topics(
    monkeypatch: pytest.MonkeyPatch, server: FakeServer
) -> None:
    """A line of its own for each room."""
    summary = server.summary
    monkeypatch.setattr(server, "summary", lambda room: {**summary(room), "name": "K", "topic": "tea \x1b"})
    done = await roomlog("rooms", server=server)
    assert (done.exit_code, " ".join(done.stdout.split()).count("K │ tea \ufffd")) == (0, 1), done.stdout


def run_in(environ: dict[str, str], *words: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start the command in a process of its own."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "roomlog_client.cli", *words],
        env={**clean, **environ},
        stdout=pipe,
        stderr=pipe,
        **options,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
async def test_tail_survives_what_the_terminal_can_t_show(server: FakeServer, encoding: str) -> None:
    """Another character set shows an escape, and the next message."""
    await server.post(KITCHEN, "bob", "\N{PILE OF POO} \N{SNOWMAN}")
    await server.post(KITCHEN, "bob", "after")
    environ = {"ROOMLOG_URL": server.url, "ROOMLOG_TOKEN": "alice", "PYTHONIOENCODING": encoding}
    process = run_in(environ, "tail", KITCHEN, "--all", "--count", "2")
    output, complaint = await asyncio.to_thread(process.communicate, timeout=30)
    assert (process.returncode, complaint) == (0, b"")
    assert [line.split(b": ")[1] for line in output.splitlines()] == [b"\\U0001f4a9 \\u2603", b"after"]


async def test_tail_ends_quietly_with_its_reader(server: FakeServer) -> None:
    """`roomlog tail | head -1` is no error of the command's."""
    for number in range(3):
        await server.post(KITCHEN, "bob", f"text {number}")
    environ = {"ROOMLOG_URL": server.url, "ROOMLOG_TOKEN": "alice"}
    process = run_in(environ, "tail", KITCHEN, "--all")
    assert process.stdout is not None
    await asyncio.to_thread(process.stdout.readline)
    process.stdout.close()
    process.stdout = None
    await server.post(KITCHEN, "bob", "one more")
    await server.post(KITCHEN, "bob", "and one")
    _, complaint = await asyncio.to_thread(process.communicate, timeout=30)
    assert complaint == b""


async def test_a_failed_send_does_not_wait_for_its_pipe(server: FakeServer) -> None:
    """A refused line ends the command, though whoever writes to it says nothing more."""
    server.refuse = lambda command: {"error_code": "muted"} if command.get("text") == "bad" else None
    environ = {"ROOMLOG_URL": server.url, "ROOMLOG_TOKEN": "alice"}
    process = run_in(environ, "send", KITCHEN, "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"good\nbad\n")
    process.stdin.flush()
    assert await asyncio.to_thread(process.wait, timeout=30) == 1
    process.stdin.close()
    process.stdin = None
    output, complaint = await asyncio.to_thread(process.communicate, timeout=30)
    assert (output, b"message 2: muted" in complaint) == (b"1\n", True)


def test_doctor_explains_itself_without_settings() -> None:
    """Help needs neither a database nor a demo."""
    for command in ("doctor", "new-epoch", "erase", "export", "trace"):
        process = run_in({}, command, "--help")
        output, complaint = process.communicate(timeout=30)
        assert (process.returncode, complaint) == (0, b"")
        assert b"usage: roomlog " + command.encode() in output
