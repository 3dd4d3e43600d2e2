"""The composition root: settings in, a running gateway out. gunicorn calls `create_app` in its worker.

Before and after the message's way. Nothing else reads the environment, installs signal handlers or ends the
process.
"""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from typing import Final

import structlog
from aiohttp import web

from roomlog_contract.trail import Note, Step, all_of, pack
from roomlog_runtime.logs import configure_logs
from roomlog_runtime.tracing import Tracing
from roomlog_runtime.trail import Trail

from .config import SERVICE, Config, read_config
from .gateway import Gateway
from .health import HealthSite
from .http_server import Runner
from .rooms.router import Begin, untraced
from .sockets.drain import Drain
from .sockets.upgrade import UpgradeHandler

log = structlog.get_logger()

PATH: Final = "/ws"
HTTP_IDLE_SECONDS: Final = 10.0
"""For a request's head to arrive: whoever connects must ask for the upgrade."""
SHUTDOWN_SECONDS: Final = 2.0
"""For plain HTTP requests at the end; sockets have been drained by then."""
COLLECTIONS: Final = (5_000, 4, 40)
"""How rarely Python looks for cycles: a full look stops the loop, for half a second with 10,000 connections.

Closed connections leave it nothing to find; what else may be in cycles can wait for 800,000 new objects.
"""
GATEWAY: Final = web.AppKey("gateway", Gateway)
DRAIN: Final = web.AppKey("drain", Drain)


async def create_app() -> web.AppRunner:
    """Return the runner that gunicorn's aiohttp worker starts; the environment must hold the settings."""
    configure_logs(SERVICE)
    return build_runner(read_config(), on_end=_stop_worker)


def build_runner(config: Config, on_end: Callable[[], None]) -> web.AppRunner:
    """Return a runner that serves /ws and, from its start to its end, the health port.

    `on_end` is called when the process must end: the gateway has drained, or is broken.
    """
    clock = asyncio.get_running_loop().time
    trail = Trail(config.redis_url, config.keyspace.trail_key, pack, config.trail_mib)
    note, begin, end_spans = _followers(config, trail)
    gateway = Gateway(config, clock, on_end, note, begin)
    drain = Drain(gateway.connections, config, clock, gateway.tasks.spawn, on_end)
    app = web.Application()
    app[GATEWAY], app[DRAIN] = gateway, drain
    upgrades = UpgradeHandler(gateway.connections, config, clock, lambda: drain.is_closing)
    # A proxy may have put all this below a prefix of its own.
    app.router.add_route("*", f"/{{prefix:.+}}{PATH}", upgrades.answer)
    app.cleanup_ctx.append(_life(config, gateway, drain, trail, end_spans))
    app.on_shutdown.append(_close_rest(drain))
    return Runner(
        app,
        PATH,
        upgrades.answer,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=HTTP_IDLE_SECONDS,
        tcp_keepalive=False,  # pings find out sooner
        shutdown_timeout=SHUTDOWN_SECONDS,
        max_line_size=config.max_header_bytes,
        max_field_size=config.max_header_bytes,
    )


def _followers(config: Config, trail: Trail[Step]) -> tuple[Note, Begin, Callable[[], None]]:
    """Return what takes steps of commands and what begins a write's span, and what ends the spans."""
    notes: list[Note] = [trail.note] if config.trail_mib else []
    if not config.span_exporters:
        return all_of(notes), untraced, lambda: None
    from .rooms.spans import Spans  # imports OpenTelemetry

    tracing = Tracing(config.span_exporters, f"roomlog-{SERVICE}")
    spans = Spans(tracing.tracer)
    return all_of([*notes, spans.note]), spans.begin, tracing.close


def _life(
    config: Config, gateway: Gateway, drain: Drain, trail: Trail[Step], end_spans: Callable[[], None]
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def life(app: web.Application) -> AsyncIterator[None]:
        health = HealthSite(config.health_bind, gateway, drain)
        gateway.start()
        trail.start(f"gateway {gateway.id} on {socket.gethostname()}")
        await health.start()
        # SIGTERM must not reach gunicorn's worker before the drain is over: it would stop accepting.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, drain.start)
        gc.freeze()
        gc.set_threshold(*COLLECTIONS)
        log.info("gateway_started", gateway=gateway.id)
        yield
        await health.stop()
        await gateway.stop()
        trail.close()
        end_spans()
        log.info("gateway_stopped", gateway=gateway.id)

    return life


def _close_rest(drain: Drain) -> Callable[[web.Application], "asyncio.Future[None]"]:
    async def close_rest(app: web.Application) -> None:
        drain.close_rest()

    return close_rest  # type: ignore[return-value]


def _stop_worker() -> None:
    """Ask gunicorn's worker to stop, as its master would: the drain is over, or the gateway is broken."""
    os.kill(os.getpid(), signal.SIGQUIT)
