"""An action is complete: whoever adds one is told by the file's name what is still missing."""

from pathlib import Path
from typing import get_args

import pytest

from roomlog_client import RoomlogClient
from roomlog_contract.actions import ACTIONS, Stream
from roomlog_contract.commands import ClientCommand, CreateRoom, RoomWrite
from roomlog_worker.log.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "packages" / "contract"
SECTIONS = (CONTRACT / "README.md").read_text(encoding="utf-8").split("\n## ")
OF_ITS_OWN = {"new_message": "send"}
"""What our client calls otherwise."""
SHOWN_IN_THEIR_MESSAGE = {"new_message", "edit_message", "delete_message", "add_reaction", "remove_reaction"}
"""What the page shows without a line of its own."""
THE_CLIENTS_OWN = {"authenticate", "select_room"}
"""What our client does by itself."""
WRITES = [name for name, action in ACTIONS.items() if action.is_write]


def rows(beginning: str) -> list[str]:
    """Return the rows of the tables of a section of the specification."""
    (section,) = (section for section in SECTIONS if section.startswith(beginning))
    return [line for line in section.splitlines() if line.startswith("| `")]


def names(row: str) -> str:
    """Return a row's first cell."""
    return row.split("|")[1]


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_specified(name: str) -> None:
    """It has a row among the commands, and an example of each of its frames."""
    assert any(f"`{name}`" in names(row) for row in rows("3. ")), "packages/contract/README.md, section 3"
    stream = ACTIONS[name].stream
    carried = [row for row in rows("10. ") if f"`{name}`" in row.split("|")[2]]
    expected = [] if stream is Stream.NONE else [f" `{stream}` "]
    assert [names(row) for row in carried] == expected, "packages/contract/README.md, section 10, streams"
    files = [f"command.{name}.json"]
    files.append(f"event.{name}.json" if ACTIONS[name].is_write else f"answer.{name}.json")
    for file in files:
        assert (CONTRACT / "examples" / file).exists(), f"packages/contract/examples/{file}"


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_an_event_with_a_rule(name: str) -> None:
    """It has a row among the events, a rule, a row of who may, and words on the page."""
    assert any(f"`{name}`" in names(row) for row in rows("4. ")), "packages/contract/README.md, section 4"
    assert ACTIONS[name].command in get_args(RoomWrite), "roomlog_contract/commands.py: RoomWrite"
    assert ACTIONS[name].command in RULES, "services/worker/roomlog_worker/log/rules/__init__.py"
    if ACTIONS[name].command is not CreateRoom:
        may = [row for row in rows("3. ") if f"`{name}`" in names(row) and "`not_member`" in row]
        assert may, "packages/contract/README.md, section 3, who may what"
    if name not in SHOWN_IN_THEIR_MESSAGE:
        view = ROOT / "clients" / "web" / "view.js"
        assert f"  {name}: gettext_noop(" in view.read_text(encoding="utf-8"), "clients/web/view.js"


@pytest.mark.parametrize("name", [name for name in ACTIONS if name not in THE_CLIENTS_OWN])
def test_a_program_can_ask_for_it(name: str) -> None:
    """Our client has a method of the action's name."""
    method = OF_ITS_OWN.get(name, name)
    assert hasattr(RoomlogClient, method), f"clients/python/roomlog_client/client.py: {method}"


def test_nothing_else_has_a_rule() -> None:
    """The rules and the writes of the registry are the same, and the commands' types name no other."""
    assert set(get_args(ClientCommand)) == {action.command for action in ACTIONS.values()}
    assert set(RULES) == {ACTIONS[name].command for name in WRITES}
    assert {ACTIONS[name].stream for name in WRITES} == {Stream.WRITE}
