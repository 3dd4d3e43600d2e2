"""The echo gateway as a process of its own under the gateway's server, for one run of the suite.

Around the message's way; ended by its id.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from roomlog_local.ports import LOOPBACK, free_port
from tests.abuse.rfc6455.echo import MESSAGE_BYTES_VARIABLE
from tests.harness.stack import UNHURRIED
from tests.harness.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
APPLICATION = "tests.abuse.rfc6455.echo:create_app"
READY_SECONDS = 30.0
STOP_SECONDS = 30.0
CONNECT_SECONDS = 1.0
LOG_CHARACTERS = 2000


@contextmanager
def echo_gateway(log: Path, message_bytes: int | None = None) -> Iterator[str]:
    """Give the address of a running echo gateway; `message_bytes` lets it take larger messages."""
    port = free_port()
    environ = {**os.environ, **UNHURRIED, "ROOMLOG_BIND": f"{LOOPBACK}:{port}"}
    if message_bytes is not None:
        environ[MESSAGE_BYTES_VARIABLE] = str(message_bytes)
    words = [sys.executable, "-m", "gunicorn", "--config", "python:roomlog_gateway.gunicorn_config"]
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*words, APPLICATION], cwd=ROOT, env=environ, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        wait_until(
            lambda: process.poll() is not None or _accepts(port), READY_SECONDS, "the echo gateway listens"
        )
        assert process.poll() is None, log.read_text(errors="replace")[-LOG_CHARACTERS:]
        yield f"ws://{LOOPBACK}:{port}/ws"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), CONNECT_SECONDS):
        return True
    return False
