"""The rooms of one transaction, their heads locked: where commands become events with a seq.

Group commit: entries that arrive together are read, checked and written with a handful of statements,
however many they are. An opened batch must be used inside the caller's `transaction.atomic()`. A batch made
from the room cache is stored without one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet
from msgspec import Struct

from roomlog.attachment import claimable
from roomlog.blocking import blocked_rooms
from roomlog.frames import Event
from roomlog.kinds import MESSAGE
from roomlog.models import Attachment, ChatRoom, Mention, Reaction, RoomEvent, RoomHead, RoomMention
from roomlog.new_event import NewEvent
from roomlog_contract.commands import action_of
from roomlog_contract.events import User

from . import statements
from .asked import Asked
from .statements import Key, LeaseRow, Mentioned, ReactionKey


class Wanted(Struct, frozen=True):
    """The keys of what one command needs read before it can be decided."""

    uuid: str
    room: UUID
    user: int
    member: int | None = None
    """The user whom it concerns besides its sender."""
    reply_to: int | None = None
    """The message that it answers."""
    message: int | None = None
    """The message that it concerns."""
    emoji: str | None = None
    """The reaction to it that it adds or removes."""
    pins: bool = False
    """Whether it pins the message: the room's pins are counted."""
    mentions: Sequence[int] = ()
    """The users whom it mentions."""
    attachments: Sequence[UUID] = ()
    """The files that it brings."""

    @property
    def key(self) -> Key:
        """Return what names the command for ever."""
        return (self.uuid, self.room, self.user)


@dataclass(frozen=True, slots=True)
class Standing:
    """The part of a Membership that decides commands."""

    role: str
    is_muted: bool = False


@dataclass(slots=True)
class Target:
    """A message that a command of the batch concerns, as the commands before it left it."""

    id: int
    seq: int
    author: int
    date_created: datetime
    is_deleted: bool
    reactions: Counter[str] = field(default_factory=Counter)
    """How many stand with each emoji; only if the batch has commands about them."""
    reactors: set[tuple[int, str]] = field(default_factory=set)
    """The users and emoji that stand, for users whose commands are about reactions."""
    is_pinned: bool = False
    is_mentioning: bool = False
    """Whether it names anybody but its author."""
    is_mentioning_room: bool = False

    @property
    def reference(self) -> dict[str, Any]:
        """Return what an event of its own keeps of it."""
        return {"message_id": self.id, "author": self.author}


@dataclass(slots=True)
class LockedRoom:
    """A room whose head this transaction holds."""

    id: UUID
    kind: str
    is_archived: bool
    epoch: str
    last_seq: int
    messages: int
    members: dict[int, Standing] = field(default_factory=dict)
    """Of the users that the batch's commands name; others were not read."""
    pins: int = 0
    """Its pinned messages; only if the batch has commands that pin."""
    is_blocked: bool = False
    """A direct one, of whose two one has blocked the other."""


