"""An ingress controller for tests: does what the namespace's Ingresses say, as if it ended TLS for its host.

Between the people and the Services, where a cluster has a controller of its own and kind has none. It knows
paths, Services and the usual headers, and nothing of Roomlog.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Final, Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from tests.e2e.cluster import Cluster

SECONDS: Final = 20.0
NOT_PASSED: Final = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "content-encoding")
)
"""Headers of one connection alone (RFC 9110, section 7.6.1), and those that a new body changes."""


class Edge:
    """A listener on localhost that stands for https://<host>."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._group = AsyncExitStack()
        self._rules: list[tuple[str, str, str]] = []
        self.host = ""
        self.address = ""

    async def __aenter__(self) -> Self:
        """Read the host's Ingresses, open a way to each Service that they name, and listen."""
        ingresses = await self._cluster.get("networking.k8s.io/v1/ingresses")
        rules = [rule for ingress in ingresses for rule in ingress["spec"]["rules"]]
        (self.host,) = {rule["host"] for rule in rules}
        for path in (path for rule in rules for path in rule["http"]["paths"]):
            service = path["backend"]["service"]
            backend = await self.forward(service["name"], service["port"]["name"])
            self._rules.append((path["pathType"], path["path"], backend))
        self._rules.sort(key=lambda known: len(known[1]), reverse=True)
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        self._http = await self._group.enter_async_context(session)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._group.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        await self._group.aclose()

    async def forward(self, service: str, port: str) -> str:
        """Return the address of a port-forward to the Service's port of that name."""
        (found,) = [s for s in await self._cluster.get("services") if s["metadata"]["name"] == service]
        (number,) = [p["port"] for p in found["spec"]["ports"] if p["name"] == port]
        return f"http://{await self._cluster.forwards.address(f'service/{service}', number)}"

    def backend(self, path: str) -> str | None:
        """Return where the Ingress sends a path: to the longest path that it begins with, part by part."""
        for kind, known, backend in self._rules:
            is_below = path == known or path.startswith(known.rstrip("/") + "/")
            if path == known if kind == "Exact" else is_below:
                return backend
        return None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        backend = self.backend(request.path)
        if backend is None or request.headers.get("Host") != self.host:
            return web.Response(status=404, text="no route")
        headers = CIMultiDict((k, v) for k, v in request.headers.items() if k.lower() not in NOT_PASSED)
        headers.update({"X-Forwarded-Proto": "https", "X-Forwarded-For": request.remote or ""})
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._join(request, backend, headers)
        body = await request.read()
        url = f"{backend}{request.rel_url}"
        async with self._http.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in NOT_PASSED]
            return web.Response(status=answer.status, headers=CIMultiDict(kept), body=await answer.read())

    async def _join(
        self, request: web.Request, backend: str, headers: CIMultiDict[str]
    ) -> web.StreamResponse:
        """Carry frames both ways until one side ends."""
        for name in [name for name in headers if name.lower().startswith("sec-websocket")]:
            headers.popall(name, None)
        try:
            async with self._http.ws_connect(f"{backend}{request.rel_url}", headers=headers) as inner:
                outer = web.WebSocketResponse()
                await outer.prepare(request)
                ways = [asyncio.create_task(_carry(outer, inner)), asyncio.create_task(_carry(inner, outer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                return outer
        except aiohttp.WSServerHandshakeError as refusal:
            return web.Response(status=refusal.status)


Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _carry(source: Socket, target: Socket) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
