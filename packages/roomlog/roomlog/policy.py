"""The project's own rules (`ROOMLOG["POLICY"]`): who may make rooms, write to whom, invite, find and
see whom.

Beside the message's way. A policy is a class or a module with some of the functions of `QUESTIONS`. It may be
slow or fail: whoever asks lets nobody else wait for it. It is asked about people's commands alone, and only
about what is not in a log yet: a repeat is answered, whatever the policy says by now.
"""

from collections.abc import Collection, Iterator
from importlib import import_module
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from roomlog_contract.commands import CreateRoom, InviteUser, JoinRoom, RoomWrite
from roomlog_contract.shards import room_of

from .configuration import configuration
from .inviting import open_invitation
from .models import ChatRoom, Membership, Person, RoomEvent

QUESTIONS: Final = (
    *("may_create_room", "may_message_directly", "may_invite"),
    *("may_find", "may_find_rooms", "may_see_presence"),
)
"""What a policy may answer; what it does not is allowed as ever."""
AskedAbout = CreateRoom | InviteUser | JoinRoom
"""The commands that it is asked about."""
REFUSED: Final = "The rules of this project don't allow it."
SENTENCE_CHARACTERS: Final = 200

Sentence = str


def has_policy() -> bool:
    """Return whether the project names one."""
    return configuration().policy is not None


def objection_to(command: RoomWrite, user: int) -> Sentence | None:
    """Return the sentence by which the policy refuses a person's command; None if it does not.

    None too for what is refused anyhow, and for what is done already. Raises whatever the policy raises.
    """
    if not has_policy() or not isinstance(command, AskedAbout) or _is_done(command, user):
        return None
    return next(filter(None, map(_sentence, _answers(command, user))), None)


def findable(asker: int, found: QuerySet[Person]) -> QuerySet[Person]:
    """Return those of the people found whom the policy shows to the asker."""
    return _chosen("may_find", asker, found)


def may_find_rooms(asker: int) -> bool:
    """Return whether the policy lets the asker look for rooms that are open to everybody."""
    return not has_policy() or _asked("may_find_rooms", _accounts([asker])[asker]) is True


def with_presence(asker: int, members: QuerySet[Person]) -> QuerySet[Person]:
    """Return those of a room's members of whom the asker may know whether they are connected."""
    return _chosen("may_see_presence", asker, members)


def hides_presence() -> bool:
    """Return whether the policy has a say in who sees whom: what is told to many at once can't ask it."""
    return has_policy() and hasattr(policy_at(str(configuration().policy)), "may_see_presence")


def policy_at(path: str) -> object:
    """Return the class or module at a dotted path.

    Raises:
        ImportError: there is none.
    """
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name):
            raise  # it is there, and imports what is not
    return import_string(path)


def _is_done(command: AskedAbout, user: int) -> bool:
    """Tell whether the command is an event, or its direct room is there: the answer is that event."""
    room = room_of(command, user)
    if isinstance(command, CreateRoom) and ChatRoom.objects.filter(pk=room).exists():
        return True
    return RoomEvent.objects.filter(uuid=command.uuid, room=room, user=user).exists()


def _answers(command: AskedAbout, user: int) -> Iterator[Any]:
    """Yield what the policy says of the command, question by question."""
    match command:
        case CreateRoom():
            others = [number for number in dict.fromkeys(command.members) if number != user]
            accounts = _accounts([user, *others])
            if accounts.keys() != {user, *others}:
                return  # refused by the worker: there is no such user
            members = [accounts[number] for number in others]
            yield _asked("may_create_room", accounts[user], command.kind, members)
            if command.kind == "direct" and len(members) == 1:
                yield _asked("may_message_directly", accounts[user], members[0])
        case InviteUser():
            membership = (
                Membership.objects.filter(room=command.room, user=user).select_related("room").first()
            )
            accounts = _accounts([user, command.user])
            if membership is not None and accounts.keys() == {user, command.user}:
                # Strangers are told that they are, and nothing of the room.
                yield _asked("may_invite", accounts[user], membership.room, accounts[command.user])
        case JoinRoom():
            yield from _answers_to_joining(command, user)


def _answers_to_joining(command: JoinRoom, user: int) -> Iterator[Any]:
    """Yield what the policy says of somebody who comes by an invitation, or brings in the own person.

    Whether somebody may find rooms does not depend on the room: a stranger learns nothing by the answer.
    """
    accounts = _accounts([user])
    if user not in accounts:
        return
    room = ChatRoom.objects.filter(pk=command.room).exclude(users=user).first()
    if command.invitation is not None and not (room is not None and room.is_discoverable):
        invitation = open_invitation(command.invitation)
        if room is not None and invitation is not None and invitation.room_id == room.pk:
            for creator in _accounts([invitation.creator_id]).values():
                yield _asked("may_invite", creator, room, accounts[user])
        return
    yield _asked("may_find_rooms", accounts[user])
    if room is not None and room.is_discoverable:
        yield _asked("may_invite", accounts[user], room, accounts[user])


def _chosen(question: str, asker: int, people: QuerySet[Person]) -> QuerySet[Person]:
    function = _function(question) if has_policy() else None
    if function is None:
        return people
    users = get_user_model()._default_manager.filter(roomlog_person__in=people)
    return people.filter(user__in=function(_accounts([asker])[asker], users))


def _asked(question: str, *facts: Any) -> Any:
    function = _function(question)
    return True if function is None else function(*facts)


def _function(question: str) -> Any:
    found = policy_at(str(configuration().policy))
    return getattr(found() if isinstance(found, type) else found, question, None)


def _sentence(answer: Any) -> Sentence | None:
    """Return why not: True alone allows, a text is the reason."""
    if answer is True:
        return None
    return answer[:SENTENCE_CHARACTERS] if isinstance(answer, str) and answer.strip() else REFUSED


def _accounts(people: Collection[int]) -> dict[int, Any]:
    """Return the users of these people, by person, as far as they have one."""
    rows = Person.objects.filter(pk__in=people, user__isnull=False).select_related("user")
    return {person.pk: person.user for person in rows}
