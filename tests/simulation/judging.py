"""From a world at rest to a history, and from a history to its anomalies.

After the simulation. The invariants are the checker's own; what it can't see from outside (an entry that
vanished, a row that was never carried out, a member who follows nothing) is asked of the world.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from uuid import UUID

from roomlog.body_hash import hash_of
from roomlog_client.errors import RETRIED
from roomlog_contract.commands import CreateRoom, NewMessage, RoomWrite
from roomlog_contract.envelope import decode_envelope
from roomlog_contract.shards import room_of
from tests.judge.checker import check
from tests.judge.checker.system import UNOWNED_SECONDS
from tests.judge.deliveries import Deliveries
from tests.judge.history import DELETION_KIND, MESSAGE_KIND, Attempt, Epoch, History, Operation, Outcome, Row
from tests.judge.mentions import mentioned_by_message, mentions_in
from tests.judge.moderation import Membership, memberships_of
from tests.judge.reactions import by_message
from tests.judge.retention import Retention
from tests.judge.samples import Ownership
from tests.judge.topics import words_of
from tests.judge.values import claimed, claims_by_message, content_of, files_in, text_of

from .files import name_of
from .people import People
from .store import EPOCH, GUEST, Event, Store
from .world import World

API: Final = "api"
REMOVALS: Final = ("remove_user", "leave_room")
"""Kinds of rows that end a membership, and do nothing else."""
STOPPING: Final = frozenset(
    {"kill_worker", "pause_worker", "replace_worker", "stop_database", "scale_up_and_down"}
)
CUT_OFF_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 25.0
"""After a fault until a gateway that lost its link has surely subscribed again."""
FOUND_SECONDS: Final = 75.0
"""Each connection is asked about once in 60 s; a socket may be slow, or Redis away, just then."""
WATCH_SECONDS: Final = 1.0
"""Between two looks at the owners."""


def history_of(world: World, seed: int, *, at_rest: bool) -> History:
    """Return what the world and its people did, for the checker."""
    rows = rows_of(world.store)
    told = world.journal.history(rows, world.store.tables())
    return replace(
        told,
        seed=seed,
        shards=world.keyspace.shards,
        operations=[*told.operations, *posts_of(world)],
        memberships=memberships_in(world.store.events(), rows),
        staff=world.store.staff(),
        direct_rooms=world.store.direct_rooms(),
        faults=sorted(world.faults, key=lambda fault: fault.started_at),
        samples=world.samples,
        ownership=ownership_of(world),
        epochs=[Epoch(0.0, EPOCH), *world.epochs],
        erasures=world.erasures,
        departures=world.departures,
        deliveries=world.hooks.deliveries if world.hooks else Deliveries(),
        retention=world.keeping.told(world.store, world.loop.time()) if world.keeping else Retention(),
        baseline=dict.fromkeys((room.hex for room in world.store.names()), 1),
        at_rest=at_rest,
    )


def ownership_of(world: World) -> list[Ownership]:
    """Return who owned what; the 20 s of I13 begin anew where a worker is hit before they are over."""
    stops = sorted(
        (fault for fault in world.faults if fault.name in STOPPING), key=lambda fault: fault.started_at
    )
    again = [
        second
        for first, second in itertools.pairwise(stops)
        if second.started_at - first.ended_at < UNOWNED_SECONDS
    ]
    everything = frozenset(range(world.keyspace.shards))
    return [
        Ownership(sample.at, everything)
        if any(fault.started_at <= sample.at <= fault.ended_at + WATCH_SECONDS for fault in again)
        else sample
        for sample in world.ownership
    ]


def rows_of(store: Store) -> list[Row]:
    """Return the log of every room."""
    reactions, mentioned = by_message(store.reactions()), mentioned_by_message(store.mentions())
    claims = claims_by_message(store.claims())
    return [
        Row(
            event.room.hex,
            event.seq,
            event.user,
            event.uuid,
            event.kind,
            words_of(event.kind, event.data, event.text),
            content_of(event.sent, claimed(event.files, claims.get((event.room.hex, event.seq), ()))),
            event.target,
            event.edited_seq,
            event.is_deleted,
            event.body_hash,
            event.at_ms,
            event.data.get("emoji", ""),
            event.reacted_seq,
            reactions.get((event.room.hex, event.seq), ()),
            event.moderation,
            event.pinned_seq,
            mentions_in(event.data),
            mentioned.get((event.room.hex, event.seq), ()),
        )
        for event in store.events()
    ]


def posts_of(world: World) -> list[Operation]:
    """Return what the api was asked to say: nobody waits for an answer."""
    now = world.loop.time()
    return [
        Operation(
            API,
            one.user,
            one.room.hex,
            one.uuid,
            one.text,
            (Attempt(0, number, one.at, now, Outcome.UNKNOWN),),
            data=text_of(one.data),
        )
        for number, one in enumerate(world.posted)
    ]


def memberships_in(events: list[Event], rows: list[Row]) -> list[Membership]:
    """Return who was a member from which event to which, as the logs tell it."""
    first = [
        Membership(event.room.hex, user, role=role)
        for event in events
        if event.kind == "create_room"
        for user, role in event.data["members"]
    ]
    return memberships_of(rows, first)


def anomalies_of(world: World, people: People, history: History) -> list[str]:
    """Return everything that contradicts the guarantees, one sentence each."""
    found = [f"{one.invariant} {one.what}" for one in check(history)]
    found += _stored_after_all(history)
    found += _vanished(world)
    found += _members_otherwise(world)
    found += _unforgotten(world, history)
    found += _undeleted(world, history)
    found += [f"I15 {uuid} was repeated after its erasure as something new" for uuid in people.undone]
    found += [f"G5 {one} was not told" for one in (world.untold | dict.fromkeys(people.strangers()))]
    erased = {row.uuid for row in history.rows if row.kind == MESSAGE_KIND and not row.text}
    found += [
        f"I5 {uuid} was answered with success for another body"
        for uuid in people.mistaken
        if uuid not in erased
    ]
    places = {(event.room.hex, event.uuid, event.seq) for event in world.store.events()}
    found += [
        f"I1 {uuid} is not at {sent.seq}"
        for room, uuid, sent in people.changed
        if (room, uuid, sent.seq) not in places
    ]
    found += [f"G9 the row {number} of the api was not carried out" for number in world.store.pending()]
    buried = world.store.buried() - people.poisonous
    found += [f"G9 {uuid} was given up" for uuid in sorted(buried)]
    found += _welcome(world, history)
    found += [f"error: {complaint}" for complaint in world.loop.complaints]
    return found


def _stored_after_all(history: History) -> Iterator[str]:
    """I10 also where its event was seen: what was sent once and refused for good is stored.

    Where a uuid went out twice on one connection, the client can't tell whose refusal it hears: that of the
    first sending may have waited in a socket that took nothing.
    """
    for operation in history.operations:
        if len(operation.attempts) != 1 or operation.outcome is not Outcome.SUCCESS:
            continue
        (attempt,) = operation.attempts
        is_final = attempt.outcome is Outcome.ERROR and attempt.error_code not in RETRIED
        if is_final and operation.key in history.stored_seqs:
            yield f"I10 {operation.uuid} was refused with {attempt.error_code}, and was stored after that"


def _welcome(world: World, history: History) -> Iterator[str]:
    """G10: nobody stays connected who may not; without a fault just then for a second, else for a minute."""
    for at, was_told in world.revoked:
        is_quiet = was_told and not any(
            fault.started_at < at + CUT_OFF_SECONDS and fault.ended_at > at - QUIET_SECONDS
            for fault in history.faults
        )
        most = CUT_OFF_SECONDS if is_quiet else FOUND_SECONDS
        for one in history.connections:
            if one.client.startswith(f"user{GUEST}-") and (one.closed_at or world.loop.time()) > at + most:
                yield f"G10 {one.client} was connected {most:g} s after it was revoked"


def _members_otherwise(world: World) -> Iterator[str]:
    """The members are those of whom the logs say so, and nobody leaves a room twice."""
    events, members = world.store.events(), world.store.members()
    rows = rows_of(world.store)
    told = memberships_in(events, rows)
    open_ended = {(UUID(one.room), one.user) for one in told if one.to_seq is None}
    for room, user in sorted(open_ended ^ members):
        where = "the log" if (room, user) in open_ended else "the table"
        yield f"I16 {user} is a member of {room} by {where} alone"
    ended = {(one.room, one.to_seq) for one in told}
    if any(row.kind in REMOVALS and (row.room, row.seq) not in ended for row in rows):
        yield "I16 somebody left a room without being in it"


def _unforgotten(world: World, history: History) -> Iterator[str]:
    """I15 in every table: no text that was erased is anywhere, and nothing that would confirm a guess."""
    if not world.erasures:
        return
    everything = world.store.everything()
    for operation in history.operations:
        if operation.kind != MESSAGE_KIND:
            continue
        at = world.committed.get(operation.uuid, operation.answered_at)
        # Every query travels: an erasure that begins at the moment of the commit reads after it.
        if at is None or not any(one.user == operation.user and at <= one.began_at for one in world.erasures):
            continue
        files = files_in(operation.data)
        data = "" if files else operation.data
        command = NewMessage(
            uuid=operation.uuid,
            room=UUID(operation.room),
            text=operation.text,
            attachments=[UUID(file) for file in files],
        )
        secrets = {"text": operation.text, "hash": hash_of(command, data)}
        if data:
            secrets["data"] = json.loads(data)["card"]
        if files and operation.key in history.stored_seqs:
            secrets["name of a file"] = name_of(files[0])
        for what, value in secrets.items():
            if value.encode() in everything:
                yield f"I15 the {what} of {operation.uuid} is still in the database"
    for buried_at, letter in world.store.letters():
        envelope = decode_envelope(letter)
        is_erased = any(one.user == envelope.user and buried_at < one.began_at for one in world.erasures)
        if is_erased and isinstance(envelope.command, NewMessage) and envelope.command.text:
            yield f"I15 the text of {envelope.command.uuid} is still in a dead letter"


def _undeleted(world: World, history: History) -> Iterator[str]:
    """I21 in every table: nothing of what a deleted message was, or was to be, is anywhere."""
    deleted = {(row.room, row.target) for row in history.rows if row.kind == DELETION_KIND}
    everything = world.store.everything() if deleted else b""
    for operation in history.operations:
        seqs = [operation.target] if operation.target else history.stored_seqs.get(operation.key, [])
        is_deleted = any((operation.room, seq) in deleted for seq in seqs)
        if is_deleted and operation.text and operation.text.encode() in everything:
            yield f"I21 the text of {operation.uuid} is still in the database"


def _vanished(world: World) -> Iterator[str]:
    """An entry that Redis did not lose became an event or a refusal, whether or not anybody repeated it.

    Two who make the direct room of their pair at once make one: the second gets the first one's event.
    """
    lost = {decode_envelope(value).command.uuid for value in world.redis.lost if value}
    events = world.store.events()
    stored = {(event.uuid, event.room, event.user) for event in events}
    made = {event.room for event in events if event.kind == "create_room"}
    for value in world.redis.taken:
        if not value:
            continue
        envelope = decode_envelope(value)
        command = envelope.command
        if not isinstance(command, RoomWrite) or command.uuid in lost:
            continue
        key = (command.uuid, room_of(command, envelope.user), envelope.user)
        if isinstance(command, CreateRoom) and command.kind == "direct" and key[1] in made:
            continue
        if key not in stored and key not in world.refused:
            yield f"G7 the entry of {command.uuid} vanished"
