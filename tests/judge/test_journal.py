"""The journal says of every sending how it ended, and of every reading what was handed on, in order."""

from msgspec.structs import replace

from roomlog_client import Event, RoomJoined, RoomLeft, RoomReset, RoomSummary
from roomlog_client.incoming import Answer, Page, Refusal, Selected
from roomlog_contract.events import User
from tests.judge.history import DELETION_KIND, EDIT_KIND, Outcome
from tests.judge.journal import Journal, Known, Witness
from tests.judge.moderation import BAN_KIND, FOREVER, ROLE_KIND, Moderation
from tests.judge.pages import Glimpse
from tests.judge.pins import PIN_KIND
from tests.judge.reactions import REACTION_KIND, Group

ROOM = "a" * 32
EPOCH = "e1"


def event(seq: int, uuid: str = "", user: int = 1) -> Event:
    """Return an event of the room."""
    return Event(ROOM, EPOCH, seq, "new_message", uuid or f"u-{seq}", User(user, "x"), f"text {seq}", {})


def witness() -> Witness:
    """Return the witness of a client of user 1 that is connected and wants two messages stored."""
    one = Journal(showing=0).witness("client", 1)
    one.authenticated(1)
    one.handed_on(RoomJoined(RoomSummary(ROOM, "", "group", EPOCH, 10), 10))
    for uuid in ("u-1", "u-2"):
        one.want(ROOM, uuid, f"text of {uuid}")
    return one


def outcomes(one: Witness, uuid: str) -> list[Outcome]:
    """Return how each sending of a message ended."""
    return [attempt.outcome for attempt in one.wanted[uuid].operation(99.0).attempts]


def test_every_answer_ends_a_sending_of_its_own() -> None:
    """The own event ends its sending; a repeat gives the first up; a second answer is kept for I4."""
    one = witness()
    one.sent(1, "u-1")
    one.heard(1, event(11, "u-1", user=2))
    assert outcomes(one, "u-1") == [Outcome.UNKNOWN]
    one.heard(1, event(12, "u-1"))
    assert outcomes(one, "u-1") == [Outcome.SUCCESS]
    assert one.wanted["u-1"].seqs == [12]
    assert one.answered == 1
    one = witness()
    one.sent(1, "u-1")
    one.sent(1, "u-1")
    one.heard(1, event(11, "u-1"))
    assert outcomes(one, "u-1") == [Outcome.UNKNOWN, Outcome.SUCCESS]
    one = witness()
    one.sent(1, "u-1")
    one.heard(1, event(11, "u-1"))
    one.heard(1, event(12, "u-1"))
    assert one.wanted["u-1"].operation(99.0).seqs == (11, 12)


def test_lost_connection_leaves_its_sendings_unknown() -> None:
    """Also if a page shows that it is stored; the repeat on the next one has an end of its own."""
    one = witness()
    one.sent(1, "u-1")
    one.sent(1, "u-2")
    one.heard(1, event(11, "u-2"))
    one.disconnected(1, 1012)
    one.authenticated(2)
    one.sent(2, "u-1")
    one.heard(2, event(12, "u-1"))
    assert outcomes(one, "u-1") == [Outcome.UNKNOWN, Outcome.SUCCESS]
    assert outcomes(one, "u-2") == [Outcome.SUCCESS]
    closed = [connection.close_code for connection in one.connections.values()]
    assert closed == [1012, None]
    one = witness()
    one.sent(1, "u-1")
    one.disconnected(1, None)
    one.heard(2, Page("", ROOM, EPOCH, 11, [event(11, "u-1")], more=False, reset=False))
    operation = one.wanted["u-1"].operation(99.0)
    assert (operation.outcome, operation.seqs) == (Outcome.SUCCESS, (11,))
    assert outcomes(one, "u-1") == [Outcome.UNKNOWN]


