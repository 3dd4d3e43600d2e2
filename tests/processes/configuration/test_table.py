"""docs/configuration.md against the code: no variable is missing or invented, and each refusal is real."""

import ast
import os
import re
from pathlib import Path
from typing import Final

import pytest

from tests.harness.manage import run_python
from tests.processes.configuration import table

ROOT: Final = Path(__file__).parents[3]
START_SECONDS: Final = 60.0
COMMANDS: Final = {
    "gateway": "gunicorn --config python:roomlog_gateway.gunicorn_config roomlog_gateway.app:create_app",
    "api": "gunicorn --config python:roomlog_api.gunicorn_config roomlog_api.wsgi:application",
    "worker": "django message_process_worker --settings roomlog_worker.settings",
    "chores": "django roomlog --settings roomlog_worker.settings chores",
}
"""As the images start them."""
PACKAGES: Final = {
    "gateway": ("packages/runtime", "services/gateway"),
    "worker": ("packages/runtime", "packages/roomlog", "services/worker"),
    "api": ("packages/runtime", "packages/roomlog", "services/api"),
    "chores": ("packages/runtime", "packages/roomlog"),
}
NOT_READ: Final = {"check_settings.py", "roomlog_local"}
READ_BY_API: Final = {"file_settings.py"}
"""The one module with variables in a package that others have too."""


def named_in(folder: str, service: str) -> set[str]:
    """Return the variables that the code of a folder names: texts that are nothing but a name."""
    not_read = NOT_READ if service == "api" else NOT_READ | READ_BY_API
    sources = [
        path
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts and path.name not in not_read
    ]
    nodes = (node for path in sources for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch("ROOMLOG_[A-Z][A-Z0-9_]+", text)}


@pytest.mark.parametrize("service", PACKAGES)
def test_every_variable_of_a_service_is_in_the_table(service: str) -> None:
    """And nothing else: what nobody reads would be set in vain."""
    named = set().union(*(named_in(folder, service) for folder in PACKAGES[service]))
    listed = {name for name, services in table.variables().items() if service in services}
    assert named - listed == set()
    assert listed - named == set()


def test_every_variable_has_a_value_that_is_refused() -> None:
    """But where any text is right, or the gateway's own tests say which is wrong."""
    examples = {name.removesuffix("_FILE") for name, *_ in table.refused()}
    assert set(table.variables()) - examples <= {"ROOMLOG_ALLOWED_ORIGINS"}


@pytest.mark.parametrize(("name", "value", "service", "sentence"), table.refused())
def test_a_refused_value_ends_the_start(
    tmp_path: Path, name: str, value: str, service: str, sentence: str
) -> None:
    """By the sentence of the table, without a traceback, and without the value of a secret."""
    done = run_python(
        "-m", *COMMANDS[service].split(), environ={**good(tmp_path), name: value}, seconds=START_SECONDS
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert sentence in said
    assert "Traceback" not in said
    if name in ("ROOMLOG_REDIS_URL", "ROOMLOG_DATABASE_URL"):
        assert not {"sec", "ret", "secret", value} & set(re.split(r"[^A-Za-z:/]+", said))
        assert value not in said


def good(folder: Path) -> dict[str, str]:
    """Return settings with which all services would start."""
    others = {key: text for key, text in os.environ.items() if not key.startswith("ROOMLOG_")}
    return {
        **others,
        "ROOMLOG_SECRET_KEY": "k" * 50,
        "ROOMLOG_DATABASE_URL": f"sqlite:///{folder}/none.sqlite3",
        "ROOMLOG_ORDINAL": "0",
        "ROOMLOG_BIND": "127.0.0.1:0",
        "ROOMLOG_HEALTH_BIND": "127.0.0.1:0",
    }
