"""Ways to single ports through the API server and the kubelet, which no NetworkPolicy refuses.

Around the message's way: for what only the owner of a cluster reads. People come through Services and routes.
"""

import asyncio
from collections import defaultdict
from typing import Final, Self

import aiohttp

from tests.e2e import settings

OPEN_SECONDS: Final = 20.0

Target = tuple[str, int]
"""What `kubectl port-forward` takes, such as `pod/roomlog-worker-0`, and its port."""


class Forwards:
    """The open ways into one namespace, each made when it is first asked for."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._open: dict[Target, tuple[asyncio.subprocess.Process, str]] = {}
        self._started: list[asyncio.subprocess.Process] = []
        self._locks: defaultdict[Target, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open nothing yet."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=OPEN_SECONDS))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every way."""
        if self._http is not None:
            await self._http.close()
        for process in self._started:
            _end(process)
        await asyncio.gather(*(process.wait() for process in self._started))

    async def address(self, name: str, port: int) -> str:
        """Return `127.0.0.1:PORT`, behind which that port of a pod or Service is.

        Raises:
            aiohttp.ClientConnectionError: There is no such pod, or it does not run.
        """
        target = (name, port)
        async with self._locks[target]:
            if target not in self._open:
                self._open[target] = await self._start(*target)
            return self._open[target][1]

    async def read(self, name: str, port: int, path: str) -> str:
        """Return what the port answers to a GET; a way to a pod that has gone is opened anew.

        Raises:
            aiohttp.ClientError: Nobody answered, or with an error.
        """
        try:
            return await self._read(name, port, path)
        except aiohttp.ClientError:
            return await self._read(name, port, path)

    async def _read(self, name: str, port: int, path: str) -> str:
        assert self._http is not None
        address = await self.address(name, port)
        try:
            async with self._http.get(f"http://{address}{path}") as answer:
                answer.raise_for_status()
                return await answer.text()
        except (aiohttp.ClientError, asyncio.CancelledError):  # cancelled: its node may have stopped
            self._close((name, port))
            raise

    async def _start(self, name: str, port: int) -> tuple[asyncio.subprocess.Process, str]:
        place = ("--context", settings.CONTEXT, "--namespace", self._namespace)
        words = ("kubectl", *place, "port-forward", name, f":{port}")
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=nowhere)
        self._started.append(process)
        assert process.stdout is not None
        said = b""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                said = await process.stdout.readline()  # Forwarding from 127.0.0.1:41234 -> 8000
        finally:
            if not said:
                _end(process)
        if not said:
            raise aiohttp.ClientConnectionError(f"no way to port {port} of {name} in {self._namespace}")
        return process, said.decode().split()[2]

    def _close(self, target: Target) -> None:
        if target in self._open:
            _end(self._open.pop(target)[0])


def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
