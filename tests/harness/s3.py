"""A real S3 server on loopback: versitygw over a folder, whose files are the bucket's objects.

Behind the product's storage. No machine has it by itself, and to build it takes longer than its tests: they
skip without it, unless SIZE=full asks for all.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command, probe
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.tools import HOW_TO_GET_IT, need
from tests.harness.waiting import wait_stopped

PROGRAM: Final = "versitygw"
BUCKET: Final = "chat"
KEYS: Final = {"AWS_ACCESS_KEY_ID": "roomlog", "AWS_SECRET_ACCESS_KEY": "only-for-tests"}
SECONDS: Final = 20.0


@dataclass(frozen=True)
class S3Server:
    """The server, running."""

    child: Child
    endpoint: str
    folder: Path
    """Of the bucket."""

    @property
    def environ(self) -> dict[str, str]:
        """What the stand-alone settings are told of it."""
        region = {"AWS_DEFAULT_REGION": "us-east-1"}
        return {"ROOMLOG_S3_BUCKET": BUCKET, "ROOMLOG_S3_ENDPOINT": self.endpoint, **KEYS, **region}

    def objects(self) -> set[str]:
        """Return the names of all objects."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)) for path in paths}

    def pause(self) -> None:
        """Let it take connections and answer nothing."""
        self.child.send_group(signal.SIGSTOP)
        wait_stopped(self.child.pid)

    def resume(self) -> None:
        """Let it answer again."""
        self.child.send_group(signal.SIGCONT)


@contextmanager
def s3_server(directory: Path) -> Iterator[S3Server]:
    """Start a server with one bucket; skip where it is not installed."""
    program = _found()
    root, beside = directory / "buckets", directory / "metadata"
    (root / BUCKET).mkdir(parents=True)
    beside.mkdir()
    port = free_port()
    address = f"{LOOPBACK}:{port}"
    # Its metadata in files: not every file system of a test has extended attributes.
    sidecar = ("--sidecar", str(beside))
    command = Command(
        name="s3",
        arguments=(program, "--port", address, "--health", "/healthz", "posix", *sidecar, str(root)),
        environ={f"ROOT_{name.removeprefix('AWS_')}": value for name, value in KEYS.items()},
        is_ready=probe(port, "/healthz"),
    )
    server = S3Server(Child(command, directory / "s3.log"), f"http://{address}", root / BUCKET)
    server.child.start()
    try:
        server.child.wait_ready(SECONDS)
        yield server
    finally:
        server.resume()
        assert stop_all([server.child], SECONDS) == []


def _found() -> str:
    """Return the program's path; Go puts it where no PATH leads by itself."""
    places = (os.environ.get("PATH", ""), os.environ.get("GOBIN", ""), str(Path.home() / "go" / "bin"))
    found = shutil.which(PROGRAM, path=os.pathsep.join(places))
    if found is None:
        if os.environ.get("SIZE") == "full":
            need(PROGRAM)
        pytest.skip(f"no {PROGRAM} here: {HOW_TO_GET_IT[PROGRAM]}")
    return found
