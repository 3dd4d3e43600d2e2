"""What a run on one machine consists of: addresses, settings and the commands, stage by stage.

Before the processes start. It only decides; it must not start anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from roomlog_local import command, valkey
from roomlog_local.command import Command
from roomlog_local.folder import Folder
from roomlog_local.ports import LOOPBACK, preferred_port
from roomlog_local.project import STANDALONE, Project

PAGE_PORT = 8000
WEBSOCKET_PORT = 8080
REDIS_PORT = 6390
"""Not 6379: a server of the system's own is often there."""
GATEWAY_HEALTH_PORT = 9080
API_HEALTH_PORT = 9082
WORKER_HEALTH_PORTS = (9081, 9083)
"""One for each worker; two workers, so that one can be killed and the other goes on."""
CHORES_HEALTH_PORT = 9084


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided before the first process starts."""

    environ: Mapping[str, str]
    """The settings that all processes share."""
    page: str
    websocket: str
    api: str
    stages: tuple[tuple[Command, ...], ...]
    """In the order of their start: who carries, who writes, who talks to people."""
    moved: tuple[str, ...]
    """A sentence for each address that people use and that is not where it usually is."""
    migrates_sqlite: bool
    """Says that the database is the folder's own file, whose migrations are remembered."""
    project: Project


def make_plan(folder: Folder, environ: Mapping[str, str], project: Project = STANDALONE) -> Plan:
    """Decides everything; a Redis or a database named in the environment is used instead of our own.

    Raises:
        ServerMissing: when we need a Valkey server of our own and there is none.
        PortsTaken: when a process has no free port.
    """
    page_port, websocket_port = preferred_port(PAGE_PORT), preferred_port(WEBSOCKET_PORT)
    shared = {
        "ROOMLOG_LOG_FORMAT": environ.get("ROOMLOG_LOG_FORMAT", "console"),
        "ROOMLOG_WEBSOCKET_URL": f"ws://{LOOPBACK}:{websocket_port}/ws",
        "ROOMLOG_ALLOWED_ORIGINS": f"http://{LOOPBACK}:{page_port},http://localhost:{page_port}",
        **project.environ,
    }
    if not _is_set("ROOMLOG_SECRET_KEY", environ):
        shared["ROOMLOG_SECRET_KEY_FILE"] = str(folder.secret_key)
    has_own_database = not _is_set("ROOMLOG_DATABASE_URL", environ)
    if has_own_database:
        shared["ROOMLOG_DATABASE_URL"] = f"sqlite:///{folder.database}"
    if project is STANDALONE and not _is_set("ROOMLOG_S3_BUCKET", environ):
        shared["ROOMLOG_ATTACHMENTS_FOLDER"] = str(folder.path.absolute() / "files")
    carriers: tuple[Command, ...] = ()
    if not _is_set("ROOMLOG_REDIS_URL", environ):
        redis_port = preferred_port(REDIS_PORT)
        shared["ROOMLOG_REDIS_URL"] = f"redis://{LOOPBACK}:{redis_port}/0"
        carriers = (valkey.valkey(redis_port, folder.path),)
    return Plan(
        environ=shared,
        page=f"http://{LOOPBACK}:{page_port}/",
        websocket=shared["ROOMLOG_WEBSOCKET_URL"],
        api=f"http://{LOOPBACK}:{page_port}{project.api}",
        stages=(carriers, _backs(shared, project), _fronts(shared, page_port, websocket_port, project)),
        moved=(
            *_moved("The chat page", PAGE_PORT, page_port),
            *_moved("The gateway", WEBSOCKET_PORT, websocket_port),
        ),
        migrates_sqlite=has_own_database and project is STANDALONE,
        project=project,
    )


def _backs(shared: Mapping[str, str], project: Project) -> tuple[Command, ...]:
    workers = tuple(
        command.worker(ordinal, shared, preferred_port(port), project.worker_settings)
        for ordinal, port in enumerate(WORKER_HEALTH_PORTS)
    )
    if not project.has_chores:
        return workers
    return (*workers, command.chores(shared, preferred_port(CHORES_HEALTH_PORT), project.settings))


def _fronts(
    shared: Mapping[str, str], page_port: int, websocket_port: int, project: Project
) -> tuple[Command, ...]:
    return (
        command.gateway("gateway", shared, websocket_port, preferred_port(GATEWAY_HEALTH_PORT)),
        project.web(shared, page_port, preferred_port(API_HEALTH_PORT)),
    )


def _moved(what: str, usual: int, port: int) -> tuple[str, ...]:
    if port == usual:
        return ()
    return (f"Port {usual} is taken by another program. {what} is on port {port} until it is free again.",)


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))
