"""Querysets that are compiled once: where they are asked for each login, the ORM's compiling costs most.

Beside `selectors`. What changes from one asking to the next is one list of values; all else is the
queryset's, so its columns stay in one place. A writer's sessions keep the plan as well.
"""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection
from django.db.models import BooleanField, Model, QuerySet
from django.db.models.expressions import RawSQL

from .databases import keeps_plans

_VALUES: Final = object()
"""Stands for the list among a compiled query's parameters."""


def among(model: type[Model], column: str, kind: str) -> RawSQL:
    """Return the condition that a column is one of the values, whose type PostgreSQL calls `kind`."""
    column = ".".join(map(connection.ops.quote_name, (model._meta.db_table, column)))
    if connection.vendor == "postgresql":
        condition = f"{column} = ANY (%s::{kind}[])"
    else:
        condition = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - names of our own
    return RawSQL(condition, (_VALUES,), BooleanField())  # noqa: S611


class CompiledQuery:
    """A queryset of tuples with `among` in its conditions."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        """`build` is called once for each kind of database."""
        self._build = build
        self._compiled: dict[str, tuple[Any, str, tuple[Any, ...]]] = {}

    def rows(self, values: Collection[int] | Collection[str]) -> Iterator[tuple[Any, ...]]:
        """Return the rows for these values, in one query. Raises django.db errors."""
        compiler, sql, parameters = self._compiled.get(connection.vendor) or self._compile()
        given = list(values) if connection.vendor == "postgresql" else json.dumps(list(values))
        with connection.cursor() as cursor, plan_kept():
            cursor.execute(sql, [given if one is _VALUES else one for one in parameters])
            found: Iterator[tuple[Any, ...]] = compiler.results_iter([cursor.fetchall()], tuple_expected=True)
        return found

    def _compile(self) -> tuple[Any, str, tuple[Any, ...]]:
        queryset = self._build()
        compiler = queryset.query.get_compiler(queryset.db)
        self._compiled[connection.vendor] = compiled = (compiler, *compiler.as_sql())
        return compiled


@contextmanager
def plan_kept() -> Iterator[None]:
    """Have the session keep the plans of what is asked meanwhile, if it is this process' alone."""
    if not keeps_plans(connection):
        yield
        return
    connection.connection.prepare_threshold = 0
    try:
        yield
    finally:
        if connection.connection is not None:
            connection.connection.prepare_threshold = None
