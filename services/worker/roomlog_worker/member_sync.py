"""Turns a stored `sync_members` into the invitations and removals that its room still misses.

Before the batch. Only the owner of the room's shard writes its members, in the thread that asks here, so the
difference is the present one; a worker that has lost the shard can't commit what follows from it.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import structlog
from django.utils import timezone
from msgspec.structs import replace

from roomlog.models import ChatRoom, DeadLetter, Membership, RoomEvent
from roomlog.selectors import active_user_ids, banned_from
from roomlog_contract.commands import InviteUser, RemoveUser
from roomlog_contract.envelope import SyncMembers

from .decisions import MEMBER_CHANGES_AT_ONCE
from .entries import Entry
from .writer import delete_pending

log = structlog.get_logger()

_TAKES_MEMBERS: Final = {"kind": ChatRoom.Kind.GROUP, "archived_at": None}


def with_changes(entries: Iterable[Entry]) -> tuple[list[Entry], set[UUID]]:
    """Return the entries with each sync as changes, and the rooms whose other entries wait for them."""
    taken: list[Entry] = []
    unfinished: set[UUID] = set()
    for entry in entries:
        if entry.room in unfinished:
            continue
        if not isinstance(entry.envelope.command, SyncMembers):
            taken.append(entry)
        elif any(earlier.room == entry.room for earlier in taken):
            unfinished.add(entry.room)  # its members are compared when what comes before is written
        elif changes := missing_changes(entry, entry.envelope.command):
            taken += changes
            unfinished.add(entry.room)
        else:
            delete_pending([entry])
    return taken, unfinished


def missing_changes(entry: Entry, sync: SyncMembers) -> list[Entry]:
    """Return the next changes on the way to the wanted members; none where nothing is left to do.

    Who is banned is not wanted while the ban lasts.
    """
    if not ChatRoom.objects.filter(pk=sync.room, **_TAKES_MEMBERS).exists():
        log.warning("sync_refused", room=sync.room.hex)
        return []
    banned = banned_from(sync.room, timezone.now()).intersection(sync.users)
    wanted = set(sync.users) - banned
    members = Membership.objects.filter(room=sync.room)
    present = set(members.exclude(user__user=None, user__deleted_at=None).values_list("user_id", flat=True))
    changes: list[RemoveUser | InviteUser] = [
        RemoveUser(uuid=f"{sync.uuid}-{user}", room=sync.room, user=user) for user in sorted(present - wanted)
    ]
    changes += (
        InviteUser(uuid=f"{sync.uuid}-{user}", room=sync.room, user=user)
        for user in sorted(active_user_ids(wanted - present))
    )
    entries = [_entry_of(entry, change) for change in changes]
    left = _without_ended(entries)[:MEMBER_CHANGES_AT_ONCE]
    if banned and not left:
        log.warning("sync_left_out", room=sync.room.hex, banned=len(banned))
    return left


def _entry_of(entry: Entry, change: RemoveUser | InviteUser) -> Entry:
    envelope = replace(entry.envelope, command=change)
    return Entry(entry.shard, entry.stream, f"sync-{entry.pending}-{change.user}", envelope)


def _without_ended(entries: list[Entry]) -> list[Entry]:
    """Leave out what has come to its end before: it would come again for ever.

    Buried, it can't be carried out. Stored, it was undone by somebody, and its repeat would change nothing.
    """
    if not entries:
        return []
    first = entries[0]
    letters = DeadLetter.objects.filter(shard=first.shard, entry__in=[entry.id for entry in entries])
    buried = set(letters.values_list("entry", flat=True))
    events = RoomEvent.objects.filter(room=first.room, user=first.envelope.user)
    uuids = [entry.envelope.command.uuid for entry in entries]
    stored = set(events.filter(uuid__in=uuids).values_list("uuid", flat=True))
    return [
        entry for entry in entries if entry.id not in buried and entry.envelope.command.uuid not in stored
    ]