@dataclass(slots=True)
class Batch:
    """The state of a transaction that writes events. Not for use by two threads."""

    now: datetime
    leases: list[LeaseRow]
    """Of the shards that the batch was opened for: their state under the lock."""
    rooms: dict[UUID, LockedRoom]
    known: dict[Key, Event]
    """Commands that already are events, of earlier transactions and of this one."""
    held_by_others: frozenset[UUID]
    """Rooms whose heads somebody else has locked: their commands wait for the next batch."""
    answered: dict[tuple[UUID, int], int]
    """The seqs of the messages that commands answer, by room and id."""
    targets: dict[tuple[UUID, int], Target]
    """The messages that commands concern, by room and id."""
    unclaimed: dict[UUID, Attachment]
    """The files that commands bring, as far as their senders have uploaded them to the room and no message
    has claimed them, this transaction's included; locked."""
    users: dict[int, User]
    """The users whom the commands name, except a new room's initial members."""
    events: list[NewEvent] = field(default_factory=list)
    """New events, in the order of their commands."""
    edited: dict[tuple[UUID, int], int] = field(default_factory=dict)
    """The seqs of messages' last edits, by room and seq of the message."""
    reacted: dict[tuple[UUID, int], int] = field(default_factory=dict)
    """The seqs of messages' last events of reactions, likewise."""
    reactions: dict[ReactionKey, int | None] = field(default_factory=dict)
    """Those that the batch changes, with the seq of the event that added each; None: it is removed."""
    pinned: dict[tuple[UUID, int], int] = field(default_factory=dict)
    """The seqs of the events that pinned messages, by room and seq of the message; 0: it is unpinned."""

    mentioned: dict[tuple[UUID, int], Mentioned] = field(default_factory=dict)
    """Those whom messages mention from here on, by room and seq of the message; only where that is new."""

    def append(
        self,
        room: LockedRoom,
        asked: Asked[Any],
        *,
        text: str = "",
        data: dict[str, Any] | None = None,
        target: int | None = None,
    ) -> NewEvent:
        """Append the event that was asked for: it gets the next seq of the room's log."""
        kind = action_of(asked.command)
        room.last_seq += 1
        if is_message := kind == MESSAGE:
            room.messages += 1
        event = NewEvent(
            room_id=room.id,
            seq=room.last_seq,
            number=room.messages if is_message else None,
            kind=kind,
            user_id=asked.user,
            uuid=asked.command.uuid,
            body_hash=asked.body_hash,
            text=text,
            data=data,
            date_created=self.now,
            target=target,
        )
        self.events.append(event)
        self.known[asked.key] = event
        return event

    def append_reaction(
        self, room: LockedRoom, asked: Asked[Any], target: Target, *, is_added: bool
    ) -> NewEvent:
        """Append the event of a reaction that comes or goes."""
        emoji = asked.command.emoji
        event = self.append(room, asked, data={**target.reference, "emoji": emoji}, target=target.seq)
        self.reacted[room.id, target.seq] = event.seq
        self.reactions[room.id, target.seq, emoji, asked.user] = event.seq if is_added else None
        if is_added:
            target.reactions[emoji] += 1
            target.reactors.add((asked.user, emoji))
        else:
            target.reactions -= Counter([emoji])
            target.reactors.remove((asked.user, emoji))
        return event

    def append_pin(self, room: LockedRoom, asked: Asked[Any], target: Target, *, is_pinned: bool) -> NewEvent:
        """Append the event of a pin that comes or goes."""
        event = self.append(room, asked, data=target.reference, target=target.seq)
        self.pinned[room.id, target.seq] = event.seq if is_pinned else 0
        target.is_pinned = is_pinned
        room.pins += 1 if is_pinned else -1
        return event

    def mention(self, room: LockedRoom, asked: Asked[Any], target: Target | None, seq: int) -> None:
        """Let the message at this seq, new or the `target` of an edit, mention whom the command says.

        Its author is none of them: what one says oneself is never unread. Where it mentions everybody, those
        whom it names have no rows besides.
        """
        is_for_all = asked.command.mentions_room
        others = [] if is_for_all else [user for user in asked.command.mentions if user != asked.user]
        if is_for_all != (target is not None and target.is_mentioning_room):
            if is_for_all:
                RoomMention.objects.create(room_id=room.id, target=seq, user_id=asked.user)
            else:
                RoomMention.objects.filter(room=room.id, target=seq).delete()
        if others or (target is not None and target.is_mentioning):
            self.mentioned[room.id, seq] = Mentioned(asked.user, others)
        if target is not None:
            target.is_mentioning, target.is_mentioning_room = bool(others), is_for_all

    def claim(self, asked: Asked[Any], event: NewEvent) -> None:
        """Let the message of this event have its files, which are unclaimed: nobody else can any more."""
        files = asked.command.attachments
        for file in files:
            del self.unclaimed[file]
        if files:
            Attachment.objects.filter(pk__in=files).update(seq=event.seq)

    def first_event(self, room: UUID) -> Event:
        """Return the event that made the room, perhaps in this very batch."""
        for event in self.events:
            if event.room_id == room and event.seq == 1:
                return event
        return RoomEvent.objects.get(room_id=room, seq=1)

    def store(self, *, commits: bool = False) -> None:
        """Insert the new events and move the heads; ids of the events are set from here on.

        With `commits`, where it is the last thing of the transaction, COMMIT travels with them.
        """
        if not self.events:
            return
        moved = [self.rooms[room] for room in sorted({event.room_id for event in self.events})]
        heads = ((room.id, room.last_seq, room.messages) for room in moved)
        changed = [
            statements.Changed(*key, self.edited.get(key), self.reacted.get(key), self.pinned.get(key))
            for key in {**self.edited, **self.reacted, **self.pinned}
        ]
        rows = statements.append_events(
            self.events, heads, changed, self.reactions, self.mentioned, self.now, commits=commits
        )
        ids = {(room, seq): number for room, seq, number in rows}
        for event in self.events:
            event.id = ids[event.room_id, event.seq]

    def store_single(self, lease: LeaseRow, number: int, meanwhile: Callable[[], None]) -> bool:
        """Insert the one new message, whose id is to be `number`, as a transaction of its own.

        For a batch made from the room cache. False if nothing is stored, because the database differs from
        the cache. `meanwhile` is called while the database works.
        """
        (event,) = self.events
        event.id = number
        return statements.append_single(lease, self.rooms[event.room_id].epoch, event, meanwhile)


def open_batch(wanted: Sequence[Wanted], now: datetime, shards: Collection[int] = ()) -> Batch:
    """Lock the leases of the shards, then the heads of the wanted rooms, and read what their commands need.

    Each in the order of their ids. Heads that others hold are skipped, not awaited: one locked room must not
    stop a shard.
    """
    asked = {want.room for want in wanted}
    leases, heads, commands = statements.open_rooms(shards, asked, _keys(wanted), now)
    rooms = {head.room: _locked(head) for head in heads}
    for command in commands:
        if command.role is not None and command.room in rooms:
            rooms[command.room].members[command.user] = Standing(command.role, command.is_muted)
    _count_pins(rooms, wanted)
    _find_blocks(rooms)
    return Batch(
        now=now,
        leases=leases,
        rooms=rooms,
        known=_known({(command.room, command.event) for command in commands if command.event is not None}),
        held_by_others=_held_by_others(asked - rooms.keys()),
        answered=_answered({(want.room, want.reply_to) for want in wanted if want.reply_to is not None}),
        targets=_targets(wanted),
        unclaimed=_unclaimed(wanted),
        users={row.user: User(row.user, row.name) for row in commands if row.name is not None},
    )


