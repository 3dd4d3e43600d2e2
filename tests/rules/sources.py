"""The project's own Python files as the border tests see them: parsed, with their comments in reach.

Nothing here imports what it reads. Generated, vendored and test files are left out.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.harness.manage import run

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = ("packages", "services", "clients", "deploy")
OUTSIDE = ("/tests/", "/migrations/", "/node_modules/", "/vendor/")
"""Tests wait as they like, migrations are written by Django."""


@dataclass(frozen=True)
class Source:
    """One file's text and what the parser makes of it."""

    path: str
    """Relative to the repository's root."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> list[str]:
        """The file's lines, the first at index 0."""
        return self.text.splitlines()

    def has_marker(self, node: ast.stmt | ast.expr, word: str) -> bool:
        """Tell whether the node's lines, or comments right above, hold `# word: reason`, with a reason."""
        last = node.end_lineno or node.lineno
        first = node.lineno - 1
        while first > 0 and self.lines[first - 1].lstrip().startswith("#"):
            first -= 1
        marked = (line.partition(f"# {word}:") for line in self.lines[first:last])
        return any(reason.strip() for _, _, reason in marked)


@dataclass(frozen=True)
class Finding:
    """A rule that a file breaks."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


def tracked(*folders: str) -> list[str]:
    """Return the paths that belong to the repository, new ones included, relative to its root."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    listing = run(words, {}, 60, ROOT, check=True)
    return sorted(path for path in set(listing.stdout.splitlines()) if (ROOT / path).is_file())


def read(path: str) -> Source:
    """Return one file of the repository."""
    return Source(path, (ROOT / path).read_text(encoding="utf-8"))


def production() -> Iterator[Source]:
    """Yield every Python file that runs in production."""
    for path in tracked(*PRODUCTION):
        if path.endswith(".py") and not any(part in f"/{path}" for part in OUTSIDE):
            yield read(path)


def name_of(node: ast.expr) -> str:
    """Return the last name of `a.b.c` or `c`, empty for anything else."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` as written, `*` where a part is no name."""
    match node:
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
        case ast.Name(id=name):
            return name
        case ast.Call(func=function):
            return dotted(function)
        case ast.Subscript(value=value):
            return dotted(value)
        case _:
            return "*"


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword argument."""
    return next((given.value for given in call.keywords if given.arg == name), None)


def is_given(value: ast.expr | None) -> bool:
    """Tell whether there is a value, and it is neither None nor 0, which mean "without end"."""
    return value is not None and not (isinstance(value, ast.Constant) and not value.value)
