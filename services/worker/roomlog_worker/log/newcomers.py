"""People whom a command makes members: they may take part, and still may when it is committed."""

from collections.abc import Collection

from roomlog.selectors import active_user_ids

from . import statements
from .errors import HeldElsewhere


def hold_active(people: Collection[int]) -> set[int]:
    """Return those who may take part; nobody can delete their accounts before the transaction ends.

    Else a deletion, which ends the memberships that it sees, would miss one that is not committed yet.

    Raises:
        HeldElsewhere: another transaction is deleting one of the accounts; never waits for it.
    """
    held = statements.hold_people(people)
    active = active_user_ids(people)
    if active - held:
        raise HeldElsewhere
    return active
