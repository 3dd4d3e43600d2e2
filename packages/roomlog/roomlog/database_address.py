"""Where the database is: the one reading of ROOMLOG_DATABASE_URL, for workers and api alike.

No stage of the message's way. libpq itself parses an address of PostgreSQL, so that several hosts, sockets,
IPv6, percent-encoding and every option mean what they mean to psql. Must not import models, and its errors
never hold a part of the address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Never
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from roomlog_runtime.settings import MAX_PORT, SettingError

VARIABLE: Final = "ROOMLOG_DATABASE_URL"
POSTGRES_SCHEMES: Final = ("postgres", "postgresql")
SCHEMA_OPTION: Final = "currentSchema="
"""What JDBC and hosters call the search path; libpq has no such word."""
IN_MEMORY: Final = ":memory:"
_CHOICES: Final = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}
_FORMS: Final = "postgres://user:password@host:5432/name or sqlite:////absolute/path"


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A file."""

    path: str


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A database of one server, or of whichever of several hosts takes writes."""

    parameters: dict[str, str]
    """As libpq calls them, `dbname` and `host` among them."""


def parse_database_url(url: str) -> SqliteAddress | PostgresAddress:
    """Return what the address says.

    Raises:
        SettingError: it can't be one; the sentence names the variable and quotes nothing.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "sqlite":
        return _sqlite(rest)
    if separator and scheme in POSTGRES_SCHEMES:
        return _postgres(url)
    raise SettingError(VARIABLE, f"does not have the form {_FORMS}")


def _sqlite(rest: str) -> SqliteAddress:
    if rest == IN_MEMORY:
        return SqliteAddress(IN_MEMORY)
    if "?" in rest or "#" in rest:
        _refuse("has options behind a SQLite file, which takes none")
    path = unquote(rest.removeprefix("/"))
    # A relative one would be another file for each process that starts elsewhere.
    if not rest.startswith("/") or not PurePosixPath(path).is_absolute() or path.endswith("/"):
        _refuse("needs an absolute SQLite path, as in sqlite:////absolute/path")
    return SqliteAddress(path)


def _postgres(url: str) -> PostgresAddress:
    url, schemas = _without_schemas(url)
    try:
        found = conninfo_to_dict(url)
    except psycopg.Error:  # its text may quote the password
        _refuse(f"is not an address that PostgreSQL understands; it has the form {_FORMS}")
    parameters = {name: str(value) for name, value in found.items() if str(value).strip(",")}
    _check(parameters)
    for schema in schemas:
        parameters["options"] = f"{parameters.get('options', '')} -c search_path={_escaped(schema)}".strip()
    if "," in parameters.get("host", ""):
        # The first host that answers may be a standby.
        parameters.setdefault("target_session_attrs", "read-write")
    return PostgresAddress(parameters)


def _without_schemas(url: str) -> tuple[str, list[str]]:
    """Return the address without its `currentSchema`, and the schemas that it named."""
    address, _, query = url.rpartition("?")
    options = query.split("&")
    others = [option for option in options if not option.startswith(SCHEMA_OPTION)]
    if not address or len(others) == len(options):
        return url, []
    schemas = [unquote(option.removeprefix(SCHEMA_OPTION)) for option in options if option not in others]
    return "?".join([address, *(["&".join(others)] if others else [])]), schemas


def _check(parameters: Mapping[str, str]) -> None:
    """Refuse what libpq finds only when it connects, which to a worker is trouble that may pass."""
    name = parameters.get("dbname", "")
    if "/" in name:
        _refuse("names a database with a slash; write special characters of a password as %2F and the like")
    if not name and not parameters.get("service"):
        _refuse("names no database")
    ports = parameters["port"].split(",") if "port" in parameters else []
    if not all(_is_port(port) for port in ports if port):
        _refuse(f"has a port that is not a number from 1 to {MAX_PORT}")
    if len(ports) > 1 and len(ports) != parameters.get("host", "").count(",") + 1:
        _refuse("has not as many ports as hosts")
    for option, values in _CHOICES.items():
        if parameters.get(option, values[0]) not in values:
            _refuse(f"has an unknown {option}; there are {', '.join(values)}")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= MAX_PORT


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _refuse(problem: str) -> Never:
    raise SettingError(VARIABLE, problem) from None
