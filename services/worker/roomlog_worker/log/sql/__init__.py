"""The SQL of the log: a file for each statement and database, read once as the worker starts.

`<name>.postgresql.sql` prepares the statement `roomlog_<name>` in a session. `<name>.sqlite.sql` has %s for
each parameter. The comment at a file's head says what it does, what it locks and which index finds its rows.
"""

from importlib.resources import files
from typing import Final

from ..pg_roundtrip import Statement

_HERE: Final = files(__name__)


def statement(name: str, *, on_sqlite: bool = True) -> Statement:
    """Return the statement of these files; without `on_sqlite` only PostgreSQL has it.

    Raises:
        FileNotFoundError: the package was built without its .sql files.
    """
    for_sqlite = _read(f"{name}.sqlite.sql") if on_sqlite else ""
    return Statement(f"roomlog_{name}", _read(f"{name}.postgresql.sql"), for_sqlite)


def _read(name: str) -> str:
    """Return a file without its comments."""
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