def test_refusal_is_an_error_of_its_sending_and_the_end_of_some() -> None:
    """It may be repeated and stored; edits, deletions and the messages of the silenced end for good."""
    one = witness()
    one.sent(1, "u-1")
    one.heard(1, Refusal("busy", uuid="u-1"))
    assert one.wanted["u-1"].operation(99.0).outcome is Outcome.ERROR
    one.sent(1, "u-1")
    one.heard(1, event(11, "u-1"))
    assert outcomes(one, "u-1") == [Outcome.ERROR, Outcome.SUCCESS]
    one = witness()
    one.want_change(EDIT_KIND, Known(ROOM, 1, 7, 1), "u-e", "text")
    one.want(ROOM, "u-m", "text")
    for uuid, code in (("u-1", "busy"), ("u-e", "archived"), ("u-m", "archived")):
        one.sent(1, uuid)
        assert one.wanted[uuid].operation(99.0).is_open
        one.heard(1, Refusal(code, uuid=uuid))
    is_open = [one.wanted[uuid].operation(99.0).is_open for uuid in ("u-1", "u-e", "u-m")]
    assert is_open == [True, False, False]
    one.heard(1, event(11, "u-1"))
    assert not one.wanted["u-1"].operation(99.0).is_open


def test_reading_begins_at_its_cursor_and_ends_with_leaving() -> None:
    """What was handed on between joining and leaving is one reading; joining again begins another."""
    one = witness()
    one.handed_on(event(11))
    one.handed_on(RoomReset(ROOM, EPOCH, "e2", 3, []))
    one.handed_on(event(4))
    one.handed_on(RoomLeft(ROOM))
    one.handed_on(RoomJoined(RoomSummary(ROOM, "", "group", "e2", 9), 9))
    first, second = one.readings()
    assert (first.start, [applied.seq for applied in first.events], first.left) == (10, [11, 4], True)
    assert [(reset.position, reset.to_epoch, reset.to_seq) for reset in first.resets] == [(1, "e2", 3)]
    assert (second.start, second.events, second.left) == (9, (), False)
    assert one.cursors() == {ROOM: 9}


def test_what_is_shown_is_kept_with_its_data_and_reactions() -> None:
    """Live, by `get_history` and `select_room`, whatever the order of the data's keys."""
    one = witness()
    state: dict[str, object] = {"edited_at": None, "deleted": False}
    message = {"seq": 11, "user": {"id": 1}, "text": "text 11", "data": {"b": [1.5, "é"], "a": None}} | state
    one.handed_on(replace(event(11), body={"message": message}))
    one.heard(1, Answer("h", "get_history", {"room": ROOM, "seq": 11, "room_messages": [message]}))
    plain = {"seq": 13, "user": {"id": 2}, "text": "plain"} | state
    one.heard(1, Selected("s", ROOM, EPOCH, 13, [plain]))
    data = '{"a":null,"b":[1.5,"é"]}'
    assert [applied.data for applied in one.readings()[0].events] == [data]
    assert [shown[1:6] for shown in one.shown] == [
        (ROOM, 11, 1, "text 11", data),
        (ROOM, 13, 2, "plain", ""),
    ]
    one = witness()
    one.want_reaction(REACTION_KIND, Known(ROOM, 11, 7, 2), "u-r", "+")
    one.sent(1, "u-r")
    operation = one.wanted["u-r"].operation(99.0)
    assert (operation.kind, operation.target, operation.emoji) == (REACTION_KIND, 11, "+")
    one.handed_on(replace(event(11), action=REACTION_KIND, body={"emoji": "+"}))
    assert [applied.emoji for applied in one.readings()[0].events] == ["+"]
    group = {"count": 2, "users": [{"id": 3, "username": "x"}], "mine": True}
    reacted = state | {"reactions": {"+": group}, "reacted_seq": 12}
    message = {"seq": 11, "user": {"id": 2}, "text": "text 11"} | reacted
    one.heard(1, Answer("h", "get_history", {"room": ROOM, "seq": 12, "room_messages": [message]}))
    (shown,) = one.shown
    assert (shown.asker, shown.reacted_seq, shown.groups) == (1, 12, (Group("+", 2, (3,), is_mine=True),))