def _locked(head: statements.HeadRow) -> LockedRoom:
    return LockedRoom(head.room, head.kind, head.is_archived, head.epoch, head.last_seq, head.messages)


def _keys(wanted: Iterable[Wanted]) -> Iterator[Key]:
    """Yield the commands' keys, and for each user whom a command concerns a key that no command has."""
    for want in wanted:
        yield want.key
        if want.member is not None:
            yield ("", want.room, want.member)
        for mentioned in want.mentions:
            yield ("", want.room, mentioned)


def _known(asked: Collection[tuple[UUID, int]]) -> dict[Key, Event]:
    rows = _events(asked) if asked else ()
    return {(row.uuid, row.room_id, row.user_id): row for row in rows}


def _answered(asked: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], int]:
    if not asked:
        return {}
    rows = _events(asked).filter(kind=MESSAGE)
    return {(room, number): seq for room, number, seq in rows.values_list("room_id", "pk", "seq")}


def _targets(wanted: Iterable[Wanted]) -> dict[tuple[UUID, int], Target]:
    asked = {(want.room, want.message) for want in wanted if want.message is not None}
    if not asked:
        return {}
    rows = _events(asked).filter(kind=MESSAGE)
    mentioning = (
        Exists(one.objects.filter(room=OuterRef("room"), target=OuterRef("seq")))
        for one in (Mention, RoomMention)
    )
    facts = rows.values_list(
        "room_id", "pk", "seq", "user_id", "date_created", "deleted_at", "pinned_seq", *mentioning
    )
    targets = {
        (room, number): Target(
            *(number, seq, author, made_at, deleted_at is not None),
            is_pinned=pinned is not None,
            is_mentioning=mentioning,
            is_mentioning_room=for_all,
        )
        for room, number, seq, author, made_at, deleted_at, pinned, mentioning, for_all in facts
    }
    reactors = {want.user for want in wanted if want.emoji is not None}
    if targets and reactors:
        _read_reactions({(room, target.seq): target for (room, _), target in targets.items()}, reactors)
    return targets


def _unclaimed(wanted: Iterable[Wanted]) -> dict[UUID, Attachment]:
    """Lock and return the files that may be claimed. What others hold is being dropped: passed over."""
    asked = [claimable(want.room, want.user, want.attachments) for want in wanted if want.attachments]
    if not asked:
        return {}
    rows = reduce(or_, asked).order_by("pk").select_for_update(skip_locked=True, no_key=True)
    return {row.pk: row for row in rows}


def _read_reactions(targets: Mapping[tuple[UUID, int], Target], reactors: Collection[int]) -> None:
    rooms, seqs = zip(*targets, strict=True)
    # Of each room with the seqs of all: passed over here rather than asked for pair by pair.
    rows = Reaction.objects.filter(room__in=rooms, target__in=seqs)
    for room, seq, emoji, count in rows.values_list("room_id", "target", "emoji").annotate(Count("pk")):
        if (target := targets.get((room, seq))) is not None:
            target.reactions[emoji] = count
    own = rows.filter(user__in=reactors).values_list("room_id", "target", "user_id", "emoji")
    for room, seq, user, emoji in own:
        if (target := targets.get((room, seq))) is not None:
            target.reactors.add((user, emoji))


def _count_pins(rooms: Mapping[UUID, LockedRoom], wanted: Iterable[Wanted]) -> None:
    asked = {want.room for want in wanted if want.pins} & rooms.keys()
    if not asked:
        return
    pinned = RoomEvent.objects.filter(room__in=asked, pinned_seq__isnull=False).order_by()
    for room, count in pinned.values_list("room_id").annotate(Count("pk")):
        rooms[room].pins = count


def _find_blocks(rooms: Mapping[UUID, LockedRoom]) -> None:
    """Read which direct rooms are blocked, after their heads are locked: no earlier block is overlooked."""
    for room in blocked_rooms([room.id for room in rooms.values() if room.kind == ChatRoom.Kind.DIRECT]):
        rooms[room].is_blocked = True


def _events(asked: Collection[tuple[UUID, int]]) -> QuerySet[RoomEvent]:
    """Return the events of these rooms with these ids, each id in whichever of the rooms it is.

    By the room too: where the log is partitioned by it, an id alone would be looked for in every partition.
    """
    rooms, ids = zip(*asked, strict=True)
    return RoomEvent.objects.filter(room__in=rooms, pk__in=ids)


def _held_by_others(missing: set[UUID]) -> frozenset[UUID]:
    if not missing:
        return frozenset()
    return frozenset(RoomHead.objects.filter(room_id__in=missing).values_list("room_id", flat=True))
