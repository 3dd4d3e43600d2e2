"""`roomlog export`: a room's log or one person's messages, a line of JSON for each."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roomlog import export, log_scan
from roomlog.models import Ban, Block, ChatRoom, Membership, MessageReport
from tests.harness.people import People, make_room, message, written

pytestmark = pytest.mark.usefixtures("database")


def exported(*words: str) -> list[dict[str, Any]]:
    """Return the objects that the command wrote to standard output; a text may hold other ends of lines."""
    out = StringIO()
    call_command("roomlog", "export", *words, stdout=out, stderr=StringIO())
    return [json.loads(line) for line in out.getvalue().split("\n")[:-1]]


def test_a_room_is_its_members_and_events_in_order(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the wire, a page after the other."""
    monkeypatch.setattr(export, "PAGE", 2)
    room = make_room(people.alice, [people.bob])
    for number in range(4):
        written(message(room, f"text {number} \u2028 ü"), people.bob)
    Ban.objects.create(room_id=room, user_id=people.carol, seq=1)
    first, *events = exported("--room", str(room))
    assert first["room"] == room.hex
    assert {(member["user"], member["role"]) for member in first["members"]} == {
        (people.alice, "owner"),
        (people.bob, "member"),
    }
    assert first["bans"] == [{"user": people.carol, "until": None}]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert events[0]["action"] == "create_room"
    assert events[4]["message"]["text"] == "text 3 \u2028 ü"


def test_a_person_is_their_rooms_and_messages(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what others said."""
    monkeypatch.setattr(log_scan, "PIECE", 3)
    here, there = make_room(people.alice, [people.bob]), make_room(people.alice)
    for room in (here, there, here):
        written(message(room, "mine"), people.alice)
    written(message(here, "not mine"), people.bob)
    alice = User.objects.get(roomlog_person=people.alice)
    Membership.objects.filter(room=there).update(muted_until="2999-01-01T00:00Z")
    Ban.objects.create(room_id=make_room(people.bob), user_id=people.alice, seq=1)
    for reporter, author in ((people.alice, people.bob), (people.bob, people.alice)):
        Block.objects.create(blocker_id=reporter, blocked_id=author)
        MessageReport.objects.create(
            room_id=here, target=2, author_id=author, user_id=reporter, reason="spam"
        )
    first, *said = exported(str(alice.pk))
    assert (first["person"], first["account"], first["name"]) == (people.alice, str(alice.pk), "alice")
    assert [row["room"] for row in first["rooms"]] == [here.hex, there.hex]
    assert [row["muted_until"] for row in first["rooms"]] == [None, "2999-01-01T00:00:00Z"]
    assert [ban["until"] for ban in first["bans"]] == [None]
    assert first["blocks"] == [people.bob]
    assert [(one["room"], one["target"], one["reason"]) for one in first["reports"]] == [
        (here.hex, 2, "spam")
    ]
    assert [one["text"] for one in said] == ["mine"] * 3
    assert exported("--person", str(people.alice)) == [first, *said]


def test_memory_does_not_grow_with_the_log(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query asks for one page; progress is told, a file is new and complete."""
    monkeypatch.setattr(export, "PAGE", 2)
    room = make_room(people.alice)
    for _ in range(5):
        written(message(room), people.alice)
    told: list[tuple[int, int]] = []
    with CaptureQueriesContext(connection) as asked:
        lines = list(export.lines_of_room(ChatRoom.objects.get(), lambda *done: told.append(done)))
    pages = [one["sql"] for one in asked.captured_queries if "roomlog_roomevent" in one["sql"]]
    assert len(lines) == 7
    assert told == [(2, 6), (4, 6), (6, 6)]
    assert all("LIMIT 2" in sql for sql in pages)


def test_a_file_is_written_once(people: People, tmp_path: Path) -> None:
    """What is not there is said."""
    room, path = make_room(people.alice), tmp_path / "room.jsonl"
    assert exported("--room", str(room), "--output", str(path)) == []
    assert len(path.read_text().splitlines()) == 2
    with pytest.raises(CommandError, match="exists"):
        exported("--room", str(room), "--output", str(path))
    for words in (["--room", "0" * 32], ["nobody"], [], ["1", "--room", str(room)]):
        with pytest.raises(CommandError):
            exported(*words)
