"""Commands on their way out: kept, repeated, bounded, and in the order in which they were given."""

import pytest

from roomlog_client.errors import OutboxFull
from roomlog_client.outbox import IN_FLIGHT_COMMANDS, WAITING_COMMANDS, Command, Outbox


def filled(*names: str) -> Outbox:
    """Return an outbox with commands named `room.number`."""
    outbox = Outbox()
    for name in names:
        outbox.add(Command(name, "new_message", name.split(".")[0], b"{}"))
    return outbox


def send(outbox: Outbox, now: float = 0.0) -> list[str]:
    """Send what is due and return the uuids."""
    sent = []
    for command in outbox.due(now):
        outbox.sent(command, now)
        sent.append(command.uuid)
    return sent


def test_refused_command_holds_back_its_room_alone() -> None:
    """Nothing of its room overtakes it until the answer; other rooms and a new connection go on."""
    outbox = filled("a.1")
    send(outbox)
    outbox.refused("a.1", 5.0)
    outbox.add(Command("a.2", "new_message", "a", b"{}"))
    outbox.add(Command("b.1", "new_message", "b", b"{}"))
    assert send(outbox, 4.9) == ["b.1"]
    assert outbox.next_at(4.9) == 5.0
    assert send(outbox, 5.0) == ["a.1"]
    outbox.settle("a.1")
    assert send(outbox, 5.1) == ["a.2"]
    outbox = filled("a.1", "a.2")
    send(outbox)
    outbox.refused("a.1", 5.0)
    outbox.disconnected()
    assert send(outbox, 1.0) == ["a.1", "a.2"]


def test_outbox_is_bounded() -> None:
    """In flight by the window, waiting by their number; a uuid that is under way is refused."""
    outbox = filled(*(f"a.{number}" for number in range(IN_FLIGHT_COMMANDS + 2)))
    assert len(send(outbox)) == IN_FLIGHT_COMMANDS
    assert send(outbox) == []
    outbox.settle("a.0")
    assert send(outbox) == [f"a.{IN_FLIGHT_COMMANDS}"]
    outbox = filled(*(f"a.{number}" for number in range(WAITING_COMMANDS)))
    with pytest.raises(OutboxFull):
        outbox.add(Command("a.x", "new_message", "a", b"{}"))
    assert len(outbox) == WAITING_COMMANDS
    outbox = filled("a.1")
    with pytest.raises(ValueError, match="under way"):
        outbox.add(Command("a.1", "new_message", "a", b"{}"))


def test_settled_command_is_forgotten() -> None:
    """An answered command is never sent again, whatever happens to the connection."""
    outbox = filled("a.1")
    send(outbox)
    assert outbox.settle("a.1") is not None
    assert outbox.settle("a.1") is None
    outbox.disconnected()
    outbox.refused("a.1", 0.0)
    assert send(outbox) == []
