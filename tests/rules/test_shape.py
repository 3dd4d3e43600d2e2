"""The shape of files that the style guide asks for: length, names, a docstring at the top."""

import ast

import pytest

from tests.rules.sources import Source, read, tracked

FILE_LINES = 400
FUNCTION_LINES = 40
VAGUE_NAMES = ("util", "utils", "common", "helper", "helpers", "base", "manager", "managers", "misc")
GENERATED = ("/migrations/", "benchmarks/peers/")


def python_files() -> list[str]:
    paths = [path for path in tracked() if path.endswith(".py")]
    return [path for path in paths if not any(part in path for part in GENERATED)]


def functions(source: Source) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(source.tree)
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines from `def` to the end, the docstring not counted."""
    first = node.body[0]
    docstring = ast.get_docstring(node, clean=False)
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    return lines - ((first.end_lineno or first.lineno) - first.lineno + 1 if docstring else 0)


def test_a_file_fits_in_the_head() -> None:
    """It is named after something, and its module says what it is."""
    lengths = {path: len(read(path).lines) for path in python_files()}
    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES} == {}
    parts = {path: path.removesuffix(".py").split("/") for path in python_files()}
    assert [path for path, names in parts.items() if set(names) & set(VAGUE_NAMES)] == []
    sources = [read(path) for path in python_files()]
    assert [s.path for s in sources if s.text.strip() and not ast.get_docstring(s.tree)] == []


def test_a_function_does_one_thing() -> None:
    """No function has more than 40 lines, its docstring aside."""
    too_long = {
        f"{path}:{node.lineno} {node.name}": code_lines(node)
        for path in python_files()
        for node in functions(read(path))
        if code_lines(node) > FUNCTION_LINES
    }
    assert too_long == {}


def test_a_test_states_the_behaviour() -> None:
    """Every test has a docstring whose first line is a whole sentence."""
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path in python_files()
        if path.rpartition("/")[2].startswith("test_")
        for node in functions(read(path))
        if node.name.startswith("test_") and "." not in (ast.get_docstring(node) or "")
    ]
    assert silent == []


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX"])
def test_nothing_is_left_for_later(word: str) -> None:
    """What is to be done is an issue, not a comment."""
    here = "tests/rules/test_shape.py"
    sources = [read(path) for path in python_files() if path != here]
    marked = [
        f"{s.path}:{number}" for s in sources for number, line in enumerate(s.lines, 1) if f"# {word}" in line
    ]
    assert marked == []


def test_only_the_schema_of_the_contract_touches_files() -> None:
    """The contract does no I/O; its generator is a tool of the workshop."""
    forbidden = {"pathlib", "os", "io", "shutil", "tempfile", "subprocess", "socket", "asyncio", "time"}
    for path in tracked("packages/contract/roomlog_contract"):
        if path.endswith(".py") and not path.endswith("/schema.py"):
            assert imports(read(path)) & forbidden == set(), path


def imports(source: Source) -> set[str]:
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found
