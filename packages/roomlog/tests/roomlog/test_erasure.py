"""`roomlog erase`: what it finds of a person, what it asks the workers for, and what it cleans itself."""

from io import StringIO
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from roomlog import erasure, log_scan
from roomlog.models import Ban, DeadLetter, MessageReport, PendingCommand, RoomEvent
from roomlog_contract.commands import NewMessage, ReportMessage
from roomlog_contract.envelope import Envelope, EraseMessages, decode_envelope, encode
from tests.harness.people import People, make_room, message, post_as, written

pytestmark = pytest.mark.usefixtures("database")


def erase(*words: str) -> str:
    """Run the command and return all that it printed."""
    out = StringIO()
    call_command("roomlog", "erase", *words, stdout=out, stderr=out)
    return out.getvalue()


def asked() -> list[tuple[UUID, int, set[str]]]:
    """Return what workers are asked to erase: room, sender and uuids."""
    envelopes = [decode_envelope(bytes(row.envelope)) for row in PendingCommand.objects.order_by("id")]
    return [
        (envelope.command.room, envelope.command.sender, set(envelope.command.uuids))
        for envelope in envelopes
        if isinstance(envelope.command, EraseMessages)
    ]


def test_messages_are_found_in_every_room_and_piece(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the log and in the queue; others' are left out, and nothing is written to the log here."""
    monkeypatch.setattr(log_scan, "PIECE", 2)
    here, there = make_room(people.alice, [people.bob]), make_room(people.bob, [people.alice])
    for number in range(3):  # one of them is the last of its piece
        written(message(here, uuid=f"a{number}"), people.alice)
    written(message(here), people.bob)
    written(message(there, uuid="b"), people.alice)
    post_as(there, people.alice, "still waiting", uuid="c")
    key = User.objects.get(roomlog_person=people.alice).pk
    assert "5 messages" in erase(str(key))
    found: dict[UUID, set[str]] = {}
    for room, sender, uuids in asked():
        assert sender == people.alice
        found.setdefault(room, set()).update(uuids)
    assert found == {here: {"a0", "a1", "a2"}, there: {"b", "c"}}
    assert not RoomEvent.objects.filter(text="", kind="new_message").exists()


def test_a_command_names_so_many_messages(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's transaction stays short."""
    monkeypatch.setattr(erasure, "AT_ONCE", 2)
    room = make_room(people.alice)
    for _ in range(5):
        written(message(room), people.alice)
    erase("--person", str(people.alice))
    assert [len(uuids) for _, _, uuids in asked()] == [2, 2, 1]


def test_dead_letters_lose_their_texts(people: People) -> None:
    """Only theirs; what can't be read is told of."""
    room = make_room(people.alice, [people.bob])
    for number, user in enumerate((people.alice, people.bob)):
        envelope = Envelope(
            command=NewMessage(uuid="u", room=room, text="secret"), user=user, data='{"card":"secret"}'
        )
        DeadLetter.objects.create(shard=1, entry=f"{number}-0", error="x", envelope=encode(envelope))
    DeadLetter.objects.create(shard=1, entry="2-0", error="undecodable", envelope=b"\xc1")
    printed = erase("--person", str(people.alice))
    assert "1 dead letters and 0 bans: erased" in printed
    assert "1 dead letters can't be read" in printed
    hers, his, _ = DeadLetter.objects.order_by("entry")
    assert b"secret" not in bytes(hers.envelope)
    assert decode_envelope(bytes(hers.envelope)).user == people.alice
    assert b"secret" in bytes(his.envelope)


def test_bans_end_with_it(people: People) -> None:
    """Theirs alone."""
    room = make_room(people.alice)
    for person in (people.bob, people.carol):
        Ban.objects.create(room_id=room, user_id=person, seq=1)
    assert "and 1 bans: erased" in erase("--person", str(people.bob))
    assert [ban.user_id for ban in Ban.objects.all()] == [people.carol]


def test_reports_lose_their_comments(people: People) -> None:
    """Those that the person wrote, also in dead letters; who reported what stays."""
    room = make_room(people.alice)
    for number, person in enumerate((people.alice, people.bob)):
        facts = {"room_id": room, "target": 2, "author_id": people.carol, "comment": "secret"}
        MessageReport.objects.create(**facts, user_id=person)
        command = ReportMessage(uuid="u", room=room, message=1, reason="spam", comment="secret")
        envelope = encode(Envelope(command=command, user=person))
        DeadLetter.objects.create(shard=1, entry=f"{number}-0", error="x", envelope=envelope)
    assert "1 reports" in erase("--person", str(people.alice))
    comments = MessageReport.objects.order_by("user").values_list("user", "comment")
    assert dict(comments) == {people.alice: "", people.bob: "secret"}
    letters = DeadLetter.objects.order_by("entry").values_list("envelope", flat=True)
    assert [b"secret" in bytes(letter) for letter in letters] == [False, True]


def test_a_deleted_account_has_left_first(people: People) -> None:
    """So that nothing of it can come after what was found."""
    written(message(make_room(people.alice)), people.alice)
    User.objects.get(roomlog_person=people.alice).delete()
    with pytest.raises(CommandError, match="Run this again"):
        erase("--person", str(people.alice))
    PendingCommand.objects.all().delete()
    assert "1 messages" in erase("--person", str(people.alice))


@pytest.mark.parametrize(
    "words", ["", "0", "nobody", "--person 0", "{user} --person {person}"], ids=lambda words: words or "none"
)
def test_nobody_is_erased_by_mistake(people: People, words: str) -> None:
    """One person must be meant, and exist."""
    alice = User.objects.get(roomlog_person=people.alice)
    written(message(make_room(people.alice)), people.alice)
    with pytest.raises(CommandError):
        erase(*words.format(user=alice.pk, person=people.alice).split())
    assert asked() == []
