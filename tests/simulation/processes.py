"""Processes with blocking threads in virtual time: a thread is a greenlet that runs while the loop waits.

Below all simulated code that blocks: the worker's threads and the api's requests. One thread runs at a time,
from one of its waits to the next, so one seed gives one history. A frozen process gets no turn. A killed one
meets an exception at each thread's next wait, and again at each wait of the clean-up.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from greenlet import getcurrent, greenlet

_running: list["Thread"] = []
"""The thread that has the baton, if one has: more than one never runs."""


class Killed(BaseException):
    """The process is gone: raised at a thread's next wait and at every later one."""


class Process:
    """Threads that live, freeze and die together."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self.loop = loop
        self.name = name
        self.is_alive = True
        self.threads: list[Thread] = []
        self._is_frozen = False
        self._due: dict[Thread, int] = {}
        """Threads whose wait ended while the process was frozen, and which wait that was."""
        self.at_end: list[Callable[[], None]] = []
        """Called when the process is gone, by whatever way."""
        self.traps: dict[str, Callable[[], None]] = {}
        """What happens, once, when one of its threads comes to a point."""

    def begin(self, main: Callable[[], object]) -> None:
        """Start the main thread; the process ends with it."""

        def run() -> None:
            try:
                main()
            finally:
                self.loop.call_soon(self.kill)

        Thread(run, process=self).start()

    def freeze(self) -> None:
        """Stop it as SIGSTOP does: between two waits, or within one that ends only after `thaw`."""
        self._is_frozen = True

    def thaw(self) -> None:
        """Let it go on as SIGCONT does."""
        self._is_frozen = False
        due, self._due = self._due, {}
        for thread, turn in due.items():
            self.loop.call_soon(thread.run_on, turn)

    def kill(self) -> None:
        """End it as SIGKILL does; again is harmless."""
        if not self.is_alive:
            return
        self.is_alive = False
        for thread in self.threads:
            self.loop.call_soon(thread.die)
        for end in self.at_end:
            end()

    def reached(self, point: str) -> None:
        """Let happen what waits for this point. For the thread that came to it."""
        if (trap := self.traps.pop(point, None)) is not None:
            trap()
            current().wait(0.0)

    def holds(self, thread: "Thread", turn: int) -> bool:
        """Tell whether a thread must not run on now; it does when the process goes on."""
        if self._is_frozen:
            self._due[thread] = turn
        return self._is_frozen


class Thread:
    """One thread of a process; has what the product uses of `threading.Thread`."""

    def __init__(
        self,
        target: Callable[[], object],
        name: str = "main",
        daemon: bool = True,
        process: Process | None = None,
    ) -> None:
        self.process: Process = process or current().process
        self.name = name
        self.store: dict[str, Any] = {}
        """What `threading.local` holds for a thread: its connections to the database."""
        self.at_end: list[Callable[[], None]] = []
        self._target = target
        self._greenlet = greenlet(self._run)
        self._turn = 0
        """Counts the waits: what was to end an earlier one must not end a later one."""
        self._timer: asyncio.Handle | None = None
        self._joining: list[Thread] = []
        self.has_ended = False
        self.process.threads.append(self)

    def start(self) -> None:
        """Let it run as soon as the loop can."""
        self.process.loop.call_soon(self.run_on, self._turn)

    def join(self, timeout: float) -> None:
        """Wait until it has ended, at most so many seconds."""
        if not self.has_ended:
            waiting = current()
            self._joining.append(waiting)
            waiting.wait(timeout)

    def wait(self, seconds: float) -> None:
        """Let everything else go on until `wake`, or for so many seconds. For the thread itself.

        Raises:
            Killed: the process is gone.
        """
        self.check()
        self._turn += 1
        self._timer = self.process.loop.call_later(max(0.0, seconds), self.run_on, self._turn)
        self._greenlet.parent.switch()
        self.check()

    def wake(self) -> None:
        """End the wait; harmless where there is none."""
        if self._timer is not None and not self.has_ended:
            self._timer.cancel()
            self._timer = self.process.loop.call_soon(self.run_on, self._turn)

    def run_on(self, turn: int) -> None:
        """Give it the baton until its next wait, unless it had it since. For the loop."""
        is_due = self.process.is_alive and not self.has_ended and turn == self._turn
        if is_due and not self.process.holds(self, turn):
            self._turn += 1
            self._timer = None
            with self._baton():
                self._greenlet.switch()

    def die(self) -> None:
        """Raise `Killed` in it. For the loop."""
        if self._timer is not None:
            self._timer.cancel()
        if self._greenlet:  # it has begun and not ended
            with self._baton():
                self._greenlet.throw(Killed)
        self.has_ended = True

    def check(self) -> None:
        """Raise `Killed` where the process is gone."""
        if not self.process.is_alive:
            raise Killed

    @contextmanager
    def _baton(self) -> Iterator[None]:
        """Be the one that runs; Django takes a thread with a running loop for one that must not block."""
        assert not _running, "two threads would run at once"
        self._greenlet.parent = getcurrent()
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        _running.append(self)
        try:
            yield
        finally:
            _running.pop()
            asyncio._set_running_loop(loop)

    def _run(self) -> None:
        try:
            self._target()
        except Killed:
            pass
        except BaseException as error:  # a real thread's end would be told by `threading.excepthook`
            self.process.loop.call_exception_handler(
                {"message": f"{self.process.name} {self.name}", "exception": error}
            )
        finally:
            for end in self.at_end:
                end()
            self.has_ended = True
            for waiting in self._joining:
                waiting.wake()


def current() -> Thread:
    """Return the thread that runs."""
    return _running[-1]
