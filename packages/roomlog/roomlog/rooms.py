"""Rooms from your own code: made, filled, moderated, renamed, archived and spoken into by your transactions.

Each call stores a command in the caller's transaction (see `pending`). It happens exactly if that commits,
with Redis up or down, and no call writes a room's log itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID, uuid4

from asgiref.sync import sync_to_async
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import router, transaction

from roomlog_contract.codec import data_text
from roomlog_contract.commands import (
    AddReaction,
    ArchiveRoom,
    BanUser,
    CreateRoom,
    DeleteMessage,
    EditMessage,
    Moderation,
    MuteUser,
    NewMessage,
    PinMessage,
    RemoveReaction,
    RenameRoom,
    RestoreRoom,
    Role,
    SetDiscoverable,
    SetReceipts,
    SetRole,
    SetTopic,
    UnbanUser,
    UnmuteUser,
    UnpinMessage,
)
from roomlog_contract.envelope import Envelope, SyncMembers
from roomlog_contract.limits import ROOM_MEMBERS_AT_CREATION
from roomlog_contract.shards import created_room_id

from .ban import until_of
from .foreseen import refuse_a_missing_room
from .models import ChatRoom, PendingCommand
from .pending import request_command, store, wait_for_earlier_calls
from .people import SYSTEM_NAME, person_ids, person_of, person_of_code, system_person
from .selectors import summaries_by_user


def ensure_room(key: str, name: str = "", members: Iterable[AbstractBaseUser] = ()) -> UUID:
    """Make the group of this key, unless it is there or waits already, and return its id.

    The id follows from the key, so it can be stored at once; the room's row appears after the commit. Nobody
    owns the room: your code does. `members` count for a new room only; see `sync_members`.

    Raises:
        RefusedCommand: the name is too long, or holds what can't be stored.
    """
    maker = system_person().pk
    uuid = blake2b(key.encode(), digest_size=16).hexdigest()
    room = created_room_id(maker, uuid)
    waiting = PendingCommand.objects.filter(room=room, uuid=uuid, user=maker)
    if not (ChatRoom.objects.filter(pk=room).exists() or waiting.exists()):
        people = person_ids(members)
        is_small = len(people) <= ROOM_MEMBERS_AT_CREATION
        command = CreateRoom(uuid=uuid, name=name, members=people if is_small else [])
        request_command(command, maker, staff=True, is_bounded=False)
        if not is_small:
            _store_sync(room, people)
    return room


def sync_members(room_id: UUID, users: Iterable[AbstractBaseUser]) -> None:
    """Let a group have exactly these users as its members; whoever speaks for code stays.

    The last call to commit wins. Calls for one room wait for each other until the caller's transaction ends,
    and `users` is read only then: give a queryset, and two transactions that change your members at once end
    with what both have done. Those who can't take part (inactive or banned users) are left out.
    """
    database = router.db_for_write(PendingCommand)
    with transaction.atomic(using=database):
        wait_for_earlier_calls(database, room_id)
        _store_sync(room_id, person_ids(users))


def post(
    room_id: UUID,
    user: AbstractBaseUser,
    text: str,
    *,
    uuid: str | None = None,
    data: Mapping[str, Any] | None = None,
    mentions: Iterable[AbstractBaseUser] = (),
    mentions_room: bool = False,
) -> str:
    """Say something in a room as one of its members, a user of your own, and return the message's uuid.

    Give the uuid of what you post about (an order's, a job's) and a repeated task posts once. `data` is a
    JSON object of at most 4 KiB for your own pages. It travels with the message; no client can send one.
    `mentions` are at most 20 members; if one is no member then, nothing is said. `mentions_room`: all.

    Raises:
        RefusedCommand: the text is empty or too long, or text or data hold what can't be stored; there is no
            such room, and nothing waits that makes it; the uuid was used for something else.
    """
    person = person_of(user).pk
    return _post(room_id, person, text, uuid, data, mentions, staff=False, mentions_room=mentions_room)


def post_as(
    room_id: UUID,
    text: str,
    *,
    name: str = SYSTEM_NAME,
    uuid: str | None = None,
    data: Mapping[str, Any] | None = None,
    mentions: Iterable[AbstractBaseUser] = (),
    mentions_room: bool = False,
) -> str:
    """Say something in a room under a name of your code's own (a bot's), and return the message's uuid.

    Nobody can sign in under that name, and it need not be a member.

    Raises:
        RefusedCommand: as `post`.
    """
    person = person_of_code(name).pk
    return _post(room_id, person, text, uuid, data, mentions, staff=True, mentions_room=mentions_room)


def edit_message(
    room_id: UUID,
    message: int,
    text: str,
    *,
    user: AbstractBaseUser | None = None,
    name: str = SYSTEM_NAME,
    uuid: str | None = None,
    mentions: Iterable[AbstractBaseUser] = (),
    mentions_room: bool = False,
) -> str:
    """Give a message another text and other mentions, as the one who wrote it; return the command's uuid.

    That is `user`, by the rules of a member, or your code under `name`, which knows no limit of time.
    `message` is the message's id: `ChatMessage.objects.get(room=room, uuid=uuid).pk` of what you posted.

    Raises:
        RefusedCommand: the text is empty or too long, or holds what can't be stored; there is no such
            message in the room, it is deleted, or it is another's; the uuid was used for something else.
    """
    person = person_of_code(name) if user is None else person_of(user)
    command = EditMessage(
        uuid=uuid or uuid4().hex,
        room=room_id,
        message=message,
        text=text,
        mentions=person_ids(mentions),
        mentions_room=mentions_room,
    )
    return request_command(command, person.pk, staff=user is None, is_bounded=False)


def delete_message(room_id: UUID, message: int, *, uuid: str | None = None) -> str:
    """Take the text out of anybody's message, for good, and return the command's uuid.

    Raises:
        RefusedCommand: there is no such message in the room, or it is deleted already.
    """
    command = DeleteMessage(uuid=uuid or uuid4().hex, room=room_id, message=message)
    return request_command(command, system_person().pk, staff=True, is_bounded=False)


def add_reaction(
    room_id: UUID, message: int, emoji: str, user: AbstractBaseUser, *, uuid: str | None = None
) -> str:
    """Put an emoji below a message, as one of the room's members, and return the command's uuid.

    Raises:
        RefusedCommand: it is no emoji; there is no such message in the room, or it is deleted.
    """
    command = AddReaction(uuid=uuid or uuid4().hex, room=room_id, message=message, emoji=emoji)
    return request_command(command, person_of(user).pk, is_bounded=False)


def remove_reaction(
    room_id: UUID, message: int, emoji: str, user: AbstractBaseUser, *, uuid: str | None = None
) -> str:
    """Take a member's emoji away from below a message, and return the command's uuid.

    Raises:
        RefusedCommand: as `add_reaction`.
    """
    command = RemoveReaction(uuid=uuid or uuid4().hex, room=room_id, message=message, emoji=emoji)
    return request_command(command, person_of(user).pk, is_bounded=False)


def set_role(room_id: UUID, user: AbstractBaseUser, role: Role) -> None:
    """Give a member another role: `reader` (who writes nothing), `member`, `admin` or `owner`.

    Raises:
        RefusedCommand: there is no such role; there is no such room, and nothing waits that makes it.
    """
    _change(SetRole(uuid=uuid4().hex, room=room_id, user=person_of(user).pk, role=role))


def mute_user(room_id: UUID, user: AbstractBaseUser, until: datetime | None = None) -> None:
    """Let a member write nothing until a moment of the future, or without an end. A later call replaces it.

    Raises:
        RefusedCommand: the moment is before 1970 or after 9999; there is no such room, and nothing waits
            that makes it.
    """
    _change(MuteUser(uuid=uuid4().hex, room=room_id, user=person_of(user).pk, until=until_of(until)))


def unmute_user(room_id: UUID, user: AbstractBaseUser) -> None:
    """Let a muted member write again.

    Raises:
        RefusedCommand: there is no such room, and nothing waits that makes it.
    """
    _change(UnmuteUser(uuid=uuid4().hex, room=room_id, user=person_of(user).pk))


def ban_user(room_id: UUID, user: AbstractBaseUser, until: datetime | None = None) -> None:
    """Keep somebody out of a group until a moment of the future, or without an end; ends their membership.

    Meanwhile nobody can invite them, and `sync_members` leaves them out. A later call replaces the end.

    Raises:
        RefusedCommand: as `mute_user`.
    """
    _change(BanUser(uuid=uuid4().hex, room=room_id, user=person_of(user).pk, until=until_of(until)))


def unban_user(room_id: UUID, user: AbstractBaseUser) -> None:
    """Let somebody who is banned be invited again; the membership does not come back by itself.

    Raises:
        RefusedCommand: as `unmute_user`.
    """
    _change(UnbanUser(uuid=uuid4().hex, room=room_id, user=person_of(user).pk))


def pin_message(
    room_id: UUID, message: int, *, user: AbstractBaseUser | None = None, uuid: str | None = None
) -> str:
    """Put a message among the room's pinned ones, and return the command's uuid.

    As `user`, by the rules of a member, or as your code. `message` is the message's id. A room has at most 50
    pinned messages.

    Raises:
        RefusedCommand: there is no such message in the room, or it is deleted; the uuid was used for
            something else.
    """
    person = system_person() if user is None else person_of(user)
    command = PinMessage(uuid=uuid or uuid4().hex, room=room_id, message=message)
    return request_command(command, person.pk, staff=user is None, is_bounded=False)


def unpin_message(
    room_id: UUID, message: int, *, user: AbstractBaseUser | None = None, uuid: str | None = None
) -> str:
    """Take a message away from the room's pinned ones, and return the command's uuid.

    Raises:
        RefusedCommand: as `pin_message`.
    """
    person = system_person() if user is None else person_of(user)
    command = UnpinMessage(uuid=uuid or uuid4().hex, room=room_id, message=message)
    return request_command(command, person.pk, staff=user is None, is_bounded=False)


def rename(room_id: UUID, name: str) -> None:
    """Give a group another name.

    Raises:
        RefusedCommand: the name is too long, or holds what can't be stored; there is no such room, and
            nothing waits that makes it.
    """
    _change(RenameRoom(uuid=uuid4().hex, room=room_id, name=name))


def set_topic(room_id: UUID, topic: str) -> None:
    """Say what a group is about; empty for nothing.

    Raises:
        RefusedCommand: the topic is too long, or holds what can't be stored; there is no such room, and
            nothing waits that makes it.
    """
    _change(SetTopic(uuid=uuid4().hex, room=room_id, topic=topic))


def set_discoverable(room_id: UUID, discoverable: bool) -> None:
    """Say whether everybody may find a group and join it.

    Raises:
        RefusedCommand: there is no such room, and nothing waits that makes it.
    """
    _change(SetDiscoverable(uuid=uuid4().hex, room=room_id, discoverable=discoverable))


def set_receipts(room_id: UUID, receipts: bool) -> None:
    """Say whether those who look at a room see how far its members have read.

    Raises:
        RefusedCommand: there is no such room, and nothing waits that makes it.
    """
    _change(SetReceipts(uuid=uuid4().hex, room=room_id, receipts=receipts))


def archive(room_id: UUID) -> None:
    """End all writing in a group, yours and its members', until `restore`. It can be read as ever.

    What comes meanwhile is refused or, from your code, dropped: sync the members again after `restore`.

    Raises:
        RefusedCommand: there is no such room, and nothing waits that makes it.
    """
    _change(ArchiveRoom(uuid=uuid4().hex, room=room_id))


def restore(room_id: UUID) -> None:
    """Open an archived group again.

    Raises:
        RefusedCommand: as `archive`.
    """
    _change(RestoreRoom(uuid=uuid4().hex, room=room_id))


def unread(user: AbstractBaseUser) -> dict[UUID, int]:
    """Return the number of unread messages of each of the user's rooms."""
    person = person_of(user).pk
    return {summary.id: summary.unread for summary in summaries_by_user([person])[person]}


