"""The server in virtual time: writers wait for each other, and a transaction ends with its client."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from django.db import Error, OperationalError, transaction

from roomlog.models import Install
from tests.simulation.database import IDLE_SECONDS, LOCK_SECONDS, Server, sessions_of
from tests.simulation.loop import SimulatedLoop, run
from tests.simulation.processes import Process, Thread, current
from tests.simulation.store import EPOCH, Store, new_store


class Stage:
    """A database, and processes that use it."""

    def __init__(self, loop: SimulatedLoop, store: Store) -> None:
        self.loop, self.store = loop, store
        self.server = Server(loop, random.Random(1), store.path)
        self.notes: list[str] = []

    def process(self, *mains: Callable[[], object]) -> Process:
        """Start a process with a thread for each of these."""
        process = Process(self.loop, "one")
        for main in mains:
            Thread(self._noting(main), process=process).start()
        return process

    def epoch(self) -> str:
        """Return what is committed."""
        ((epoch,),) = self.store._all("SELECT epoch FROM roomlog_install")
        return str(epoch)

    def _noting(self, main: Callable[[], object]) -> Callable[[], None]:
        def noted() -> None:
            try:
                main()
                self.notes.append("done")
            except Error as error:
                self.notes.append(str(error))

        return noted


def played(play: Callable[[Stage], Awaitable[None]]) -> Stage:
    """Let something happen; return what is left."""

    async def simulate(loop: SimulatedLoop) -> Stage:
        stage = Stage(loop, store)
        with sessions_of(stage.server):
            await play(stage)
        stage.notes.append(stage.epoch())
        return stage

    with new_store() as store:
        return run(simulate, 1)


def write(epoch: str, *, takes: float = 0.0, then: Callable[[], object] = lambda: None) -> Callable[[], None]:
    """Return a transaction that writes, takes its time, and does something before it commits."""

    def transact() -> None:
        with transaction.atomic():
            Install.objects.update(epoch=epoch)
            current().wait(takes)
            then()

    return transact


def test_writers_take_turns_and_readers_wait_for_nobody() -> None:
    """Nobody waits for ever."""

    async def play(stage: Stage) -> None:
        only_after_b = partial(Install.objects.filter(epoch="b").update, epoch="c")
        for writing in (write("a", takes=0.3), write("b", takes=0.3), only_after_b):
            stage.process(writing)
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)

    assert played(play).notes == ["done", "done", "done", "c"]

    async def play_again(stage: Stage) -> None:
        stage.process(write("a", takes=0.5), lambda: stage.notes.append(Install.objects.get().epoch))
        await asyncio.sleep(1)

    assert played(play_again).notes == [EPOCH, "done", "done", "a"]


def test_nobody_waits_for_ever() -> None:
    """A transaction that idles is ended."""

    async def play(stage: Stage) -> None:
        stage.process(write("a", takes=LOCK_SECONDS + 1), write("b"))
        await asyncio.sleep(LOCK_SECONDS + 3)

    assert played(play).notes == ["lock timeout", "done", "a"]

    async def play_again(stage: Stage) -> None:
        frozen = stage.process(write("a", takes=0.1))
        await asyncio.sleep(0.05)
        frozen.freeze()
        await asyncio.sleep(IDLE_SECONDS + 0.5)
        stage.process(write("b"))
        await asyncio.sleep(1)
        frozen.thaw()
        await asyncio.sleep(1)

    assert played(play_again).notes == ["done", "server closed the connection unexpectedly", "b"]


def test_a_client_or_server_that_ends_takes_nobody_along() -> None:
    """A dead client's transaction leaves nothing."""

    async def play(stage: Stage) -> None:
        for _ in range(4):
            dead = stage.process(write("a", takes=9))
            await asyncio.sleep(0.1)
            dead.kill()
            await asyncio.sleep(IDLE_SECONDS + 0.1)
        stage.process(write("b"))
        await asyncio.sleep(1)

    assert played(play).notes == ["done", "b"]

    def again() -> None:
        with pytest.raises(OperationalError, match="refused"):
            Install.objects.get()
        current().wait(2)
        write("b")()

    async def play_again(stage: Stage) -> None:
        stage.process(write("a", takes=0.5))
        await asyncio.sleep(0.1)
        stage.server.stop()
        stage.process(again)
        await asyncio.sleep(1)
        stage.server.is_down = False
        await asyncio.sleep(3)

    assert played(play_again).notes == ["connection refused", "done", "b"]


@pytest.mark.parametrize(("point", "left"), [("before_commit", EPOCH), ("committed", "a")])
def test_a_connection_breaks_around_a_commit(point: str, left: str) -> None:
    """The client learns the same of both."""

    async def play(stage: Stage) -> None:
        process = stage.process(write("a"))
        process.traps[point] = stage.server.end_sessions
        await asyncio.sleep(1)

    assert played(play).notes == ["server closed the connection unexpectedly", left]


def test_without_locks_what_was_read_may_change() -> None:
    """The ablation's transactions begin to hold something with their first write."""

    def read_and_write(epoch: str) -> Callable[[], None]:
        def transact() -> None:
            with transaction.atomic():
                before = Install.objects.get().epoch
                current().wait(0.2)
                Install.objects.update(epoch=before[-1:] + epoch)

        return transact

    async def play(stage: Stage) -> None:
        stage.server.locks_reads = False
        stage.process(read_and_write("a"), read_and_write("b"))
        await asyncio.sleep(2)

    assert played(play).notes[-1] in {"1a", "1b"}
