"""How each of Roomlog's processes is started: arguments, environment, and how it is seen to be ready.

Before the processes start. The one place that knows the command lines; the supervisor, the tests and the
benchmarks take them from here. It must not start anything.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

from roomlog_local.ports import LOOPBACK

PROBE_SECONDS = 2.0
"""A readiness answer on loopback takes milliseconds; a stopped process never gives one."""


def never_asked() -> bool:
    """Says that a process is ready as soon as it runs."""
    return True


@dataclass(frozen=True, slots=True)
class Command:
    """One process to be."""

    name: str
    """The word for it on the console and of its log file: gateway, worker-0."""
    arguments: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    """Is added to the starter's own environment."""
    is_ready: Callable[[], bool] = never_asked
    user: str | None = None
    """Another user to run as, which only root may; PostgreSQL refuses root."""


def worker(
    ordinal: int, environ: Mapping[str, str], health_port: int, settings: str = "roomlog_worker.settings"
) -> Command:
    """Return the command of the worker with this ordinal, in a project of these settings."""
    arguments = ("-m", "django", "message_process_worker", "--settings", settings)
    return Command(
        name=f"worker-{ordinal}",
        arguments=(sys.executable, *arguments, "--ordinal", str(ordinal)),
        environ={**environ, "ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{health_port}"},
        is_ready=probe(health_port),
    )


def chores(environ: Mapping[str, str], health_port: int, settings: str) -> Command:
    """Return the command of the chores of a project of these settings."""
    return Command(
        name="chores",
        arguments=(sys.executable, "-m", "django", "roomlog", "--settings", settings, "chores"),
        environ={**environ, "ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{health_port}"},
        is_ready=probe(health_port),
    )


def gateway(name: str, environ: Mapping[str, str], port: int, health_port: int) -> Command:
    """Return the command of a gateway."""
    binds = {
        "ROOMLOG_BIND": f"{LOOPBACK}:{port}",
        "ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{health_port}",
    }
    return Command(
        name=name,
        arguments=_gunicorn("roomlog_gateway.gunicorn_config", "roomlog_gateway.app:create_app"),
        environ={**environ, **binds},
        is_ready=probe(health_port),
    )


def api(environ: Mapping[str, str], port: int, health_port: int) -> Command:
    """Return the command of the api."""
    binds = {
        "ROOMLOG_BIND": f"{LOOPBACK}:{port}",
        "ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{health_port}",
    }
    return Command(
        name="api",
        arguments=_gunicorn("roomlog_api.gunicorn_config", "roomlog_api.wsgi:application"),
        environ={**environ, **binds},
        is_ready=probe(health_port),
    )


def probe(health_port: int, path: str = "/readyz") -> Callable[[], bool]:
    """Return a question to a health port: does this path answer 200 now?"""

    def is_ready() -> bool:
        connection = HTTPConnection(LOOPBACK, health_port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    return is_ready


def _gunicorn(config: str, application: str) -> tuple[str, ...]:
    # Without its control socket: all gunicorns of a user would share one path under HOME.
    return (
        sys.executable,
        "-m",
        "gunicorn",
        "--no-control-socket",
        "--config",
        f"python:{config}",
        application,
    )
