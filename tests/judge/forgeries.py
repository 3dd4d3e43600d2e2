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
    Reading,
    ResetSeen,
    Row,
)
from tests.judge.leaving import Departure, Erasure
from tests.judge.moderation import Membership
from tests.judge.samples import Ownership, Sample

from .attendance_forgeries import ATTENDANCE_FORGERIES, with_presence
from .mark_forgeries import with_marks
from .room_forgeries import ROOM_FORGERIES, with_rooms
from .spoiling import Table, change_entry, entry, forgeries, spoils, stored
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
    return with_rooms(told, SENDERS[0], DELETED)


def _quiet_rows(history: History) -> list[Row]:
    return [row for row in history.rows if row.room == QUIET]


def _last_quiet(history: History) -> int:
    """Return the index of the quiet room's last row: stored, sent, never answered."""
    return max(index for index, row in enumerate(history.rows) if row.room == QUIET)


def _index(history: History, uuid: str) -> int:
    return next(index for index, operation in enumerate(history.operations) if operation.uuid == uuid)


def _change(history: History, /, uuid: str, **facts: Any) -> None:
    index = _index(history, uuid)
    history.operations[index] = history.operations[index]._replace(**facts)


@spoils
def _swap(history: History, one: str, other: str) -> None:
    """Exchange two messages' places in the log and in their answers."""
    indexes = {row.uuid: index for index, row in enumerate(history.rows)}
    first, second = history.rows[indexes[one]], history.rows[indexes[other]]
    history.rows[indexes[one]] = first._replace(seq=second.seq)
    history.rows[indexes[other]] = second._replace(seq=first.seq)
    _change(history, one, seqs=(second.seq,))
    _change(history, other, seqs=(first.seq,))


@spoils
def _last_moved(history: History, by: int) -> None:
    """Have the quiet room's last row at another place."""
    index = _last_quiet(history)
    change_entry(history, "rows", index, seq=history.rows[index].seq + by)


@spoils
def _alone(history: History, rounds: range) -> None:
    """Have shard 9 without an owner."""
    for index in rounds:
        history.ownership[index] = Ownership(float(index), ALL_SHARDS - {9})


@spoils
def _reset(history: History, /, **facts: Any) -> None:
    """Have the first reader's cursor reset otherwise."""
    change_entry(history, "readings", 0, resets=(history.readings[0].resets[0]._replace(**facts),))


@spoils
def _handed_last(history: History, reading: int, text: str) -> None:
    """Have a reader handed another text in its last event."""
    events = history.readings[reading].events
    change_entry(history, "readings", reading, events=(*events[:-1], events[-1]._replace(text=text)))


@spoils
def _read_events(history: History, reading: int, change: Callable[[list[Applied]], object]) -> None:
    events = list(history.readings[reading].events)
    change(events)
    history.readings[reading] = history.readings[reading]._replace(events=tuple(events))


def _stored_again(history: History) -> None:
    rows = _quiet_rows(history)
    history.rows.append(rows[3]._replace(seq=len(rows) + 1))


def _read_by_outsider(history: History) -> None:
    history.readings.append(history.readings[0]._replace(client="outsider", user=OUTSIDER))


def _accepted_lost(history: History) -> None:
    history.rows.pop(_last_quiet(history))
    answered = _quiet_rows(history)[-1]
    history.rows.remove(answered)


def _repeat_answered_otherwise(history: History) -> None:
    operation = history.operations[_index(history, "c-1-5")]
    _change(history, "c-1-5", seqs=(*operation.seqs, operation.seqs[0] + 1))


def _answered_elsewhere(history: History) -> None:
    operation = history.operations[_index(history, "c-3-79")]
    _change(history, "c-3-79", seqs=(operation.seqs[0] + 1,))


def _overtaken(history: History) -> None:
    rows = {row.uuid: index for index, row in enumerate(history.rows)}
    last, answered = history.rows[rows["c-2-99"]], history.rows[rows["c-3-79"]]
    history.rows[rows["c-2-99"]] = last._replace(seq=answered.seq)
    history.rows[rows["c-3-79"]] = answered._replace(seq=last.seq)
    _change(history, "c-3-79", seqs=(last.seq,))