aensure_room: Final = sync_to_async(ensure_room)
async_members: Final = sync_to_async(sync_members)
apost: Final = sync_to_async(post)
apost_as: Final = sync_to_async(post_as)
aedit_message: Final = sync_to_async(edit_message)
adelete_message: Final = sync_to_async(delete_message)
aadd_reaction: Final = sync_to_async(add_reaction)
aremove_reaction: Final = sync_to_async(remove_reaction)
aset_role: Final = sync_to_async(set_role)
amute_user: Final = sync_to_async(mute_user)
aunmute_user: Final = sync_to_async(unmute_user)
aban_user: Final = sync_to_async(ban_user)
aunban_user: Final = sync_to_async(unban_user)
apin_message: Final = sync_to_async(pin_message)
aunpin_message: Final = sync_to_async(unpin_message)
arename: Final = sync_to_async(rename)
aset_topic: Final = sync_to_async(set_topic)
aset_discoverable: Final = sync_to_async(set_discoverable)
aset_receipts: Final = sync_to_async(set_receipts)
aarchive: Final = sync_to_async(archive)
arestore: Final = sync_to_async(restore)
aunread: Final = sync_to_async(unread)


def _post(
    room_id: UUID,
    person: int,
    text: str,
    uuid: str | None,
    data: Mapping[str, Any] | None,
    mentions: Iterable[AbstractBaseUser],
    *,
    staff: bool,
    mentions_room: bool,
) -> str:
    refuse_a_missing_room(room_id)
    # Not bounded: your transaction would fail for a crowd that is not yours.
    message = NewMessage(
        uuid=uuid or uuid4().hex,
        room=room_id,
        text=text,
        mentions=person_ids(mentions),
        mentions_room=mentions_room,
    )
    return request_command(
        message, person, staff=staff, is_bounded=False, data=data_text(data) if data else ""
    )


def _change(
    command: RenameRoom | SetTopic | SetDiscoverable | SetReceipts | ArchiveRoom | RestoreRoom | Moderation,
) -> None:
    refuse_a_missing_room(command.room)
    request_command(command, system_person().pk, staff=True, is_bounded=False)


def _store_sync(room_id: UUID, people: Sequence[int]) -> None:
    command = SyncMembers(uuid=uuid4().hex, room=room_id, users=list(people))
    store(room_id, Envelope(command=command, user=system_person().pk, staff=True))
