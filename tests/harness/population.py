"""Makes users and rooms straight in a database, as a program of its own: pytest itself never sees Django.

Before the message's way. Rooms start with an empty log, as if made long ago; the way over commands is for the
tests of those commands. Reads {"users": [name], "rooms": [{"id", "name", "kind", "members": [id]}]} from
standard input, perhaps with {"invitations": [{"room", "by", "token", "seconds", "most_uses"}]}, and prints
{"users": [{"id", "name", "token"}]} in the same order.
"""

import json
import os
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID


def main() -> None:
    """Makes what standard input asks for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_worker.settings")
    import django

    django.setup()
    json.dump(populate(json.load(sys.stdin)), sys.stdout)


def populate(wanted: dict[str, Any]) -> dict[str, Any]:
    """Makes what is asked for in one transaction, and returns the users."""
    from django.db import transaction

    with transaction.atomic():
        users = make_users(wanted["users"])
        make_rooms(wanted["rooms"])
        if "invitations" in wanted:  # not every release knows them
            make_invitations(wanted["invitations"])
    return {"users": users}


def make_users(names: list[str]) -> list[dict[str, Any]]:
    """Makes users without a password (hashing costs 0.3 s each), each with a person and a token.

    The ids are the people's: the wire knows no other. Code's person comes first, so that none is a user's.
    """
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    from roomlog.models import Person
    from roomlog.people import system_person

    system_person()
    User.objects.bulk_create(User(username=name, password=make_password(None)) for name in names)
    ids = dict(User.objects.filter(username__in=names).values_list("username", "id"))
    tokens = {name: Token(user_id=ids[name], key=Token.generate_key()) for name in names}
    Token.objects.bulk_create(tokens.values())
    Person.objects.bulk_create(Person(user_id=ids[name], name=name) for name in names)
    people = dict(Person.objects.filter(user__in=ids.values()).values_list("name", "id"))
    return [{"id": people[name], "name": name, "token": tokens[name].key} for name in names]


def make_rooms(rooms: list[dict[str, Any]]) -> None:
    """Makes rooms with their heads and members; the first member owns the room."""
    from roomlog.models import ChatRoom, Install, Membership, RoomHead

    epoch = Install.objects.get().epoch
    ids = [UUID(room["id"]) for room in rooms]
    ChatRoom.objects.bulk_create(
        ChatRoom(id=room_id, name=room["name"], kind=room["kind"])
        for room_id, room in zip(ids, rooms, strict=True)
    )
    RoomHead.objects.bulk_create(RoomHead(room_id=room_id, epoch=epoch) for room_id in ids)
    Membership.objects.bulk_create(
        Membership(room_id=room_id, user_id=user, role="member" if place else "owner")
        for room_id, room in zip(ids, rooms, strict=True)
        for place, user in enumerate(room["members"])
    )


def make_invitations(invitations: list[dict[str, Any]]) -> None:
    """Makes invitations whose tokens are known."""
    from django.utils import timezone

    from roomlog.models import Invitation
    from roomlog.shown_once import digest_of

    now = timezone.now()
    Invitation.objects.bulk_create(
        Invitation(
            id=UUID(one["token"]),
            room_id=UUID(one["room"]),
            creator_id=one["by"],
            uuid=one["token"],
            digest=digest_of(one["token"]),
            until=now + timedelta(seconds=one["seconds"]),
            most_uses=one["most_uses"],
        )
        for one in invitations
    )


if __name__ == "__main__":
    main()