def _refused_stored(history: History) -> None:
    refused = next(operation for operation in history.operations if operation.text == "refused")
    rows = _quiet_rows(history)
    history.rows.pop(_last_quiet(history))
    facts = (refused.user, refused.uuid, MESSAGE_KIND, refused.text)
    history.rows.append(Row(refused.room, len(rows), *facts))


def _read_after_removal(history: History) -> None:
    following = history.readings[1].events[50 - 17]
    _read_events(2, lambda events: events.append(following))(history)


def _erased_text_handed(history: History) -> None:
    late = [one.client for one in history.readings].index("late")
    _handed_last(late, f"text 2 of {ERASED}")(history)


def _with_more_shards(history: History) -> None:
    history.shards = 128


_WAYS: Final[Table] = {
    "I1": {"The last answered message of a room is not in the database": _accepted_lost},
    "I2": {"A repeat became a second row": _stored_again},
    "I3": {
        "A seq was given out and never stored": _last_moved(1),
        "Two writers gave the same place": _last_moved(-1),
    },
    "I4": {
        "A repeat is answered with another seq than the first answer": _repeat_answered_otherwise,
        "The only answer names another place than the log has": _answered_elsewhere,
    },
    "I5": {
        "A row appears from nowhere": lambda history: history.rows.append(
            Row(QUIET, len(_quiet_rows(history)) + 1, 1, "phantom", MESSAGE_KIND, "phantom")
        ),
        "A text is stored otherwise than it was sent": stored(QUIET, 1, text="altered"),
        "Others' messages have lost their text too": stored(QUIET, 1, text=""),
        "A message that was sent after the erasure has no text either": entry(
            "erasures", 0, began_at=1.0, asked_at=2.0
        ),
    },
    "I6": {
        "A message sent after another's answer is sequenced before it": _swap("c-3-9", "c-1-10"),
        "A message that nobody was told of stands before one answered before it was sent": _overtaken,
    },
    "I7": {
        "Two messages that were under way on one connection are sequenced the other way": _swap(
            "c-2-10", "c-2-11"
        )
    },
    "I8": {
        "A reader is handed 30, then 32": _read_events(0, lambda events: events.pop(30)),
        "A reader is handed an event twice": _read_events(1, lambda events: events.insert(30, events[30])),
        "A reader is handed another text than the log has": _handed_last(1, "other"),
        "A reader misses the first event after the cursor from which it began": _read_events(
            1, lambda events: events.pop(0)
        ),
        "A reader is handed a message without its text, which the log still has": _handed_last(1, ""),
    },
    "I9": {
        "A connected reader never learns of the last message": _read_events(1, lambda events: events.pop()),
        "A connected reader receives nothing at all": _read_events(1, lambda events: events.clear()),
    },
    "I10": {"A message is answered with an error and stored all the same": _refused_stored},
    "I11": {
        "Somebody who never was a member receives a room": _read_by_outsider,
        "A removed member receives one event after the removal": _read_after_removal,
    },
    "I12": {"A stream is longer than its bound, once": entry("samples", 11, value=10_001.0)},
    "I13": {
        "A shard has no owner for 22 s in the middle": _alone(range(5, 26)),
        "A shard loses its owner and nobody takes it until the end": _alone(range(15, ROUNDS)),
        "The install has more shards than anybody is seen to own": _with_more_shards,
    },
    "I14": {
        "A cursor is thrown away although the epoch is the same": _reset(from_epoch=NEW_EPOCH),
        "A cursor is reset to an epoch that nobody has made yet": _reset(at=28.0),
    },
    "I15": {
        "An erasure has not found a message that was answered before it": stored(
            ERASED_ROOM, 1, text=f"text 1 of {ERASED}"
        ),
        "A client that came after the erasure reads what is not stored any more": _erased_text_handed,
    },
    "I16": {"No event of the room says that the account has left": entry("memberships", -1, to_seq=None)},
}
FORGERIES: Final = [*forgeries(_WAYS), *ROOM_FORGERIES, *TYPING_FORGERIES, *ATTENDANCE_FORGERIES]
