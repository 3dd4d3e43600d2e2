"""The Valkey server of one machine: found, started bare, asked."""

import os
import socket
from pathlib import Path

import pytest

from roomlog_local import valkey
from roomlog_local.child import Child
from roomlog_local.errors import ServerMissing
from roomlog_local.ports import LOOPBACK, free_port

DEADLINE_SECONDS = 10.0


def program(path: Path) -> str:
    """A file that could be run."""
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_named_server_wins(tmp_path: Path) -> None:
    """One that is none is an error; the wheel has a server."""
    mine = program(tmp_path / "my-valkey")
    assert valkey.find_server({valkey.SERVER_VARIABLE: mine, "PATH": os.defpath}) == mine
    with pytest.raises(ServerMissing, match="not a program"):
        valkey.find_server({valkey.SERVER_VARIABLE: str(tmp_path / "typo")})
    server = valkey.wheel_server()
    assert server is not None
    assert os.access(server, os.X_OK)


@pytest.mark.parametrize("name", valkey.NAMES_ON_PATH)
def test_without_the_wheel_a_server_on_path_is_taken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valkey or Redis, whatever the machine has."""
    monkeypatch.setattr(valkey, "WHEEL", "no_such_wheel")
    server = program(tmp_path / name)
    assert valkey.find_server({"PATH": str(tmp_path)}) == server


def test_without_any_server_the_way_to_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what to install and the variable."""
    monkeypatch.setattr(valkey, "WHEEL", "no_such_wheel")
    with pytest.raises(ServerMissing, match=r"install.*ROOMLOG_VALKEY_SERVER"):
        valkey.find_server({"PATH": str(tmp_path)})


def test_a_started_server_refuses_instead_of_forgetting(tmp_path: Path) -> None:
    """It listens on loopback, writes nothing to disk, and when full says no instead of dropping entries."""
    port = free_port()
    assert not valkey.answers_ping(port)
    child = Child(valkey.valkey(port, tmp_path), tmp_path / "valkey.log")
    child.start()
    try:
        child.wait_ready(DEADLINE_SECONDS)
        with socket.create_connection((LOOPBACK, port), timeout=DEADLINE_SECONDS) as link:
            link.sendall(b"CONFIG GET maxmemory-policy bind save appendonly\r\n")
            settings = link.recv(4096)
    finally:
        child.kill()
    words = settings.decode().split("\r\n")
    pairs = {words[place]: words[place + 2] for place in range(2, len(words) - 2, 4)}
    assert pairs == {
        "maxmemory-policy": "noeviction",
        "bind": LOOPBACK,
        "save": "",
        "appendonly": "no",
    }
