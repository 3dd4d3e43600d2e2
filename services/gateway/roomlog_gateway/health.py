"""The second port: /livez, /readyz, /startupz and /metrics for the process's keeper.

Beside the message's way. Readiness does not follow Redis: a lost Redis would take every gateway out at once,
and clients could not even be told (`degraded`, `busy`).
"""

from aiohttp import web

from roomlog_runtime.health import Answer, Checks, respond
from roomlog_runtime.listening import listen
from roomlog_runtime.settings import Bind

from .gateway import Gateway
from .sockets.drain import Drain


class HealthSite:
    """Answers probes and scrapes on a port that no route reaches."""

    def __init__(self, bind: Bind, gateway: Gateway, drain: Drain) -> None:
        self._bind = bind
        self._checks = Checks(
            live=lambda: not gateway.tasks.is_broken,  # an answer from the loop is the proof that it turns
            ready=lambda: "draining" if drain.has_begun else _not_started(gateway) or gateway.disagreement,
            started=lambda: _not_started(gateway),
        )
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)

    async def start(self) -> None:
        """Open the port."""
        await self._runner.setup()
        await web.SockSite(self._runner, listen(self._bind)).start()

    async def stop(self) -> None:
        """Close the port."""
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        answer: Answer = respond(request.path, self._checks)
        return web.Response(
            status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type}
        )


def _not_started(gateway: Gateway) -> str | None:
    return None if gateway.was_connected else "Redis has not answered yet"
