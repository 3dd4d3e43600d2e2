"""Which Django project a run serves: the stand-alone one, or somebody's own in a folder.

Before the processes start. It knows settings and command lines of both; it must not start anything.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from roomlog_local import command
from roomlog_local.command import Command
from roomlog_local.folder import Folder
from roomlog_local.ports import LOOPBACK

Web = Callable[[Mapping[str, str], int, int], Command]


@dataclass(frozen=True, slots=True)
class Project:
    """A Django project with Roomlog in it."""

    settings: str
    """Those of management commands, which own the migrations."""
    worker_settings: str
    sample: str
    """The management command that makes users and rooms to look at, and prints them as JSON."""
    web: Web
    """Serves the pages: from the shared settings, its port and its port for probes."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """What its own settings read."""
    api: str = "/api/v1/"
    """Where the web server has the REST interface."""
    has_chores: bool = False
    """It has a receiver of `message_missed`, or files that are deleted with their messages."""

    def management(self, *words: str) -> tuple[str, ...]:
        """Return the command line of a management command."""
        return (sys.executable, "-m", "django", *words, "--settings", self.settings)


STANDALONE = Project(
    "roomlog_api.settings", "roomlog_worker.settings", "make_demo", command.api, has_chores=True
)


def example(place: Path, folder: Folder) -> Project:
    """Return the shop of examples/host, with its database in the run's folder."""
    settings = "shop.settings"
    environ = {
        "PYTHONPATH": str(place.absolute()),
        "DATABASE_URL": f"sqlite:///{folder.database}",
        "ROOMLOG_REDIS_PREFIX": "shop",
    }
    return Project(settings, settings, "make_shop", _shop, environ, "/chat/api/v1/", has_chores=True)


def _shop(environ: Mapping[str, str], port: int, health_port: int) -> Command:
    """Return the shop's web server; it is ready when its login page is."""
    words = ("-m", "gunicorn", "--no-control-socket", "--threads", "8")
    return Command(
        name="shop",
        arguments=(sys.executable, *words, "--bind", f"{LOOPBACK}:{port}", "shop.wsgi:application"),
        environ=environ,
        is_ready=command.probe(port, "/login/"),
    )
