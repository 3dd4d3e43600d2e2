"""The harness itself: what it starts is real, what it breaks is broken, and nothing is left behind."""

import socket
from pathlib import Path

import psutil
import pytest

from roomlog_local.ports import LOOPBACK
from tests.harness import postgres
from tests.harness.stack import MakeStack, Stack, build_stack
from tests.harness.stack_databases import SqliteFiles
from tests.harness.waiting import NeverHappened, eventually, wait_until

DEADLINE_SECONDS = 30.0


def ask_valkey(stack: Stack, line: str) -> bytes:
    """One command to the stack's Valkey and the start of its answer."""
    port = int(stack.redis_url.rsplit(":", 1)[1].split("/")[0])
    with socket.create_connection((LOOPBACK, port), timeout=DEADLINE_SECONDS) as link:
        link.sendall(line.encode() + b"\r\n")
        return link.recv(64)


def test_a_stack_has_users_rooms_and_metrics(make_stack: MakeStack) -> None:
    """A started stack is ready, its database has what was put in, and each process tells its metrics."""
    stack = make_stack(gateways=2, workers=2)
    users = stack.make_users(3)
    room, _ = stack.make_rooms([users, users[:1]])
    assert stack.sql("SELECT count(*) FROM roomlog_membership WHERE role = %s", "member") == [(2,)]
    assert [user.name for user in room.members] == [user.name for user in users]
    assert len({user.token for user in users}) == 3
    for name in ("gateway-0", "gateway-1", "worker-0", "worker-1"):
        assert "python_info" in stack.metrics(name).names()
    stack.assert_no_traceback()


def test_a_second_stack_starts_from_an_empty_database(make_stack: MakeStack) -> None:
    """Stacks share a server at most, never their rows."""
    make_stack(gateways=0, workers=0).make_users(1)
    assert make_stack(gateways=0, workers=0).sql("SELECT count(*) FROM auth_user") == [(0,)]


def test_a_killed_process_is_gone_with_all_it_started(make_stack: MakeStack) -> None:
    """After a kill -9 of a gateway nothing of it is left, and a start brings it back on the same port."""
    stack = make_stack(gateways=1, workers=0)
    address = stack.websocket()
    main = psutil.Process(stack.child("gateway-0").pid)
    family = [main, *main.children(recursive=True)]
    stack.kill("gateway-0")
    wait_until(lambda: not any(_is_alive(one) for one in family), DEADLINE_SECONDS, "the gateway is gone")
    stack.start("gateway-0")
    assert stack.websocket() == address


def test_a_paused_process_answers_nothing_until_it_is_resumed(make_stack: MakeStack) -> None:
    """SIGSTOP holds the whole process group, SIGCONT lets it go on."""
    stack = make_stack(gateways=0, workers=1)
    is_ready = stack.child("worker-0").command.is_ready
    stack.pause("worker-0")
    assert not is_ready()
    stack.resume("worker-0")
    wait_until(is_ready, DEADLINE_SECONDS, "the worker goes on")


def test_a_restarted_valkey_is_empty(make_stack: MakeStack) -> None:
    """Its loss is a real one: nothing survives, and the port stays."""
    stack = make_stack(gateways=0, workers=0)
    assert ask_valkey(stack, "SET kept 1") == b"+OK\r\n"
    stack.restart_valkey_empty()
    assert ask_valkey(stack, "GET kept") == b"$-1\r\n"


def test_a_close_leaves_nothing(sqlite_databases: SqliteFiles, tmp_path: Path) -> None:
    """Whatever state the processes are in, none of them outlives the stack."""
    stack = build_stack(tmp_path / "stack", sqlite_databases, gateways=1, workers=2)
    stack.start()
    family = [
        one
        for name in stack.names
        for main in [psutil.Process(stack.child(name).pid)]
        for one in [main, *main.children(recursive=True)]
    ]
    stack.pause("worker-0")
    stack.kill("worker-1")
    assert stack.close() == []
    assert [one for one in family if _is_alive(one)] == []


def test_a_setting_of_one_start_is_gone_at_the_next(sqlite_databases: SqliteFiles, tmp_path: Path) -> None:
    """A test switch given to one start does not come back with the restarted process."""
    stack = build_stack(tmp_path / "stack", sqlite_databases, gateways=0, workers=0)
    try:
        for switch in ("on", None):
            stack.spawn("valkey", **({"ROOMLOG_SWITCH": switch} if switch else {}))
            environ = psutil.Process(stack.child("valkey").pid).environ()
            assert environ.get("ROOMLOG_SWITCH") == switch
            stack.kill("valkey")
    finally:
        stack.close()


def test_a_traceback_in_a_log_is_found(sqlite_databases: SqliteFiles, tmp_path: Path) -> None:
    """One traceback in one log fails the assertion and is shown."""
    stack = build_stack(tmp_path / "stack", sqlite_databases, gateways=0, workers=0)
    stack.child("valkey").log.write_text("fine\nTraceback (most recent call last):\nValueError: seen\n")
    with pytest.raises(AssertionError, match="valkey wrote a traceback"):
        stack.assert_no_traceback()
    stack.close()


async def test_a_condition_that_never_comes_true_is_named() -> None:
    """Both ways of waiting end at their deadline and say what they waited for."""
    with pytest.raises(NeverHappened, match="the moon: not within 0 s"):
        await eventually(lambda: False, 0.0, "the moon")
    with pytest.raises(NeverHappened, match="the moon: not within 0 s"):
        wait_until(lambda: [], 0.0, "the moon")


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_postgres_is_never_silent(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a server the tests say how to get one, and fail where it is required."""
    monkeypatch.setenv(postgres.REQUIRED_VARIABLE, required)
    with pytest.raises(outcome, match="install one"):
        postgres.missing_postgres()


def _is_alive(process: psutil.Process) -> bool:
    """Says whether a process is there and more than an exit status that nobody fetched."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
