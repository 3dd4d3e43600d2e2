"""How the environment is read: every variable has one meaning or one readable error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from roomlog_runtime import settings
from roomlog_runtime.settings import Bind, SettingError

NAME = "ROOMLOG_THING"
CHOICES = ("json", "console")
Read = tuple[Callable[..., object], dict[str, Any], str | None, object]
READ: dict[str, Read] = {
    "a text that is set wins over the default": (settings.read_text, {"default": "default"}, "set", "set"),
    "a text that is not set": (settings.read_text, {"default": "default"}, None, "default"),
    "an empty text counts as not set": (settings.read_text, {"default": "default"}, "", "default"),
    "an empty default is allowed": (settings.read_text, {"default": ""}, None, ""),
    "a number that is not set": (settings.read_integer, {"default": 7}, None, 7),
    "the end of a range": (settings.read_integer, {"minimum": 1, "maximum": 3}, "3", 3),
    "seconds may be fractions": (settings.read_seconds, {}, "0.5", 0.5),
    "flags in any case: 1": (settings.read_flag, {}, "1", True),
    "flags in any case: Yes": (settings.read_flag, {}, "Yes", True),
    "flags in any case: 0": (settings.read_flag, {}, "0", False),
    "flags in any case: OFF": (settings.read_flag, {}, "OFF", False),
    "a choice in any case": (
        settings.read_choice,
        {"choices": CHOICES, "default": "json"},
        "Console",
        "console",
    ),
    "a list drops blanks and doubled commas": (settings.read_list, {}, " a, ,b,", ("a", "b")),
    "a list that is not set": (settings.read_list, {"default": ("c",)}, None, ("c",)),
    "an address": (settings.read_bind, {}, "0.0.0.0:8080", Bind("0.0.0.0", 8080)),
    "a name": (settings.read_bind, {}, "localhost:0", Bind("localhost", 0)),
    "bracketed IPv6": (settings.read_bind, {}, "[::1]:9080", Bind("::1", 9080)),
}
REFUSED: list[tuple[Callable[..., object], dict[str, Any], str | None, str]] = [
    (settings.read_text, {}, None, f"{NAME} is not set"),
    (settings.read_text, {}, "", f"{NAME} is not set"),
    (settings.read_integer, {"minimum": 1}, "0", f"{NAME} is 0, less than 1"),
    (settings.read_integer, {"maximum": 3}, "4", f"{NAME} is 4, more than 3"),
    (settings.read_integer, {}, "ten", f"{NAME} is .ten."),
    (settings.read_integer, {}, "1.5", f"{NAME} is .1.5."),
    (settings.read_seconds, {}, "soon", f"{NAME} is .soon."),
    (settings.read_seconds, {}, "nan", f"{NAME} is .nan."),
    (settings.read_seconds, {}, "inf", f"{NAME} is .inf."),
    (settings.read_flag, {}, "perhaps", f"{NAME} is .perhaps."),
    (settings.read_choice, {"choices": CHOICES}, "xml", "not one of json, console"),
    *(
        (settings.read_bind, {}, text, "not host:port")
        for text in ("8080", ":8080", "host", "host:", "host:x", "host:65536", "::1:80", "a:²")
    ),
]


def environ(text: str | None) -> dict[str, str]:
    """Return an environment in which the variable is that, or is not set."""
    return {} if text is None else {NAME: text}


@pytest.mark.parametrize("name", READ)
def test_a_variable_is_read(name: str) -> None:
    """The environment decides, the default fills in; a bind is written back the same."""
    read, options, text, value = READ[name]
    assert read(NAME, **options, environ=environ(text)) == value
    if isinstance(value, Bind):
        assert str(value) == text


@pytest.mark.parametrize(("read", "options", "text", "said"), REFUSED)
def test_a_value_that_means_nothing_is_refused(
    read: Callable[..., object], options: dict[str, Any], text: str | None, said: str
) -> None:
    """The error names the variable and what stands there, or how it should look."""
    with pytest.raises(SettingError, match=said):
        read(NAME, **options, environ=environ(text))


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """The _FILE form reads the file and drops the line break that editors add."""
    path = tmp_path / "secret"
    path.write_text("s3cret \n")
    assert settings.read_secret(NAME, environ={f"{NAME}_FILE": str(path)}) == "s3cret "
    path.write_text("from-file")
    with pytest.raises(SettingError, match="keep one") as caught:
        settings.read_secret(NAME, environ={NAME: "from-variable", f"{NAME}_FILE": str(path)})
    assert "from-" not in str(caught.value), "which of two is meant can't be guessed, and neither is shown"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_gives_no_text_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or binary file is an error that names the variable, not a crash later."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError, match="ROOMLOG_THING_FILE"):
        settings.read_secret(NAME, environ={f"{NAME}_FILE": str(path)})
