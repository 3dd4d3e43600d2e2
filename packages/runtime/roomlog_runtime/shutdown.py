"""The wish to stop, as an object that is passed to whoever must hear it.

Around the message's way: a synchronous service asks it between two batches and sleeps on it instead of on
the clock, so SIGTERM ends a pause at once. It must not end the process itself.
"""

import os
import select
import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """Tells once and for all that the process was asked to stop.

    A pipe and not a threading.Event: an Event's lock is not re-entrant, and a signal handler that runs while
    the main thread stands inside `wait` would lock the process up. Safe from every thread.
    """

    def __init__(self) -> None:
        self._requested = False
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)

    @property
    def requested(self) -> bool:
        """Return True from the first signal or call of `request` on."""
        return self._requested

    def install(self) -> None:
        """Make SIGTERM and SIGINT request the stop; only the main thread may call it."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def request(self) -> None:
        """Ask to stop, as a signal does; again is harmless."""
        if not self._requested:
            self._requested = True
            os.write(self._write_end, b"x")

    def wait(self, seconds: float) -> bool:
        """Sleep until the stop is requested, at most these seconds, and return whether it is."""
        if self._requested:
            return True
        # The byte stays in the pipe, so every waiter of every thread wakes. poll, because select fails on
        # file descriptors over 1,023, which a process with many sockets has.
        poll = select.poll()
        poll.register(self._read_end, select.POLLIN)
        poll.poll(max(0.0, seconds) * 1000)
        return self._requested

    def close(self) -> None:
        """Give the pipe back; call it only once the handlers are replaced or the process ends."""
        os.close(self._read_end)
        os.close(self._write_end)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.request()
