"""A good history, and the ways to spoil it: each forgery breaks exactly one invariant.

They prove that the checker can see. Nothing here comes from a running system.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.judge.history import (
    MESSAGE_KIND,
    Applied,
    Attempt,
    Connection,
    Epoch,
    Fault,
    History,
    Operation,
    Outcome,
    Ownership,
    Reading,
    ResetSeen,
    Row,
    Sample,
)
from tests.judge.leaving import Departure, Erasure
from tests.judge.moderation import Membership

from .attendance_forgeries import ATTENDANCE_FORGERIES, with_presence
from .mark_forgeries import with_marks
from .room_forgeries import ROOM_FORGERIES, with_rooms
from .typing_forgeries import TYPING_FORGERIES, with_typing

READ_ROOMS: Final = ("a" * 32, "b" * 32)
"""Rooms with readers."""
QUIET: Final = "c" * 32
"""A room without readers: what is forged in its log is seen in the log alone."""
SENDERS: Final = (1, 2, 3)
ERASED_ROOM: Final = "d" * 32
"""A room in which everything was said by somebody whose messages were erased."""
READER: Final = 4
LEAVER: Final = 5
OUTSIDER: Final = 6
ERASED: Final = 7
DELETED: Final = 8
ROUNDS: Final = 40
CUT_ROUND: Final = 20
ANSWER_SECONDS: Final = 0.010
OLD_EPOCH, NEW_EPOCH = "0123456789abcdef", "fedcba9876543210"
ALL_SHARDS: Final = frozenset(range(64))


@dataclass
class _Stage:
    """Writes a history as the system would: messages in pairs on one connection, rounds one after another."""

    history: History = field(default_factory=lambda: History(seed=7))
    positions: int = 0

    def say(self, room: str, user: int, number: int, at: float, *, cut: bool, answered: bool = True) -> None:
        """Send one message that is stored at once; `cut` loses its answer, a new connection repeats it."""
        self.positions += 1
        connection = user * 10 + int(at > CUT_ROUND)
        uuid, text = f"{room[0]}-{user}-{number}", f"text {number} of {user}"
        self.history.rows.append(Row(room, self._head(room) + 1, user, uuid, MESSAGE_KIND, text))
        seq = self._head(room)
        end = at + ANSWER_SECONDS
        first = Outcome.UNKNOWN if cut or not answered else Outcome.SUCCESS
        attempts = [Attempt(connection, self.positions, at, end, first)]
        if cut:
            end += 0.2
            attempts.append(Attempt(connection + 1, self.positions, at + 0.2, end, Outcome.SUCCESS))
        seqs, answered_at = ((seq,), end) if answered else ((), None)
        operation = Operation(f"sender-{user}", user, room, uuid, text, tuple(attempts), seqs, answered_at)
        self.history.operations.append(operation)

    def refuse(self, room: str, user: int, at: float) -> None:
        """Send one message that is refused."""
        self.positions += 1
        attempt = Attempt(user * 10, self.positions, at, at + ANSWER_SECONDS, Outcome.ERROR, "busy")
        operation = Operation(f"sender-{user}", user, room, f"refused-{at}", "refused", (attempt,))
        self.history.operations.append(operation)

    def read(self, client: str, user: int, room: str, start: int, end: int | None = None) -> Reading:
        """Return the reading of a client that was handed the log after `start` up to `end`."""
        rows = [row for row in self.history.rows if row.room == room][start:end]
        return Reading(
            client,
            user,
            room,
            start,
            tuple(Applied(row.seq, row.user, row.uuid, row.text, float(row.seq)) for row in rows),
        )

    def _head(self, room: str) -> int:
        return sum(row.room == room for row in self.history.rows)


def good_history() -> History:
    """Return a history that counts and is well: cuts, repeats, a refusal, a reset, an erasure, an archive."""
    stage = _Stage()
    history = stage.history
    for round_ in range(ROUNDS):
        for offset, user in enumerate(SENDERS):
            for room in (*READ_ROOMS, QUIET):
                for number in (2 * round_, 2 * round_ + 1):
                    at = round_ + offset * 0.002 + number % 2 * 0.001
                    stage.say(room, user, number, at, cut=round_ == CUT_ROUND)
    stage.refuse(QUIET, 1, ROUNDS + 1.0)
    stage.say(QUIET, 2, 99, ROUNDS + 2.0, cut=False, answered=False)
    for number in (1, 2):
        stage.say(ERASED_ROOM, ERASED, number, ROUNDS + 3.0 + number, cut=False)
    early = stage.read("early", READER, ERASED_ROOM, 0)
    history.rows[-2:] = [row._replace(text="") for row in history.rows[-2:]]
    history.erasures = [Erasure(ERASED, ROUNDS + 6.0, ROUNDS + 7.0, ROUNDS + 8.0)]
    history.departures = [Departure(DELETED, 30.0)]
    first, second = READ_ROOMS
    reset = ResetSeen(100, OLD_EPOCH, NEW_EPOCH, 100, 30.0)
    history.readings = [
        stage.read("reader-1", READER, first, 0)._replace(resets=(reset,)),
        stage.read("reader-2", READER, second, 17),
        stage.read("leaver", LEAVER, second, 0, 50)._replace(left=True),
        early,
        stage.read("late", READER, ERASED_ROOM, 1),
    ]
    members = (*SENDERS, READER)
    history.memberships = [Membership(room, user) for room in (first, second, QUIET) for user in members]
    history.memberships += [Membership(ERASED_ROOM, user) for user in (ERASED, READER)]
    history.memberships += [Membership(second, LEAVER, 0, 50), Membership(second, DELETED, 0, 60)]
    clients = ["reader-1", "reader-2", "leaver", "outsider", "early"]
    clients += [*(f"sender-{user}" for user in (*SENDERS, ERASED)), "late"]
    history.connections = [Connection(client, number, 0.0) for number, client in enumerate(clients)]
    history.connections[-1] = history.connections[-1]._replace(opened_at=ROUNDS + 9.0)
    history.faults = [Fault("kill", "gateway-1", CUT_ROUND + 0.0075, CUT_ROUND + 0.1)]
    history.samples = [Sample(float(at), "stream", 10.0, 10_000.0) for at in range(ROUNDS)]
    history.ownership = [Ownership(float(at), ALL_SHARDS) for at in range(ROUNDS)]
    history.epochs = [Epoch(0.0, OLD_EPOCH), Epoch(29.0, NEW_EPOCH)]
    told = with_presence(with_typing(with_marks(history, first, READER, SENDERS[0])))
    return with_rooms(told, SENDERS[0], READER, DELETED)


def _quiet_rows(history: History) -> list[Row]:
    return [row for row in history.rows if row.room == QUIET]


def _last_quiet(history: History) -> int:
    """Return the index of the quiet room's last row: stored, sent, never answered."""
    return max(index for index, row in enumerate(history.rows) if row.room == QUIET)


