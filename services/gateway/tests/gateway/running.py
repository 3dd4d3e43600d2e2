"""What runs while a test of the gateway does: gateways of this process, and a Valkey that may die."""

import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from aiohttp import web

from roomlog_gateway.app import DRAIN, GATEWAY
from roomlog_gateway.config import Config
from roomlog_gateway.gateway import Gateway
from roomlog_gateway.rooms.members import Members
from roomlog_gateway.rooms.room import Room
from roomlog_gateway.sockets.drain import Drain
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import valkey
from tests.gateway.client import Client
from tests.harness.waiting import wait_until


class Running:
    """A gateway in this process, with its socket and its insides."""

    def __init__(self, runner: web.AppRunner, config: Config) -> None:
        self.runner = runner
        self.config = config
        self.has_drained = False

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.config.bind.port}/ws"

    @property
    def address(self) -> tuple[str, int]:
        return LOOPBACK, self.config.bind.port

    @property
    def health(self) -> str:
        return f"http://{LOOPBACK}:{self.config.health_bind.port}"

    @property
    def gateway(self) -> Gateway:
        return self.runner.app[GATEWAY]

    @property
    def members(self) -> Members:
        return self.gateway._authentication._members

    @property
    def rooms(self) -> dict[UUID, Room]:
        return self.members._registry._rooms

    @property
    def drain(self) -> Drain:
        return self.runner.app[DRAIN]


MakeGateway = Callable[..., Awaitable[Running]]
Connect = Callable[..., Awaitable[Client]]


class Server:
    """A Valkey that a test may kill and start again on its port."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._command = valkey(self.port, directory)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._command.arguments, stdout=subprocess.DEVNULL)
        wait_until(self._command.is_ready, 10.0, "Valkey answers")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
