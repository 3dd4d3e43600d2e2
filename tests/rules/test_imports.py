"""What a process loads when it starts, seen from outside: the borders of import-linter, proven by running."""

import subprocess
import sys

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
    pins = (ROOT / "requirements" / f"{service}.txt").read_text(encoding="utf-8").splitlines()
    installed = {line.partition("==")[0].partition("[")[0] for line in pins if "==" in line}
    assert installed
    assert installed & set(forbidden) == set()