def _index(history: History, uuid: str) -> int:
    return next(index for index, operation in enumerate(history.operations) if operation.uuid == uuid)


def _change(history: History, uuid: str, **facts: Any) -> None:
    index = _index(history, uuid)
    history.operations[index] = history.operations[index]._replace(**facts)


def _swap(history: History, one: str, other: str) -> None:
    """Exchange two messages' places in the log and in their answers."""
    indexes = {row.uuid: index for index, row in enumerate(history.rows)}
    first, second = history.rows[indexes[one]], history.rows[indexes[other]]
    history.rows[indexes[one]] = first._replace(seq=second.seq)
    history.rows[indexes[other]] = second._replace(seq=first.seq)
    _change(history, one, seqs=(second.seq,))
    _change(history, other, seqs=(first.seq,))


def _read_events(history: History, reading: int, change: Callable[[list[Applied]], object]) -> None:
    events = list(history.readings[reading].events)
    change(events)
    history.readings[reading] = history.readings[reading]._replace(events=tuple(events))


def lose_an_accepted_message(history: History) -> None:
    """The last answered message of a room is not in the database."""
    history.rows.pop(_last_quiet(history))
    answered = _quiet_rows(history)[-1]
    history.rows.remove(answered)


def store_a_message_twice(history: History) -> None:
    """A repeat became a second row."""
    rows = _quiet_rows(history)
    history.rows.append(rows[3]._replace(seq=len(rows) + 1))


