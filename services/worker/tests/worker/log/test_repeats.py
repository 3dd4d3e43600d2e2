"""Repeats, however they are mixed into batches: one event for each (room, sender, uuid), for ever (G2)."""

from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomlog.models import RoomEvent
from roomlog_contract.errors import ErrorCode
from roomlog_worker.log.rules import Recorded
from tests.harness.databases import ON_PARTITIONS_TOO
from tests.harness.people import People, add_user, make_room, message, write

pytestmark = ON_PARTITIONS_TOO
commands = st.tuples(st.sampled_from("abc"), st.sampled_from(["alice", "bob"]), st.sampled_from(["hi", "ho"]))
"""uuid, sender, text."""


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(commands, min_size=1, max_size=5), min_size=1, max_size=4))
def test_any_mixture_of_repeats_stores_each_message_once(
    people: People, batches: list[list[tuple[str, str, str]]]
) -> None:
    """The first text of a uuid holds; the same again gets its seq, another is a conflict."""
    # a room for each example, and an owner, who may make only so many a minute: nothing is shared
    room = make_room(add_user(f"owner of {RoomEvent.objects.count()}"), [people.alice, people.bob])
    known: dict[tuple[str, str], tuple[int, str]] = {}
    for batch in batches:
        results = write(
            *((message(room, text, uuid=uuid), getattr(people, user)) for uuid, user, text in batch)
        )
        for (uuid, user, text), result in zip(batch, results, strict=True):
            is_repeat = (uuid, user) in known
            seq, first = known.setdefault((uuid, user), (len(known) + 2, text))
            if text != first:
                assert result == ErrorCode.UUID_CONFLICT
            else:
                assert isinstance(result, Recorded)
                assert (result.event.seq, result.duplicate) == (seq, is_repeat)
    assert log_of(room) == [(seq, uuid, text) for (uuid, _), (seq, text) in known.items()]


def log_of(room: UUID) -> list[tuple[int, str, str]]:
    """Return the room's messages."""
    rows = RoomEvent.objects.filter(room_id=room, seq__gt=1).order_by("seq")
    return list(rows.values_list("seq", "uuid", "text"))
