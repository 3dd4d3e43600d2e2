"""What reads answer: who is this, which rooms, what happened; to members only, and never a guess."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.conf import settings
from django.contrib.auth.models import User as DjangoUser
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token

from roomlog import selectors
from roomlog.ban import FOREVER
from roomlog.epochs import new_epoch
from roomlog.models import Membership, RoomHead
from roomlog.tickets import make_ticket
from roomlog_contract.commands import (
    ClientCommand,
    Cursor,
    GetHistory,
    LeaveRoom,
    ListPins,
    ListRooms,
    Ping,
    SelectRoom,
)
from roomlog_contract.envelope import (
    Answered,
    Envelope,
    EventsFetched,
    FetchEvents,
    HeadsRead,
    Identified,
    Identify,
    ReadHeads,
    Selected,
)
from roomlog_contract.events import User
from roomlog_contract.limits import PAGE_BYTES, PAGE_EVENTS, SELECT_MESSAGES, TEXT_CODE_POINTS
from roomlog_worker.bus import BUNDLE_BYTES
from roomlog_worker.entries import Entry
from roomlog_worker.reader import read
from tests.harness.databases import EPOCH
from tests.harness.people import People, make_room, make_token, message, write, written
from tests.worker.bench import GATEWAY, KEYSPACE, Bench


@pytest.fixture
def room(bench: Bench, people: People) -> UUID:
    """Alice's room with Bob in it."""
    return make_room(people.alice, [people.bob])


def say(room: UUID, user: int, number: int, text: str = "text") -> None:
    """Write so many messages."""
    write(*((message(room, text), user) for _ in range(number)))


def ask(bench: Bench, command: Any, user: int) -> dict[str, Any]:
    """Return the answer's frame."""
    request = bench.ask(command, user)
    return bench.turn().frame(request)


def select(bench: Bench, room: UUID, user: int, since: int | None = None, epoch: str = EPOCH) -> Selected:
    """Return the reply to select_room."""
    cursor = None if since is None else Cursor(epoch, since)
    request = bench.ask(SelectRoom(uuid="s", room=room, since=cursor), user)
    return bench.turn().reply(request, Selected)


