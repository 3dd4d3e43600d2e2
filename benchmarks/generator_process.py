"""The generator as the runner sees it: a process that is given a plan and answers line by line.

Between the runner and the load. It ends the process by its id, after the load or when it takes too long.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.generator import Plan

ROOT = Path(__file__).parent.parent
LONGEST_SECONDS = 300.0
"""No plan may take longer, drains included."""


class GeneratorFailed(Exception):
    """The generator ended before it was done; its traceback is on the console."""


class GeneratorProcess:
    """A generator whose connections are open once the context is entered."""

    def __init__(self, plan: Plan) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.generator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._deadline = threading.Timer(LONGEST_SECONDS, self._process.kill)
        self._deadline.start()
        self._write(json.dumps(plan))

    def __enter__(self) -> GeneratorProcess:
        line = self._read()
        if line["state"] != "connected":
            raise GeneratorFailed(f"expected connected, got {line}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadline.cancel()
        self._process.kill()
        self._process.communicate()

    def run(self) -> Iterator[dict[str, Any]]:
        """Let the connected generator start its load, and yield its lines up to `done`."""
        self._write("go")
        while True:
            line = self._read()
            yield line
            if line["state"] == "done":
                return

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise GeneratorFailed(f"the generator ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer
