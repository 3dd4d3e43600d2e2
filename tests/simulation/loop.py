"""An asyncio event loop whose clock is a number: nobody ever waits, and one seed gives one history.

Below everything that is simulated. Callbacks run in the order in which they became ready, as asyncio
promises; all chance is in the times that the model network draws from the seed. It opens no socket and
starts no thread.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar
from unittest.mock import patch

Result = TypeVar("Result")

BEGIN_SECONDS: Final = 1_000.0
"""The clock of a new loop: not 0, because a product that takes 0 for "never" must not be helped."""
LONGEST_SECONDS: Final = 3_600.0
"""Virtual time after which a simulation is taken for endless."""


class Endless(Exception):
    """Nothing can happen any more, or an hour has passed, and the simulation is not over."""


class _Clock:
    """Stands where a loop looks for sockets: nothing ever comes, but the wait for it is time that passes."""

    def __init__(self) -> None:
        self.now = BEGIN_SECONDS

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Endless("every task waits for another")
        self.now += max(0.0, timeout)
        if self.now > BEGIN_SECONDS + LONGEST_SECONDS:
            raise Endless(f"not over after {LONGEST_SECONDS:g} s")
        return []


class SimulatedLoop(asyncio.BaseEventLoop):
    """Jumps from timer to timer."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self._sight = _Clock()
        self._clock_resolution = 1e-9
        self.complaints: list[str] = []
        """What asyncio would have logged: exceptions that nobody took."""
        self.set_exception_handler(self._complain)

    def time(self) -> float:
        """Return the virtual seconds."""
        return self._sight.now

    def run_in_executor(self, *_: Any) -> NoReturn:  # type: ignore[override]
        """Raise: threads have no order."""
        raise NotImplementedError("a simulation has no threads")

    def _process_events(self, event_list: list[Any]) -> None:
        """Nothing ever comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody is outside who could call."""

    def _complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.complaints.append(f"{context.get('message')}: {error!r}")


def run(main: Callable[[SimulatedLoop], Coroutine[Any, Any, Result]], seed: int) -> Result:
    """Return what `main` returns; `random` and the clocks of `time` follow seed and loop meanwhile."""
    loop = SimulatedLoop()
    state = random.getstate()
    random.seed(seed)
    try:
        with clocks_of(loop):
            asyncio.set_event_loop(loop)
            result = loop.run_until_complete(main(loop))
            _cancel_all(loop)
            return result
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        random.setstate(state)


@contextmanager
def clocks_of(loop: SimulatedLoop) -> Iterator[None]:
    """Make `time.time` and `time.monotonic` tell the loop's time."""
    with patch.object(time, "time", loop.time), patch.object(time, "monotonic", loop.time):
        yield


def _cancel_all(loop: SimulatedLoop) -> None:
    """End what is still running, in the order in which it was started: sets of tasks have none."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
