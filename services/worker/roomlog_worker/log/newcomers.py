"""People whom a command makes members or bans: they have an account, and still have it at the commit."""

from collections.abc import Collection

from django.db import connection

from roomlog.selectors import active_user_ids, has_account

from . import statements
from .errors import HeldElsewhere


def hold_active(people: Collection[int]) -> set[int]:
    """Return those who may take part; nobody can delete their accounts before the transaction ends.

    Else a deletion, which ends the memberships that it sees, would miss one that is not committed yet.

    Raises:
        HeldElsewhere: another transaction is deleting one of the accounts; never waits for it.
    """
    held = _held(people)
    active = active_user_ids(people)
    if active - held:
        raise HeldElsewhere
    return active


def hold_account(person: int) -> bool:
    """Return whether the person, active or not, has an account; nobody deletes it before the commit.

    Raises:
        HeldElsewhere: another transaction is deleting it; never waits for it.
    """
    held = _held([person])
    is_there = has_account(person)
    if is_there and not held:
        raise HeldElsewhere
    return is_there


def _held(people: Collection[int]) -> set[int]:
    on_sqlite = connection.vendor == "sqlite"  # where this transaction is the only writer
    return set(people) if on_sqlite else statements.hold_people(people)
