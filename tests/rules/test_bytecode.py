"""Processes start from bytecode: without it a worker takes three times as long, and so do the tests."""

from importlib.util import cache_from_source, find_spec
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["django.db.models", "redis.client", "psycopg", "structlog"])
def test_what_a_worker_imports_is_compiled(module: str) -> None:
    """`make .venv` compiles what it installs, even where the environment says that Python writes none."""
    found = find_spec(module)
    assert found is not None
    compiled = Path(cache_from_source(found.origin or ""))
    assert compiled.is_file(), "remake the environment: rm -r .venv; make .venv"
