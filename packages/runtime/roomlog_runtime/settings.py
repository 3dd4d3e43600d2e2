"""Typed readers of the environment, the only place a service takes its settings from.

Before the message's way: each service's config reads everything once at start, so that a wrong value
ends the process with one sentence instead of surprising a message later. It must not cache or guess: an empty
value counts as not set (a chart renders optional values so), everything else unreadable is an error.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from roomlog_runtime.errors import SettingError

__all__ = [
    "Bind",
    "SettingError",
    "end_with_a_sentence",
    "read_bind",
    "read_choice",
    "read_flag",
    "read_integer",
    "read_list",
    "read_seconds",
    "read_secret",
    "read_secrets",
    "read_text",
]

MAX_PORT = 65535
TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off")
SHOWN_CHARACTERS: Final = 40
"""Characters shown of a wrong value: enough to find it, too few to fill a log."""
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
"""What a person writes: no underscores, exponents, infinities or other alphabets' digits, unlike Python."""
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]+\]")


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


def end_with_a_sentence() -> None:
    """Let a SettingError that nobody catches end the process with its text alone, status 1.

    For settings modules: Django's commands would show a traceback in which the sentence is the last line.
    """
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, SettingError):
            sys.stderr.write(f"{error}\n")
        else:
            before(kind, error, trace)

    sys.excepthook = hook


def read_text(name: str, default: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """Return the variable's text; without a default it must be set."""
    value = environ.get(name, "") or default
    if value is None:
        raise SettingError(name, "is not set")
    return value


def read_secret(name: str, default: str | None = None, *, environ: Mapping[str, str] = os.environ) -> str:
    """Return the text of `name`, or of the file that `name`_FILE points to, without line breaks at its end.

    Editors and `echo` add those, to files and to a cluster's secrets alike. Both at once is an error: which
    of them is meant can't be guessed.
    """
    file_name = f"{name}_FILE"
    path = environ.get(file_name, "")
    if not path:
        value = environ.get(name, "").rstrip("\r\n") or default
        if value is None:
            raise SettingError(name, "is not set")
        return value
    if environ.get(name, ""):
        raise SettingError(name, f"and {file_name} are both set; keep one")
    try:
        value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(file_name, f"can't be read: {type(error).__name__} at {path}") from error
    if not value:
        raise SettingError(file_name, f"points to an empty file: {path}")
    return value


def read_secrets(name: str, *, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the secrets between commas of `name`, or of its file, trimmed; none where it is not set."""
    return [part.strip() for part in read_secret(name, "", environ=environ).split(",") if part.strip()]


def read_integer(
    name: str,
    default: int | None = None,
    *,
    minimum: int = 0,
    maximum: int | None = None,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Return a whole number between minimum and maximum, both included."""
    text = read_text(name, None if default is None else str(default), environ=environ).strip()
    if not _INTEGER.fullmatch(text):
        raise SettingError(name, f"is {_shown(text)}, not a whole number")
    value = int(text)
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
    """Return a number of seconds between minimum and maximum; NaN and infinities are refused."""
    text = read_text(name, None if default is None else str(default), environ=environ).strip()
    if not _NUMBER.fullmatch(text):
        raise SettingError(name, f"is {_shown(text)}, not a number of seconds")
    value = float(text)
    _check_range(name, value, minimum, maximum)
    return value


def read_flag(name: str, default: bool = False, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Return True for 1, true, yes, on and False for 0, false, no, off, in any case."""
    text = read_choice(name, TRUE_WORDS + FALSE_WORDS, "1" if default else "0", environ=environ)
    return text in TRUE_WORDS


def read_choice(
    name: str,
    choices: tuple[str, ...],
    default: str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Return one of the lower-case choices, whatever the case of the variable."""
    text = read_text(name, default, environ=environ).strip().lower()
    if text not in choices:
        raise SettingError(name, f"is {_shown(text)}, not one of {', '.join(choices)}")
    return text


def read_list(
    name: str, default: tuple[str, ...] = (), *, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Return the parts between commas, trimmed, without empty ones."""
    text = read_text(name, ",".join(default), environ=environ)
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_bind(name: str, default: str | None = None, *, environ: Mapping[str, str] = os.environ) -> Bind:
    """Return the address in `host:port`; an IPv6 host stands in brackets."""
    text = read_text(name, default, environ=environ).strip()
    host, _, port = text.rpartition(":")
    if not _HOST.fullmatch(host) or not re.fullmatch("[0-9]{1,5}", port) or int(port) > MAX_PORT:
        raise SettingError(name, f"is {_shown(text)}, not host:port as in 0.0.0.0:8080 or [::]:8080")
    return Bind(host.strip("[]"), int(port))


def _shown(text: str) -> str:
    """Return a wrong value as a person can recognise it: quoted, escaped, short."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…")


def _check_range(name: str, value: float, minimum: float, maximum: float | None) -> None:
    if value < minimum:
        raise SettingError(name, f"is {value}, less than {minimum}")
    if maximum is not None and value > maximum:
        raise SettingError(name, f"is {value}, more than {maximum}")