def leave_a_gap(history: History) -> None:
    """A seq was given out and never stored."""
    index = _last_quiet(history)
    history.rows[index] = history.rows[index]._replace(seq=history.rows[index].seq + 1)


def give_a_seq_twice(history: History) -> None:
    """Two writers gave the same place."""
    index = _last_quiet(history)
    history.rows[index] = history.rows[index]._replace(seq=history.rows[index].seq - 1)


def answer_a_repeat_otherwise(history: History) -> None:
    """A repeat is answered with another seq than the first answer."""
    operation = history.operations[_index(history, "c-1-5")]
    _change(history, "c-1-5", seqs=(*operation.seqs, operation.seqs[0] + 1))


def answer_what_is_not_stored_there(history: History) -> None:
    """The only answer names another place than the log has."""
    operation = history.operations[_index(history, "c-3-79")]
    _change(history, "c-3-79", seqs=(operation.seqs[0] + 1,))


def store_what_nobody_sent(history: History) -> None:
    """A row appears from nowhere."""
    history.rows.append(Row(QUIET, len(_quiet_rows(history)) + 1, 1, "phantom", MESSAGE_KIND, "phantom"))


def alter_a_body(history: History) -> None:
    """A text is stored otherwise than it was sent."""
    index = next(index for index, row in enumerate(history.rows) if row.room == QUIET)
    history.rows[index] = history.rows[index]._replace(text="altered")


def overtake_an_answered_message(history: History) -> None:
    """A message sent after another's answer is sequenced before it."""
    _swap(history, "c-3-9", "c-1-10")


def overtake_with_an_unanswered_message(history: History) -> None:
    """A stored message that nobody was told of stands before one that was answered before it was sent."""
    rows = {row.uuid: index for index, row in enumerate(history.rows)}
    last, answered = history.rows[rows["c-2-99"]], history.rows[rows["c-3-79"]]
    history.rows[rows["c-2-99"]] = last._replace(seq=answered.seq)
    history.rows[rows["c-3-79"]] = answered._replace(seq=last.seq)
    _change(history, "c-3-79", seqs=(last.seq,))


def reorder_a_connection(history: History) -> None:
    """Two messages sent one after the other on a connection, both under way, are sequenced the other way."""
    _swap(history, "c-2-10", "c-2-11")


def skip_an_event(history: History) -> None:
    """A reader is handed 30, then 32."""
    _read_events(history, 0, lambda events: events.pop(30))


def hand_on_twice(history: History) -> None:
    """A reader is handed an event twice."""
    _read_events(history, 1, lambda events: events.insert(30, events[30]))


def hand_on_something_else(history: History) -> None:
    """A reader is handed another text than the log has."""
    _read_events(history, 1, lambda events: events.append(events.pop()._replace(text="other")))


def skip_at_the_start(history: History) -> None:
    """A reader misses the first event after the cursor from which it began."""
    _read_events(history, 1, lambda events: events.pop(0))


def miss_the_last_event(history: History) -> None:
    """A connected reader never learns of the last message."""
    _read_events(history, 1, lambda events: events.pop())


def receive_nothing(history: History) -> None:
    """A connected reader receives nothing at all."""
    _read_events(history, 1, lambda events: events.clear())


def store_a_refused_message(history: History) -> None:
    """A message is answered with an error and stored all the same."""
    refused = next(operation for operation in history.operations if operation.text == "refused")
    rows = _quiet_rows(history)
    history.rows.pop(_last_quiet(history))
    facts = (refused.user, refused.uuid, MESSAGE_KIND, refused.text)
    history.rows.append(Row(refused.room, len(rows), *facts))


def let_an_outsider_read(history: History) -> None:
    """Somebody who never was a member receives a room."""
    reading = history.readings[0]
    history.readings.append(reading._replace(client="outsider", user=OUTSIDER))


def let_a_removed_member_read(history: History) -> None:
    """A removed member receives one event after the removal."""
    following = history.readings[1].events[50 - 17]
    _read_events(history, 2, lambda events: events.append(following))


def let_a_queue_grow(history: History) -> None:
    """A stream is longer than its bound, once."""
    history.samples[11] = history.samples[11]._replace(value=10_001.0)


