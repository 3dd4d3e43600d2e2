"""What a process loads when it starts, seen from outside: the borders of import-linter, proven by running."""

import re
import subprocess
import sys
import tomllib

import pytest

from tests.rules.sources import ROOT, tracked

SECONDS = 60
DATABASE = ("django", "rest_framework", "psycopg", "roomlog", "sqlite3")
GATEWAY = ("aiohttp", "roomlog_gateway")
LOADER = """
import importlib, sys
for name in sys.argv[1].split(","):
    importlib.import_module(name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def modules_of(package: str) -> list[str]:
    """Return the import names of all modules of a package but its scripts."""
    paths = [path for path in tracked() if path.endswith(".py") and f"/{package}/" in f"/{path}"]
    inside = [path[path.index(f"{package}/") : -len(".py")] for path in paths]
    names = [path.replace("/", ".").removesuffix(".__init__") for path in inside]
    return [name for name in names if not name.endswith("__main__")]


def pinned(pins: str) -> set[str]:
    """Return the packages of a file of pins, which is named without its suffix."""
    lines = (ROOT / f"{pins}.txt").read_text(encoding="utf-8").splitlines()
    return {line.partition("==")[0].partition("[")[0] for line in lines if "==" in line}


def loaded_by(names: list[str], settings: str) -> set[str]:
    """Return the top-level modules in a fresh interpreter that imported these names."""
    prelude = f"import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = {settings!r}; django.setup()"
    done = subprocess.run(
        [sys.executable, "-c", (prelude if settings else "") + LOADER, ",".join(names)],
        cwd=ROOT,
        env={"ROOMLOG_SECRET_KEY": "not-secret", "ROOMLOG_DATABASE_URL": "sqlite:////nowhere.sqlite3"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("package", "forbidden", "settings"),
    [
        ("roomlog_contract", (*DATABASE, *GATEWAY, "redis", "roomlog_runtime"), ""),
        ("roomlog_runtime", (*DATABASE, "roomlog_gateway", "redis"), ""),
        ("roomlog_gateway", (*DATABASE, "roomlog_worker", "roomlog_api"), ""),
        ("roomlog_client", (*DATABASE, "roomlog_gateway", "roomlog_runtime"), ""),
        ("roomlog_worker", (*GATEWAY, "roomlog_api"), "roomlog_worker.settings"),
        ("roomlog_api", (*GATEWAY, "roomlog_worker"), "roomlog_api.settings"),
    ],
)
def test_a_package_loads_nothing_of_another(package: str, forbidden: tuple[str, ...], settings: str) -> None:
    """Every module of the package is imported, not only those that the service needs at its start.

    No database below the gateway and the client; worker and api share the app, not each other.
    """
    assert loaded_by(modules_of(package), settings) & set(forbidden) == set()


@pytest.mark.parametrize(
    ("service", "forbidden"),
    [
        ("gateway", ("django", "psycopg", "djangorestframework")),
        ("worker", ("aiohttp", "uvloop", "gunicorn")),
    ],
)
def test_the_pins_of_an_image_name_nothing_of_another(service: str, forbidden: tuple[str, ...]) -> None:
    """What is not installed can't be imported by accident."""
    installed = pinned(f"requirements/{service}")
    assert installed
    assert installed & set(forbidden) == set()


ABSENT = "import sys; sys.modules['opentelemetry'] = None\n"
"""An import of it raises ImportError, as in the images; redis-py works with it and without it."""
STARTS = {
    "gateway": """
import asyncio
from roomlog_gateway.app import build_runner
from roomlog_gateway.config import read_config

async def start():
    build_runner(read_config(), lambda: None)

asyncio.run(start())
print("started")
""",
    "worker": """
import django
django.setup()
from django.core.management import call_command
from roomlog_worker.consumer import Consumer
Consumer.run = lambda self: print("started")
call_command("message_process_worker", ordinal=0, skip_checks=True)
""",
}


@pytest.mark.parametrize("service", STARTS)
def test_opentelemetry_is_not_imported_while_it_is_off(service: str) -> None:
    """A process is put together without it."""
    environ = {
        "DJANGO_SETTINGS_MODULE": "roomlog_worker.settings",
        "ROOMLOG_SECRET_KEY": "not-secret",
        "ROOMLOG_DATABASE_URL": "sqlite:////nowhere.sqlite3",
        "ROOMLOG_HEALTH_BIND": "127.0.0.1:0",
        "ROOMLOG_LOG_LEVEL": "critical",
    }
    done = subprocess.run(
        [sys.executable, "-c", ABSENT + STARTS[service]],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.stdout.split() == ["started"], done.stderr


@pytest.mark.parametrize("pins", ["requirements/api", "examples/host/requirements"])
def test_an_image_with_pages_has_what_the_app_needs(pins: str) -> None:
    """The images install our own wheels without their dependencies: what the pins lack is missing."""
    project = tomllib.loads((ROOT / "packages/roomlog/pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[\[<>=]", word)[0] for word in project["dependencies"]}
    assert {name for name in needed if not name.startswith("roomlog-")} - pinned(pins) == set()
