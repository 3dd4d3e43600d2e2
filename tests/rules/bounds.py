"""The rule that every queue has a bound (GUARANTEES G8), as a check of syntax trees.

Found are `Queue()`, `LifoQueue()`, `PriorityQueue()` without `maxsize`, any `SimpleQueue()`, `deque()`
without `maxlen`, and such a class handed over as a factory. Where the bound is kept elsewhere, a comment
`# bound: <who keeps it and at what>` on the statement or above it says so. A list that is used as a queue
can't be told from a list: reviewers look for those.
"""

import ast
from collections.abc import Iterator

from tests.rules.sources import Finding, Source, is_given, keyword, name_of

BOUND_ARGUMENT = {"Queue": ("maxsize", 0), "LifoQueue": ("maxsize", 0), "PriorityQueue": ("maxsize", 0)}
"""Class to the bound's keyword and place."""
BOUND_ARGUMENT["deque"] = ("maxlen", 1)
BOUND_ARGUMENT["JoinableQueue"] = ("maxsize", 0)
NEVER_BOUNDED = ("SimpleQueue",)
FACTORIES = ("default_factory", "factory")
MARKER = "bound"


def unbounded_queues(source: Source) -> Iterator[Finding]:
    """Yield each queue that nothing bounds."""
    for statement in ast.walk(source.tree):
        if not isinstance(statement, ast.stmt) or isinstance(statement, _COMPOUND):
            continue
        for call in ast.walk(statement):
            if (
                isinstance(call, ast.Call)
                and _is_unbounded(call)
                and not source.has_marker(statement, MARKER)
            ):
                yield Finding(source.path, call.lineno, "a queue without a bound")


_COMPOUND = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If | ast.For | ast.AsyncFor | ast.While
    | ast.With | ast.AsyncWith | ast.Try | ast.Match
)  # fmt: skip
"""Statements that hold statements: those are looked at one by one, so that a marker covers one line."""


def _is_unbounded(call: ast.Call) -> bool:
    name = name_of(call.func)
    if name in NEVER_BOUNDED:
        return True
    if name in BOUND_ARGUMENT:
        argument, place = BOUND_ARGUMENT[name]
        positional = call.args[place] if len(call.args) > place else None
        return not is_given(keyword(call, argument) or positional)
    handed_over = [keyword(call, factory) for factory in FACTORIES]
    if name == "defaultdict":
        handed_over += call.args[:1]
    return any(
        value is not None and name_of(value) in (*BOUND_ARGUMENT, *NEVER_BOUNDED) for value in handed_over
    )
