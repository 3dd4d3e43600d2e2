"""Who may be found by whom, to be invited or written to: the install's policy, for the search by name.

Beside the message's way. It says who appears in answers; whoever knows a user's id may still invite them.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Final
from unicodedata import normalize

from django.db.models import Exists, OuterRef, Q, QuerySet

from roomlog.configuration import configuration
from roomlog.models import Membership, Person
from roomlog.people import as_user, is_active, person_id_by_text
from roomlog.policy import findable
from roomlog_contract.events import User

MIN_PREFIX: Final = 2
"""Characters of a name that must be known: one letter each would list a small install."""
MAX_FOUND: Final = 20
"""Enough to see that more letters are needed."""


class FindPeople(StrEnum):
    """Whom a signed-in person finds (ROOMLOG["FIND_PEOPLE"])."""

    ALL = "all"
    SHARED_ROOMS = "shared_rooms"
    """Members of one's own rooms."""
    NOBODY = "nobody"


def people_found(asker: int, prefix: str) -> list[User]:
    """Return at most MAX_FOUND active users whose name begins so and whom the asker may find."""
    prefix = normalize("NFKC", prefix)
    if len(prefix) < MIN_PREFIX or "\0" in prefix:
        return []
    found = _findable(asker).filter(_begins(prefix))
    return [as_user(person) for person in found.order_by("name")[:MAX_FOUND]]


def people_of_account(asker: int, key: str) -> list[User]:
    """Return the active person whose user has this primary key, if the asker may find them."""
    if "\0" in key:
        return []
    person = person_id_by_text(key)
    return [as_user(found) for found in _findable(asker).filter(pk=person)] if person is not None else []


def people_shown(asker: int, ids: Collection[int]) -> QuerySet[Person]:
    """Return those of these people whose messages the asker may read: themselves, and who shares a room."""
    return Person.objects.filter(_shares_a_room(asker) | Q(pk=asker), pk__in=ids)


def _findable(asker: int) -> QuerySet[Person]:
    """Return the active people whom the project shows to the asker: by FIND_PEOPLE, then by its policy."""
    choice = FindPeople(configuration().find_people)
    if choice is FindPeople.NOBODY:
        return Person.objects.none()
    found = Person.objects.filter(is_active("user"))
    if choice is FindPeople.SHARED_ROOMS:
        found = found.filter(_shares_a_room(asker))
    return findable(asker, found)


def _shares_a_room(asker: int) -> Exists:
    return Exists(Membership.objects.filter(user=OuterRef("pk"), room__memberships__user=asker))


def _begins(prefix: str) -> Q:
    """Return the condition that a name begins so, in whatever case; the index people_by_beginning has it.

    A database may compare ASCII alone without case: for other letters it is asked for the forms that people
    type.
    """
    forms = {prefix} if prefix.isascii() else {prefix, prefix.lower(), prefix.upper(), prefix.capitalize()}
    return reduce(or_, (Q(name__istartswith=form) for form in sorted(forms)))
