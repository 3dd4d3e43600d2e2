"""One process that makes users and rooms in any stack's database: Django starts once, not twice a stack.

Before the message's way. A program of its own, because pytest itself never sees Django; its two halves are
here. It ends with its standard input, so whoever started it can't leave it behind.
"""

import atexit
import json
import os
import select
import subprocess
import sys
import threading
from typing import IO, Any

ANSWER_SECONDS = 60.0
"""The first answer has Django's start in it, on a loaded machine."""
STOP_SECONDS = 10.0


class Populator:
    """The asking half; threads may share it."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def make(self, url: str, secret_key: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Makes what is wanted, as population.py says it, in the database at `url`."""
        with self._turn:
            if self._process is None or self._process.poll() is not None:
                self._process = _start({"ROOMLOG_DATABASE_URL": url, "ROOMLOG_SECRET_KEY": secret_key})
                atexit.register(_end, self._process)
            asked, answered = _pipes(self._process)
            asked.write(json.dumps({"url": url, "wanted": wanted}).encode() + b"\n")
            asked.flush()
            is_answered, _, _ = select.select([answered], [], [], ANSWER_SECONDS)
            assert is_answered, f"nothing was made in {ANSWER_SECONDS:g} s"
            line = answered.readline()
        assert line, "nothing was made; standard error says why"
        made: dict[str, Any] = json.loads(line)
        return made


def main() -> None:
    """Makes what each line of standard input asks for, in the database that it names; prints the answer."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_worker.settings")
    import django

    django.setup()
    from django.db import DEFAULT_DB_ALIAS, connections

    from roomlog.databases import database
    from tests.harness.population import populate

    for line in sys.stdin:
        asked = json.loads(line)
        # No writer: to make thousands may take longer than its time-outs.
        entry = connections.configure_settings({DEFAULT_DB_ALIAS: database(asked["url"])})
        connections.settings[DEFAULT_DB_ALIAS] = entry[DEFAULT_DB_ALIAS]
        made = populate(asked["wanted"])
        connections[DEFAULT_DB_ALIAS].close()  # else the database could be neither copied nor dropped
        del connections[DEFAULT_DB_ALIAS]
        print(json.dumps(made), flush=True)


def _start(environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.harness.populator"],
        env={**os.environ, **environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _end(process: "subprocess.Popen[bytes]") -> None:
    with process:
        _pipes(process)[0].close()
        process.wait(STOP_SECONDS)


if __name__ == "__main__":
    main()
