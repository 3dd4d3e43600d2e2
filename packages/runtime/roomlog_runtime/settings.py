"""Typed readers of the environment, the only place a service takes its settings from.

Before the message's way: each service's config reads everything once at start, so that a wrong value
ends the process with one sentence instead of surprising a message later. It must not cache or guess: an empty
value counts as not set (a chart renders optional values so), everything else unreadable is an error.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from roomlog_runtime.errors import SettingError

__all__ = [
    "Bind",
    "SettingError",
    "read_bind",
    "read_choice",
    "read_flag",
    "read_integer",
    "read_list",
    "read_seconds",
    "read_secret",
    "read_text",
]

MAX_PORT = 65535
TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Bind:
    """An address to listen on."""

    host: str
    """A name or an address, IPv6 without its brackets."""
    port: int
    """0 lets the system choose."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def read_text(name: str, default: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """Returns the variable's text; without a default it must be set."""
    value = environ.get(name, "") or default
    if value is None:
        raise SettingError(name, "is not set")
    return value


def read_secret(name: str, default: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """Returns the text of `name`, or of the file that `name`_FILE points to, without its last line break.

    Both at once is an error: which of them is meant can't be guessed.
    """
    file_name = f"{name}_FILE"
    path = environ.get(file_name, "")
    if not path:
        return read_text(name, default, environ=environ)
    if environ.get(name, ""):
        raise SettingError(name, f"and {file_name} are both set; keep one")
    try:
        value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(file_name, f"can't be read: {type(error).__name__} at {path}") from error
    if not value:
        raise SettingError(file_name, f"points to an empty file: {path}")
    return value


def read_integer(
    name: str,
    default: int | None = None,
    *,
    minimum: int = 0,
    maximum: int | None = None,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Returns a whole number between minimum and maximum, both included."""
    text = read_text(name, None if default is None else str(default), environ=environ)
    try:
        value = int(text)
    except ValueError as error:
        raise SettingError(name, f"is {text!r}, not a whole number") from error
    _check_range(name, value, minimum, maximum)
    return value


def read_seconds(
    name: str,
    default: float | None = None,
    *,
    minimum: float = 0.0,
    maximum: float | None = None,
    environ: Mapping[str, str] = os.environ,
) -> float:
    """Returns a number of seconds between minimum and maximum; NaN and infinities are refused."""
    text = read_text(name, None if default is None else str(default), environ=environ)
    try:
        value = float(text)
    except ValueError as error:
        raise SettingError(name, f"is {text!r}, not a number of seconds") from error
    if value - value != 0:
        raise SettingError(name, f"is {text!r}, not a finite number of seconds")
    _check_range(name, value, minimum, maximum)
    return value


def read_flag(name: str, default: bool = False, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Returns True for 1, true, yes, on and False for 0, false, no, off, in any case."""
    text = read_choice(name, TRUE_WORDS + FALSE_WORDS, "1" if default else "0", environ=environ)
    return text in TRUE_WORDS


def read_choice(
    name: str,
    choices: tuple[str, ...],
    default: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Returns one of the lower-case choices, whatever the case of the variable."""
    text = read_text(name, default, environ=environ).strip().lower()
    if text not in choices:
        raise SettingError(name, f"is {text!r}, not one of {', '.join(choices)}")
    return text


def read_list(
    name: str, default: tuple[str, ...] = (), *, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Returns the parts between commas, trimmed, without empty ones."""
    text = read_text(name, ",".join(default), environ=environ)
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_bind(name: str, default: str | None = None, *, environ: Mapping[str, str] = os.environ) -> Bind:
    """Returns the address in `host:port`; an IPv6 host stands in brackets."""
    text = read_text(name, default, environ=environ).strip()
    host, separator, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    is_host = bool(host) and (bracketed or ":" not in host)
    if not separator or not is_host or not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        raise SettingError(name, f"is {text!r}, not host:port as in 0.0.0.0:8080 or [::]:8080")
    return Bind(host[1:-1] if bracketed else host, int(port))


def _check_range(name: str, value: float, minimum: float, maximum: float | None) -> None:
    if value < minimum:
        raise SettingError(name, f"is {value}, less than {minimum}")
    if maximum is not None and value > maximum:
        raise SettingError(name, f"is {value}, more than {maximum}")
