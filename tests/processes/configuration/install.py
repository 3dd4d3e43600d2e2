"""The services of one install, each with settings of its own, and the shortest proof that they work."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from roomlog_client import RoomlogClient
from roomlog_local import command
from roomlog_local.child import Child, stop_all
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.manage import manage

SECONDS: Final = 90.0
STOP_SECONDS: Final = 20.0
TOKEN: Final = (
    "from rest_framework.authtoken.models import Token; print(Token.objects.get(user__username='alice').key)"
)


@contextmanager
def running_services(
    environ_of: Callable[[str], Mapping[str, str]], folder: Path
) -> Iterator[tuple[str, list[Child]]]:
    """Run worker, gateway and api; yield the gateway's address and the processes, which log into `folder`."""
    ports = [free_port() for _ in range(5)]
    commands = (
        command.worker(0, environ_of("worker"), ports[0]),
        command.gateway("gateway", environ_of("gateway"), ports[1], ports[2]),
        command.api(environ_of("api"), ports[3], ports[4]),
    )
    children = [Child(each, folder / f"{each.name}.log") for each in commands]
    try:
        for child in children:
            child.start()
        for child in children:
            child.wait_ready(SECONDS)
        yield f"ws://{LOOPBACK}:{ports[1]}/ws", children
    finally:
        stop_all(children, STOP_SECONDS)


async def say_hello(url: str, environ: Mapping[str, str]) -> None:
    """Make the sample users and rooms; one of the users says something in each of theirs."""
    manage(environ, "make_demo", seconds=SECONDS)
    token = manage(environ, "shell", "-c", TOKEN, seconds=SECONDS).split()[-1]
    async with RoomlogClient(url, token) as client:
        await client.ready(SECONDS)
        for room in client.rooms():
            assert (await client.send(room.id, "hello", timeout_seconds=SECONDS)).seq
        assert client.rooms()
