"""How the environment is read: every variable has one meaning or one readable error."""

from collections.abc import Callable
from pathlib import Path

import pytest

from roomlog_runtime import settings
from roomlog_runtime.settings import Bind, SettingError

NAME = "ROOMLOG_THING"


def test_a_text_that_is_set_wins_over_the_default() -> None:
    """The environment decides, the default only fills in."""
    assert settings.read_text(NAME, "default", environ={NAME: "set"}) == "set"


@pytest.mark.parametrize("environ", [{}, {NAME: ""}])
def test_an_empty_text_counts_as_not_set(environ: dict[str, str]) -> None:
    """A chart that renders an empty optional value gets the default, not an empty address."""
    assert settings.read_text(NAME, "default", environ=environ) == "default"
    with pytest.raises(SettingError, match="ROOMLOG_THING is not set"):
        settings.read_text(NAME, environ=environ)


def test_an_empty_default_is_allowed() -> None:
    """An optional text without a value is the empty text."""
    assert settings.read_text(NAME, "", environ={}) == ""


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """The _FILE form reads the file and drops the line break that editors add."""
    path = tmp_path / "secret"
    path.write_text("s3cret \n")
    assert settings.read_secret(NAME, environ={f"{NAME}_FILE": str(path)}) == "s3cret "


def test_a_secret_in_both_forms_is_refused(tmp_path: Path) -> None:
    """Which of two secrets is meant can't be guessed, and neither is shown."""
    path = tmp_path / "secret"
    path.write_text("from-file")
    with pytest.raises(SettingError, match="keep one") as caught:
        settings.read_secret(NAME, environ={NAME: "from-variable", f"{NAME}_FILE": str(path)})
    assert "from-" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_that_gives_no_text_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or binary file is an error that names the variable, not a crash later."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError, match="ROOMLOG_THING_FILE"):
        settings.read_secret(NAME, environ={f"{NAME}_FILE": str(path)})


def test_whole_numbers_stay_in_their_range() -> None:
    """Both ends are allowed, beyond them the error names the variable and the bound."""
    assert settings.read_integer(NAME, 7, environ={}) == 7
    assert settings.read_integer(NAME, minimum=1, maximum=3, environ={NAME: "3"}) == 3
    with pytest.raises(SettingError, match="ROOMLOG_THING is 0, less than 1"):
        settings.read_integer(NAME, minimum=1, environ={NAME: "0"})
    with pytest.raises(SettingError, match="ROOMLOG_THING is 4, more than 3"):
        settings.read_integer(NAME, maximum=3, environ={NAME: "4"})


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (settings.read_integer, "ten"),
        (settings.read_integer, "1.5"),
        (settings.read_seconds, "soon"),
        (settings.read_seconds, "nan"),
        (settings.read_seconds, "inf"),
        (settings.read_flag, "perhaps"),
    ],
)
def test_a_value_of_another_type_is_refused(read: Callable[..., object], text: str) -> None:
    """The error shows the variable and what stands there."""
    with pytest.raises(SettingError, match=f"{NAME} is .{text}."):
        read(NAME, environ={NAME: text})


def test_seconds_may_be_fractions() -> None:
    """Half a second is a duration."""
    assert settings.read_seconds(NAME, environ={NAME: "0.5"}) == 0.5


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("Yes", True), ("0", False), ("OFF", False)])
def test_flags_are_read_in_any_case(text: str, flag: bool) -> None:
    """The usual words mean the usual thing."""
    assert settings.read_flag(NAME, environ={NAME: text}) is flag


def test_a_choice_is_one_of_the_named() -> None:
    """Another word is refused with the list of the right ones."""
    assert settings.read_choice(NAME, ("json", "console"), "json", environ={NAME: "Console"}) == "console"
    with pytest.raises(SettingError, match="not one of json, console"):
        settings.read_choice(NAME, ("json", "console"), environ={NAME: "xml"})


def test_a_list_drops_blanks() -> None:
    """Spaces and doubled commas are no entries."""
    assert settings.read_list(NAME, environ={NAME: " a, ,b,"}) == ("a", "b")
    assert settings.read_list(NAME, ("c",), environ={}) == ("c",)


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("0.0.0.0:8080", Bind("0.0.0.0", 8080)),
        ("localhost:0", Bind("localhost", 0)),
        ("[::1]:9080", Bind("::1", 9080)),
    ],
)
def test_a_bind_is_host_and_port(text: str, bind: Bind) -> None:
    """Names, addresses and bracketed IPv6 are read, and written back the same."""
    assert settings.read_bind(NAME, environ={NAME: text}) == bind
    assert str(bind) == text


@pytest.mark.parametrize("text", ["8080", ":8080", "host", "host:", "host:x", "host:65536", "::1:80", "a:²"])
def test_a_bind_that_is_not_host_and_port_is_refused(text: str) -> None:
    """The error shows how it should look."""
    with pytest.raises(SettingError, match="not host:port"):
        settings.read_bind(NAME, environ={NAME: text})
