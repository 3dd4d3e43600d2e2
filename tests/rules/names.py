"""Names of files and functions in the documents, and whether they are there.

Looked at is what stands in backticks and is a path (`services/gateway/`, `session.py`, `docs/x.md`), a
path with a name in it (`session.py:Session.close`), or a dotted name of ours (`roomlog_contract.shards`).
A path may leave out its beginning where only one file ends so. Blocks of code are not looked at.
"""

import ast
import re
from collections.abc import Iterator

from tests.rules.sources import Source, read, tracked

_BLOCK = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(
    r"(?P<path>[\w.-]+(?:/[\w.-]+)+\.(?:py|toml|md|ya?ml|json|js|mjs|html|css|txt|mk|tpl|sh|sql)|[\w-]+\.py)"
    r"(?::(?P<name>[\w.]+))?"
)
_FOLDER = re.compile(r"(?P<path>[\w.-]+(?:/[\w.-]+)*)/")
_MADE_HERE = (".roomlog/", ".venv/")
"""What the commands make and the repository does not hold."""
_DOTTED = re.compile(r"roomlog_\w+(?:\.\w+)+")


def missing_names(text: str) -> Iterator[str]:
    """Yield each quoted path or name that nothing in the repository has."""
    files = tracked()
    for quoted in _QUOTED.findall(_BLOCK.sub("", text)):
        if quoted.startswith(_MADE_HERE):
            continue
        if match := _FILE.fullmatch(quoted):
            if not _has_file(files, match["path"], match["name"]):
                yield quoted
        elif match := _FOLDER.fullmatch(quoted):
            if not any(f"/{match['path']}/" in f"/{path}" for path in files):
                yield quoted
        elif _DOTTED.fullmatch(quoted) and not _has_dotted(files, quoted):
            yield quoted


def _has_file(files: list[str], path: str, name: str | None) -> bool:
    found = [file for file in files if file == path] or [file for file in files if file.endswith(f"/{path}")]
    if name is None:
        return bool(found)
    return len(found) == 1 and _defines(read(found[0]), name.split("."))


def _has_dotted(files: list[str], dotted: str) -> bool:
    """Tell whether a module, or a name in one, is there: the longest part that is a file is the module."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length])
        for file in files:
            if f"/{file}".endswith((f"/{path}.py", f"/{path}/__init__.py")):
                return not parts[length:] or _defines(read(file), parts[length:])
    return False


def _defines(source: Source, names: list[str]) -> bool:
    body: list[ast.stmt] = source.tree.body
    for name in names:
        node = next((node for node in body if name in _names(node)), None)
        if node is None:
            return False
        body = getattr(node, "body", [])
    return True


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []
