"""Reading a room's messages looks at messages alone, however many came and went between them."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roomlog import selectors
from roomlog.models import ChatMessage, Reaction
from roomlog_contract.commands import DeleteMessage, EditMessage, PinMessage
from tests.harness.databases import ON_PARTITIONS_TOO, plan_of
from tests.harness.people import People, make_room, message, written

pytestmark = ON_PARTITIONS_TOO
OTHERS = 3_000
"""Joins and leaves; with 200,000 the plan is the same."""


@pytest.fixture
def crowded(people: People) -> UUID:
    """A room with one message, much coming and going, and another message."""
    room = make_room(people.alice)
    written(message(room, "first"), people.alice)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
            " INSERT INTO roomlog_roomevent (room_id, seq, kind, user_id, uuid, body_hash, text,"
            " date_created) SELECT room_id, n, 'leave_room', user_id, CAST(n AS varchar(9)), '', '',"
            " date_created"
            " FROM numbers, roomlog_roomevent WHERE seq = 2",
            [OTHERS],
        )
        cursor.execute("UPDATE roomlog_roomhead SET last_seq = %s", [OTHERS])
        cursor.execute("ANALYZE")
    written(message(room, "last"), people.alice)
    return room


def test_edits_and_pins_are_found_by_indexes(crowded: UUID) -> None:
    """Only messages are looked at."""
    with CaptureQueriesContext(connection) as captured:
        assert [row.text for row in selectors.last_messages(crowded, OTHERS + 9, 10)] == ["first", "last"]
        assert [row.text for row in selectors.messages_after(crowded, 0, 10)] == ["first", "last"]
    assert len(captured) == 2
    for query in captured.captured_queries:
        assert "messages_by_seq" in plan_of(query["sql"])
    said = ChatMessage.objects.get(room=crowded, text="first")
    pin = PinMessage(uuid="p", room=crowded, message=said.pk)
    with CaptureQueriesContext(connection) as captured:
        written(pin, said.user_id)
        assert selectors.pinned_messages(crowded, 9) == [said]
    pinned = '"pinned_seq" IS NOT NULL'
    plans = [plan_of(one["sql"]) for one in captured.captured_queries if pinned in one["sql"]]
    assert len(plans) == 2
    assert all("pins_by_seq" in plan for plan in plans), plans


def test_edits_are_found_by_indexes(crowded: UUID) -> None:
    """A page reads them by their seqs; a deletion finds those of its message, and the reactions to it."""
    said = ChatMessage.objects.get(room=crowded, text="first")
    written(EditMessage(uuid="e", room=crowded, message=said.pk, text="better"), said.user_id)
    seqs = range(OTHERS, OTHERS + 2_000)
    Reaction.objects.bulk_create(
        Reaction(room_id=crowded, target=seq, emoji="👍", user_id=said.user_id, seq=seq) for seq in seqs
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    rows = selectors.last_messages(crowded, OTHERS + 9, 10)
    with CaptureQueriesContext(connection) as captured:
        assert [one.text for one in selectors.in_present_state(rows)] == ["better", "last"]
    users, edits = captured.captured_queries
    assert "roomlog_person" in users["sql"]
    assert "seq_once" in plan_of(edits["sql"]) or "(room_id=? AND seq=?)" in plan_of(edits["sql"])
    with CaptureQueriesContext(connection) as captured:
        written(DeleteMessage(uuid="d", room=crowded, message=said.pk), said.user_id)
    contents, scrub, reactions = (
        one["sql"] for one in captured.captured_queries if '"target" IN' in one["sql"]
    )
    assert "changes_by_target" in plan_of(contents)
    assert "seq_once" in plan_of(contents) or "(room_id=? AND seq=?)" in plan_of(contents)
    assert "changes_by_target" in plan_of(scrub)
    assert "reaction_once" in plan_of(reactions) or "(room_id=? AND target=?" in plan_of(reactions)
