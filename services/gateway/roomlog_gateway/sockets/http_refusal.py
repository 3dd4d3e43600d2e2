"""HTTP answers to upgrades that are refused. First step of a connection, where there is none."""

from aiohttp import web

from .. import metrics


def refuse(reason: str, status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    """Count a refusal under its reason, one of a closed set, and return its answer."""
    metrics.REFUSED_UPGRADES.labels(reason).inc()
    return web.Response(status=status, text=text, headers=headers)
