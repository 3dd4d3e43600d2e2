"""People whom a command makes members: they may take part, and still may when it is committed."""

from collections.abc import Collection

from django.db import connection

from roomlog.selectors import active_user_ids

from . import statements
from .errors import HeldElsewhere


def hold_active(people: Collection[int]) -> set[int]:
    """Return those who may take part; nobody can delete their accounts before the transaction ends.

    Else a deletion, which ends the memberships that it sees, would miss one that is not committed yet.

    Raises:
        HeldElsewhere: another transaction is deleting one of the accounts; never waits for it.
    """
    on_sqlite = connection.vendor == "sqlite"  # where this transaction is the only writer
    held = set(people) if on_sqlite else statements.hold_people(people)
    active = active_user_ids(people)
    if active - held:
        raise HeldElsewhere
    return active
