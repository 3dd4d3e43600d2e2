"""The wish to stop is heard at once, everywhere and for good."""

import os
import signal
import time
from collections.abc import Iterator
from threading import Thread, Timer

import pytest

from roomlog_runtime.shutdown import STOP_SIGNALS, Shutdown

LONG_SECONDS = 10.0
HEAD_START_SECONDS = 0.1
"""Lets the sleepers fall asleep first; where it is too short the test is easier, never wrong."""


@pytest.fixture
def shutdown() -> Iterator[Shutdown]:
    """A Shutdown whose signal handlers are gone after the test."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    stop = Shutdown()
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)
    stop.close()


def test_nothing_is_requested_at_first(shutdown: Shutdown) -> None:
    """A wait that nobody ends takes its time and says no."""
    assert not shutdown.wait(0.0)
    assert not shutdown.requested


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_ends_a_wait(shutdown: Shutdown, number: signal.Signals) -> None:
    """SIGTERM and SIGINT wake the sleeper long before its time."""
    shutdown.install()
    sender = Timer(HEAD_START_SECONDS, os.kill, (os.getpid(), number))
    started = time.monotonic()
    sender.start()
    assert shutdown.wait(LONG_SECONDS)
    sender.join()
    assert shutdown.requested
    assert time.monotonic() - started < LONG_SECONDS / 2


def test_every_waiter_of_every_thread_wakes(shutdown: Shutdown) -> None:
    """One request is heard by all, also by those that come later, and a second one changes nothing."""
    heard: list[bool] = []
    waiters = [Thread(target=lambda: heard.append(shutdown.wait(LONG_SECONDS))) for _ in range(3)]
    for waiter in waiters:
        waiter.start()
    started = time.monotonic()
    sender = Timer(HEAD_START_SECONDS, shutdown.request)
    sender.start()
    for waiter in waiters:
        waiter.join(LONG_SECONDS)
    sender.join()
    shutdown.request()
    assert heard == [True, True, True]
    assert time.monotonic() - started < LONG_SECONDS / 2
    assert shutdown.wait(LONG_SECONDS)
