"""Every REST view says itself who may ask and how: a project's own defaults change nothing."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern
from rest_framework.views import APIView

from roomlog.rest.urls import urlpatterns
from tests.harness.manage import run

HERE = Path(__file__).parent
SAID = (
    *("authentication_classes", "permission_classes", "renderer_classes", "parser_classes"),
    *("throttle_classes", "content_negotiation_class", "metadata_class", "versioning_class"),
    *("schema", "get_exception_handler"),
)
"""Whatever a view would take from the framework's defaults."""


def undeclared(view: type[APIView]) -> Iterator[str]:
    """Yield what the view leaves to the framework."""
    for name in (*SAID, "pagination_class", "filter_backends"):
        owner = next((kind for kind in view.__mro__ if name in vars(kind)), None)
        if owner is not None and not owner.__module__.startswith("roomlog"):
            yield name


def view_of(pattern: URLPattern) -> type[APIView]:
    """Return the class behind an address."""
    view: type[APIView] = pattern.callback.view_class  # type: ignore[attr-defined] # Django's as_view sets it
    return view


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_a_view_leaves_nothing_to_the_defaults(pattern: URLPattern) -> None:
    """A new view that declares nothing would be open to whomever a project lets in elsewhere."""
    assert list(undeclared(view_of(pattern))) == []


def test_a_view_of_the_frameworks_own_is_found_out() -> None:
    """The look above sees what it is there to see."""

    class Careless(APIView):
        permission_classes: Any = []

    Careless.__module__ = "roomlog.rest.careless"
    assert list(undeclared(Careless)) == [name for name in SAID if name != "permission_classes"]


def test_nothing_changes_under_hostile_defaults() -> None:
    """The interface's own tests pass where the project lets everybody in and renders pages."""
    files = [HERE / f"test_{name}.py" for name in ("access", "rooms", "problems", "schema")]
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *map(str, files)]
    environ = {"DJANGO_SETTINGS_MODULE": "hostile_settings", "PYTHONPATH": str(HERE)}
    ran = run(words, environ, 300, HERE.parents[4])
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "passed" in ran.stdout
