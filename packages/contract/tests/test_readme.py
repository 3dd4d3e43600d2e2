"""The specification names everything that the code has: an action, code or limit is not added in silence."""

import re
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest

from roomlog_contract import envelope, limits
from roomlog_contract.actions import COMMANDS
from roomlog_contract.errors import CloseCode, ErrorCode
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.schema import frame_structs

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
LIMITS = {name: value for name, value in vars(limits).items() if name.isupper()}
INSIDE = (
    envelope.Envelope,
    envelope.Beacon,
    *get_args(envelope.Reply),
    *get_args(envelope.RoomNotice | envelope.UserNotice),
)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table rows of a section."""
    section = README.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    lines = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


@pytest.mark.parametrize("action", COMMANDS)
def test_an_action_has_a_row_with_all_its_keys(action: str) -> None:
    """Every field of the struct stands in a row of the table of commands."""
    keys = " ".join(row[1] for row in rows("3.") if row[0] == f"`{action}`" and len(row) > 1)
    assert any(row[0] == f"`{action}`" for row in rows("3."))
    fields = COMMANDS[action].__struct_fields__
    assert [field for field in fields if field != "uuid" and f"`{field}" not in keys] == []


@pytest.mark.parametrize("struct", frame_structs(), ids=lambda struct: str(struct.__name__))
def test_a_frame_is_named_with_all_its_keys(struct: type) -> None:
    """Every action and every key that the server sends is written down."""
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", README))))
    tag = struct.__struct_config__.tag  # type: ignore[attr-defined]
    fields = struct.__struct_fields__  # type: ignore[attr-defined]
    assert {*fields, *([tag] if tag else [])} - words == set()


def test_every_code_and_limit_has_a_row() -> None:
    """Errors, close codes, and limits with their values."""
    assert [row[0].strip("`") for row in rows("6.")[2:]] == [str(code) for code in ErrorCode]
    named = {int(row[0]) for row in rows("8.")[2:]}
    assert named == {int(code) for code in CloseCode} | {1002, 1007}
    assert {row[0].strip("`"): float(row[1]) for row in rows("9.")[2:]} == LIMITS


@pytest.mark.parametrize("struct", INSIDE, ids=lambda struct: str(struct.__name__))
def test_what_travels_inside_is_written_with_its_fields(struct: type) -> None:
    """The second part names every envelope, reply and notice with its fields in order."""
    fields = ", ".join(struct.__struct_fields__)  # type: ignore[attr-defined]
    name = struct.__name__
    assert f"`{name} {{{fields}}}`" in README if fields else f"`{name}`" in README


def test_every_key_and_channel_is_written() -> None:
    """Names of streams and channels as they are made."""
    keyspace, room = Keyspace("<prefix>"), UUID(int=7)
    made = {
        keyspace.in_stream(7),
        keyspace.read_stream(7),
        keyspace.browse_stream(7),
        keyspace.tries_key(7),
        keyspace.room_channel(room).replace(room.hex, "<32 hex>"),
        keyspace.user_channel(7).replace(":7", ":<id>"),
        keyspace.beacon_channel,
        keyspace.shards_channel,
        keyspace.gateway_channel("7").replace(":7", ":<id>"),
    }
    written = {re.sub(r"{s\d\d}", "{sNN}", name) for name in made}
    assert [name for name in written if f"`{name}`" not in README] == []