class TestIdentify:
    """Whose token or ticket it is."""

    @staticmethod
    def identified(
        bench: Bench,
        user: int = 0,
        *,
        token: str | None = None,
        ticket: str | None = None,
        is_recheck: bool = False,
    ) -> Identified:
        """Return the reply to a gateway's question."""
        question = Identify(uuid="i", token=token, ticket=ticket, is_recheck=is_recheck)
        request = bench.ask(question, user, shard=9)
        return bench.turn().reply(request, Identified)

    @staticmethod
    def ticket(user: int) -> str:
        """Return a ticket of the user's new token."""
        token = make_token(user)
        return make_ticket(token.user, token=token.key)

    def test_a_token_names_its_user_and_the_rooms(self, bench: Bench, people: People, room: UUID) -> None:
        """With heads: what a client needs to begin."""
        found = self.identified(bench, token=make_token(people.alice).key)
        assert found.user == User(people.alice, "alice")
        assert [(summary.id, summary.epoch, summary.seq) for summary in found.rooms] == [(room, EPOCH, 1)]

    def test_it_says_where_the_user_may_not_write(self, bench: Bench, people: People, room: UUID) -> None:
        """The gateway refuses there what no worker sees."""
        token = make_token(people.alice)
        found = self.identified(bench, token=token.key)
        assert (found.readers, found.muted) == ([], [])
        mine = Membership.objects.filter(user_id=people.alice)
        mine.update(role="reader", muted_until=FOREVER)
        found = self.identified(bench, token=token.key)
        assert (found.readers, found.muted) == ([room], [room])

    @pytest.mark.parametrize(("rules", "sees"), [("NoRules", True), ("rest.test_presence.Rules", False)])
    def test_it_says_whether_a_rule_hides_people(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch, rules: str, sees: bool
    ) -> None:
        """A gateway can't ask the rule; a policy without it hides nobody."""
        module = rules if "." in rules else f"test_policy.{rules}"
        monkeypatch.setitem(settings.ROOMLOG, "POLICY", f"tests.roomlog.{module}")
        assert self.identified(bench, token=make_token(people.alice).key).sees_presence is sees

    def test_a_ticket_lasts_a_minute_and_no_longer_than_its_token(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At the recheck of a connection that came in time its age no longer counts."""
        ticket = self.ticket(people.bob)
        assert self.identified(bench, ticket=ticket).user == User(people.bob, "bob")
        monkeypatch.setattr("roomlog.tickets.TICKET_SECONDS", -1)
        assert self.identified(bench, ticket=ticket).user is None
        assert self.identified(bench, people.bob, ticket=ticket).user is None
        assert self.identified(bench, ticket=ticket, is_recheck=True).user == User(people.bob, "bob")
        ticket = self.ticket(people.alice)
        Token.objects.all().delete()
        make_token(people.alice)
        assert self.identified(bench, people.alice, ticket=ticket).user is None

    @pytest.mark.parametrize(("token", "ticket"), [("unknown", None), (None, "1:forged"), (None, None)])
    def test_an_unknown_secret_names_nobody(
        self, bench: Bench, people: People, token: str | None, ticket: str | None
    ) -> None:
        """No user, no rooms, no error: the gateway counts the tries."""
        found = self.identified(bench, token=token, ticket=ticket)
        assert (found.user, found.rooms) == (None, [])

    def test_the_deactivated_are_nobody(self, bench: Bench, people: People) -> None:
        """Neither token nor ticket helps them, at the recheck either."""
        ticket = self.ticket(people.alice)
        token = Token.objects.get(user__roomlog_person=people.alice)
        DjangoUser.objects.update(is_active=False)
        for is_recheck in (False, True):
            assert self.identified(bench, token=token.key, is_recheck=is_recheck).user is None
            assert self.identified(bench, ticket=ticket, is_recheck=is_recheck).user is None

    def test_many_tickets_cost_as_many_queries_as_one(
        self, people: People, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        """The database's time, users, tokens and rooms: once for all that a read brought."""
        made = [self.ticket(user) for user in (people.alice, people.bob, people.carol)]
        asked = [Envelope(command=Identify(uuid="i", ticket=ticket), gateway=GATEWAY) for ticket in made]
        with django_assert_num_queries(4):
            read([Entry(0, "", "", envelope) for envelope in asked])


class TestHeads:
    """How far rooms are."""

    def test_heads_of_many_rooms_in_one_answer(self, bench: Bench, people: People, room: UUID) -> None:
        """Rooms that are gone are missing."""
        other = make_room(people.alice)
        say(other, people.alice, 3)
        request = bench.ask(ReadHeads(uuid="h", rooms=[room, other, uuid4()]))
        found = bench.turn().reply(request, HeadsRead)
        assert (found.epoch, found.heads) == (EPOCH, {room: 1, other: 4})


class TestFetchEvents:
    """Filling a gap."""

    @staticmethod
    def fetch(bench: Bench, room: UUID, after: int, limit: int = PAGE_EVENTS) -> EventsFetched:
        """Return a page."""
        request = bench.ask(FetchEvents(uuid="f", room=room, after=after, limit=limit))
        return bench.turn().reply(request, EventsFetched)

    def test_the_page_has_what_was_published(self, bench: Bench, people: People, room: UUID) -> None:
        """Frames, users and leavers are those of the first publication."""
        bench.send(message(room, "said"), people.bob)
        bench.send(LeaveRoom(uuid="l", room=room), people.bob)
        published = bench.drain().notices
        page = self.fetch(bench, room, 1)
        assert [(n.seq, n.frame, n.user, n.left) for n in page.events] == [
            (n.seq, n.frame, n.user, n.left) for n in published
        ]
        assert (page.epoch, page.head) == (EPOCH, 3)
        assert {notice.gateway for notice in page.events} == {""}

    def test_pages_end_at_the_limit(self, bench: Bench, people: People, room: UUID) -> None:
        """However much is asked for; the head tells that there is more."""
        say(room, people.alice, PAGE_EVENTS + 5)
        page = self.fetch(bench, room, 0, limit=10_000)
        assert [notice.seq for notice in page.events] == list(range(1, PAGE_EVENTS + 1))
        assert page.head == PAGE_EVENTS + 6

    def test_a_room_that_is_gone_has_no_events(self, bench: Bench) -> None:
        """No epoch, no head, nothing."""
        page = self.fetch(bench, uuid4(), 0)
        assert (page.epoch, page.head, page.events) == ("", 0, [])


class TestSelectRoom:
    """Looking into a room."""

    def test_the_last_messages_oldest_first(self, bench: Bench, people: People, room: UUID) -> None:
        """At most 20, and the cursor that events continue from."""
        say(room, people.bob, SELECT_MESSAGES + 5)
        reply = select(bench, room, people.alice)
        frame = msgspec.json.decode(reply.frame)
        numbers = [shown["number"] for shown in frame["room_messages"]]
        assert numbers == list(range(6, SELECT_MESSAGES + 6))
        assert (frame["seq"], frame["epoch"]) == (reply.seq, reply.epoch) == (SELECT_MESSAGES + 6, EPOCH)
        assert not reply.more

    def test_a_page_of_long_texts_is_shorter(self, bench: Bench, people: People, room: UUID) -> None:
        """Bounded in bytes, so that a connection's outbox takes it; still gapless to the head."""
        say(room, people.alice, 60, "\U0001f600" * TEXT_CODE_POINTS)
        pages = list(_pages(bench, room, people.alice))
        seqs = [event["seq"] for page in pages for event in page["events"]]
        assert seqs == list(range(1, 62))
        assert len(pages) > 2
        assert all(len(msgspec.json.encode(page["events"])) < PAGE_BYTES for page in pages)

    @pytest.mark.parametrize("character", ["\x01", "\U0001f600", "\x7f", '"', "\\", "a"])
    def test_no_frame_exceeds_a_page(self, bench: Bench, people: People, room: UUID, character: str) -> None:
        """The bytes of the frame count, whatever JSON makes of a text; the newest messages stay."""
        say(room, people.alice, SELECT_MESSAGES, character * TEXT_CODE_POINTS)
        reply = select(bench, room, people.bob)
        assert len(reply.frame) <= PAGE_BYTES
        shown = [shown["number"] for shown in msgspec.json.decode(reply.frame)["room_messages"]]
        assert shown == list(range(SELECT_MESSAGES - len(shown) + 1, SELECT_MESSAGES + 1))
        assert len(shown) == SELECT_MESSAGES or len(reply.frame) > PAGE_BYTES * 0.85
        assert len(select(bench, room, people.bob, since=0).frame) <= PAGE_BYTES

    def test_since_walks_to_the_head_without_a_gap(self, bench: Bench, people: People, room: UUID) -> None:
        """Pages of at most 200, `more` until the head, where a page is empty."""
        page = msgspec.json.decode(select(bench, room, people.alice, since=1).frame)
        assert (page["events"], page["seq"], page["more"]) == ([], 1, False)
        assert "reset" not in page
        say(room, people.alice, 2 * PAGE_EVENTS + 10)
        pages = list(_pages(bench, room, people.alice))
        seqs = [event["seq"] for page in pages for event in page["events"]]
        assert seqs == list(range(1, 2 * PAGE_EVENTS + 12))
        assert [len(page["events"]) for page in pages] == [PAGE_EVENTS, PAGE_EVENTS, 11]
        assert [page["more"] for page in pages] == [True, True, False]

    @pytest.mark.parametrize(("since", "epoch"), [(1, "another"), (99, EPOCH)])
    def test_a_cursor_of_another_log_is_reset(
        self, bench: Bench, people: People, room: UUID, since: int, epoch: str
    ) -> None:
        """Of another epoch, or beyond the head: nothing is skipped silently."""
        reply = select(bench, room, people.alice, since, epoch)
        page = msgspec.json.decode(reply.frame)
        assert (page["reset"], page["events"], page["epoch"], page["seq"]) == (True, [], EPOCH, 0)
        assert reply.more

    def test_a_new_epoch_resets_every_cursor(self, bench: Bench, people: People, room: UUID) -> None:
        """After a restore seqs may repeat with other content."""
        new_epoch("restored")
        assert msgspec.json.decode(select(bench, room, people.alice, 1).frame)["reset"] is True
        assert select(bench, room, people.alice, 1, "restored").epoch == "restored"

    def test_rows_above_the_head_that_was_read_are_left_out(
        self, bench: Bench, people: People, room: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A message between the two statements comes as an event, not in the answer too."""
        heads_of = selectors.heads_of

        def and_then_somebody_speaks(rooms: Any) -> dict[UUID, RoomHead]:
            heads = heads_of(rooms)
            written(message(room, "late"), people.bob)
            return heads

        monkeypatch.setattr(selectors, "heads_of", and_then_somebody_speaks)
        reply = select(bench, room, people.alice)
        assert (reply.seq, msgspec.json.decode(reply.frame)["room_messages"]) == (1, [])
        page = msgspec.json.decode(select(bench, room, people.alice, since=1).frame)
        assert ([event["seq"] for event in page["events"]], page["more"]) == ([2], False)


@pytest.mark.parametrize("command", [SelectRoom, GetHistory, ListPins])
def test_only_members_read(
    bench: Bench, people: People, room: UUID, command: type[SelectRoom | GetHistory | ListPins]
) -> None:
    """A stranger gets the same answer whether there is such a room or not."""
    answers = [ask(bench, command(uuid="r", room=one), people.carol) for one in (room, uuid4())]
    assert (answers[0]["error_code"], answers[0]["room"]) == ("not_member", room.hex)
    for answer in answers:
        del answer["room"]
    assert answers[0] == answers[1]
    written(LeaveRoom(uuid="l", room=room), people.bob)
    frame = ask(bench, command(uuid="r", room=room), people.bob)
    assert (frame["error_code"], frame["uuid"], frame["room"]) == ("not_member", "r", room.hex)


def test_what_is_no_read_is_refused(bench: Bench, people: People) -> None:
    """A command that the gateway should have answered itself."""
    assert ask(bench, Ping(uuid="p"), people.alice)["error_code"] == "invalid_action"


def test_questions_cost_the_same_however_many(
    people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Tokens in one statement, rooms of all askers in another, heads and memberships in two more."""
    rooms = [make_room(people.alice, [people.bob]) for _ in range(5)]
    tokens = [make_token(user).key for user in (people.alice, people.bob)]
    entries = [
        _entry(command, 0)
        for number in range(30)
        for command in (Identify(uuid="i", token=tokens[number % 2]), ReadHeads(uuid="h", rooms=rooms))
    ]
    with django_assert_num_queries(3):
        assert len(read(entries)) == 60
    strangers = [_entry(SelectRoom(uuid="s", room=room), people.carol) for room in rooms]
    with django_assert_num_queries(2):
        read(strangers)


def test_many_replies_leave_in_bundles(bench: Bench) -> None:
    """A subscriber that owes Redis too much is cut off: no publication is larger than it must be."""
    frames = [b"x" * size for size in (10, BUNDLE_BYTES // 2, BUNDLE_BYTES // 2, BUNDLE_BYTES * 2, 10, 10)]
    published = bench.bus.answer({GATEWAY: [Answered(number, frame) for number, frame in enumerate(frames)]})
    heard = bench.hear()
    assert [heard.replies[number].frame for number in range(len(frames))] == frames  # type: ignore[union-attr]
    assert heard.order == ["gateway"] * 4
    assert sum(map(len, frames)) < published < sum(map(len, frames)) + 1000


def entry_of_read(user: int, entry_id: str) -> Entry:
    """Return some read of a user."""
    return Entry(0, KEYSPACE.browse_stream(0), entry_id, Envelope(command=ListRooms(uuid="l"), user=user))


def _entry(command: ClientCommand | Identify | ReadHeads, user: int) -> Entry:
    return Entry(0, KEYSPACE.read_stream(0), "1-1", Envelope(command=command, user=user))


def _pages(bench: Bench, room: UUID, user: int) -> Iterator[dict[str, Any]]:
    """Walk through the log as a client does."""
    since, more = 0, True
    while more:
        page: dict[str, Any] = msgspec.json.decode(select(bench, room, user, since).frame)
        yield page
        since, more = page["seq"], page["more"]