def test_what_a_client_shows_is_kept_with_its_changes() -> None:
    """What was wanted but never left the client is nobody's business."""
    journal = Journal()
    one = journal.witness("client", 1)
    one.want(ROOM, "u-1", "text")
    one.want(ROOM, "u-2", "text")
    one.sent(1, "u-2")
    assert [operation.uuid for operation in journal.operations()] == ["u-2"]
    journal = Journal()
    one = journal.witness("client", 1)
    one.handed_on(RoomJoined(RoomSummary(ROOM, "", "group", EPOCH, 0), 0))
    author = {"id": 1, "username": "x"}
    message = {"id": 7, "seq": 1, "user": author, "text": "a", "edited_at": None, "deleted": False}
    message |= {"reactions": {}, "reacted_seq": None}
    one.handed_on(replace(event(1), body={"message": message}))
    edit = {"message": {"id": 7, "seq": 1, "user": author}, "edited_at": 5}
    one.handed_on(replace(event(2), action=EDIT_KIND, text="b", body=edit))
    known = Known(ROOM, 1, 7, 1)
    assert list(one.recent) == [known]
    older = {"room": ROOM, "seq": 1, "room_messages": [message]}
    one.heard(1, Answer("h", "get_history", older))
    journal.note_believed()
    (shown,) = journal.believed
    assert (shown.seq, shown.text, shown.head, shown.edited_at) == (1, "b", 2, 5)
    one.want_change(DELETION_KIND, known, "u-d")
    wanted = one.wanted["u-d"]
    assert (wanted.kind, wanted.target, wanted.text) == (DELETION_KIND, 1, "")


def test_a_page_is_kept_with_what_its_asker_knew() -> None:
    """When it asked, by whatever connection, in this epoch; a row beyond an answer's head is known too."""
    journal = Journal()
    one = journal.witness("client", 1)

    def is_shown(uuid: str, head: int, *seqs: int) -> None:
        state = {"user": {"id": 2}, "text": "a", "edited_at": 9, "deleted": False}
        body = {"room": ROOM, "seq": head, "room_messages": [state | {"seq": seq} for seq in seqs]}
        one.heard(2, Answer(uuid, "get_history", body | {"more": uuid == "first"}))

    one.heard(1, event(4))
    one.recall.wants("first", 7, None)
    one.sent(2, "first")
    one.heard(2, event(5))
    is_shown("first", 5, 5, 6)
    one.sent(2, "second")
    is_shown("second", 6)
    one.heard(2, Selected("s", ROOM, "e2", 3, []))
    one.sent(2, "third")
    is_shown("third", 3)
    kept = [(page.epoch, page.known, page.head, page.before, page.has_more) for page in journal.pages]
    assert kept == [(EPOCH, 4, 5, 7, True), (EPOCH, 6, 6, None, False), ("e2", 3, 3, None, False)]
    assert journal.pages[0].messages == (Glimpse(5, edited_at=9), Glimpse(6, edited_at=9))


def test_who_is_moderated_and_what_is_pinned_is_kept() -> None:
    """A ban without an end ends never; a list of pins is kept in its order."""
    one = witness()
    one.want_moderation(BAN_KIND, ROOM, "u-b", Moderation(7, until=FOREVER))
    one.sent(1, "u-b")
    operation = one.wanted["u-b"].operation(99.0)
    assert (operation.kind, operation.moderation) == (BAN_KIND, Moderation(7, "", FOREVER))
    one.handed_on(RoomJoined(RoomSummary(ROOM, "", "group", EPOCH, 0), 0))
    member = {"id": 7, "username": "x", "role": "reader"}
    bodies: tuple[tuple[str, dict[str, int | None]], ...] = (
        (ROLE_KIND, {}),
        (BAN_KIND, {"until": None}),
        (BAN_KIND, {"until": 5}),
    )
    for seq, (kind, more) in enumerate(bodies, start=1):
        one.handed_on(replace(event(seq), action=kind, body={"member": member, **more}))
    told = [applied.moderation for applied in one.readings()[0].events]
    assert told == [Moderation(7, "reader"), Moderation(7, "reader", FOREVER), Moderation(7, "reader", 5)]
    one = witness()
    one.want_change(PIN_KIND, Known(ROOM, 3, 7, 2), "u-p")
    assert (one.wanted["u-p"].kind, one.wanted["u-p"].target) == (PIN_KIND, 3)
    state = {"user": {"id": 2}, "text": "a", "edited_at": None, "deleted": False}
    messages = [{"seq": seq, "pinned": 1000 * seq} | state for seq in (5, 3)]
    body = {"room": ROOM, "seq": 9, "room_messages": messages, "more": True}
    one.heard(1, Answer("h", "list_pins", body))
    (listed,) = one.pin_lists
    assert (listed.room, listed.head, listed.seqs, listed.has_more) == (ROOM, 9, (5, 3), True)
    assert [(shown.seq, shown.head, shown.pinned_at) for shown in one.shown] == [(5, 9, 5000), (3, 9, 3000)]