def leave_a_shard_alone(history: History) -> None:
    """Shard 9 has no owner for 22 s in the middle."""
    for index in range(5, 26):
        history.ownership[index] = Ownership(float(index), ALL_SHARDS - {9})


def leave_a_shard_alone_at_the_end(history: History) -> None:
    """Shard 9 loses its owner and nobody takes it until the history ends."""
    for index in range(15, ROUNDS):
        history.ownership[index] = Ownership(float(index), ALL_SHARDS - {9})


def leave_one_of_many_shards_alone(history: History) -> None:
    """The install has more shards than anybody is seen to own."""
    history.shards = 128


def reset_within_an_epoch(history: History) -> None:
    """A cursor is thrown away although the epoch is the same."""
    reading = history.readings[0]
    history.readings[0] = reading._replace(resets=(reading.resets[0]._replace(from_epoch=NEW_EPOCH),))


def reset_before_the_epoch_began(history: History) -> None:
    """A cursor is reset to an epoch that nobody has made yet."""
    reading = history.readings[0]
    history.readings[0] = reading._replace(resets=(reading.resets[0]._replace(at=28.0),))


def keep_an_erased_text(history: History) -> None:
    """An erasure has not found a message that was answered before it."""
    index = next(index for index, row in enumerate(history.rows) if row.room == ERASED_ROOM)
    history.rows[index] = history.rows[index]._replace(text=f"text 1 of {ERASED}")


def hand_an_erased_text_to_a_newcomer(history: History) -> None:
    """A client that came after the erasure reads what is not stored any more."""
    late, text = [one.client for one in history.readings].index("late"), f"text 2 of {ERASED}"
    _read_events(history, late, lambda events: events.append(events.pop()._replace(text=text)))


def erase_what_somebody_else_said(history: History) -> None:
    """Others' messages have lost their text too."""
    index = next(index for index, row in enumerate(history.rows) if row.room == QUIET)
    history.rows[index] = history.rows[index]._replace(text="")


def erase_what_was_said_later(history: History) -> None:
    """A message that was sent after the erasure has no text either."""
    began = history.erasures[0]
    history.erasures = [began._replace(began_at=1.0, asked_at=2.0)]


def hand_on_a_message_as_erased(history: History) -> None:
    """A reader is handed a message without its text, which the log still has."""
    _read_events(history, 1, lambda events: events.append(events.pop()._replace(text="")))


def keep_a_deleted_account_as_a_member(history: History) -> None:
    """No event of the room says that the account has left."""
    history.memberships[-1] = history.memberships[-1]._replace(to_seq=None)


FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I1", lose_an_accepted_message),
    ("I2", store_a_message_twice),
    ("I3", leave_a_gap),
    ("I3", give_a_seq_twice),
    ("I4", answer_a_repeat_otherwise),
    ("I4", answer_what_is_not_stored_there),
    ("I5", store_what_nobody_sent),
    ("I5", alter_a_body),
    ("I6", overtake_an_answered_message),
    ("I6", overtake_with_an_unanswered_message),
    ("I7", reorder_a_connection),
    ("I8", skip_an_event),
    ("I8", hand_on_twice),
    ("I8", hand_on_something_else),
    ("I8", skip_at_the_start),
    ("I9", miss_the_last_event),
    ("I9", receive_nothing),
    ("I10", store_a_refused_message),
    ("I11", let_an_outsider_read),
    ("I11", let_a_removed_member_read),
    ("I12", let_a_queue_grow),
    ("I13", leave_a_shard_alone),
    ("I13", leave_a_shard_alone_at_the_end),
    ("I13", leave_one_of_many_shards_alone),
    ("I14", reset_within_an_epoch),
    ("I14", reset_before_the_epoch_began),
    ("I15", keep_an_erased_text),
    ("I15", hand_an_erased_text_to_a_newcomer),
    ("I5", erase_what_somebody_else_said),
    ("I5", erase_what_was_said_later),
    ("I8", hand_on_a_message_as_erased),
    ("I16", keep_a_deleted_account_as_a_member),
    *ROOM_FORGERIES,
    *TYPING_FORGERIES,
    *ATTENDANCE_FORGERIES,
]
"""Each with the one invariant that must flag it."""
