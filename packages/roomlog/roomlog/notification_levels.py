"""Of which messages of a room a member wants to be told: all, mentions or none. No event.

Beside the log, as read marks are. Nothing in the log depends on a level, so that it needs neither the lock on
the room's head nor a lease; of two at a time the later one stays.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from roomlog_contract.events import RoomSummary

from .models import Membership
from .read_marks import Pair, tell_own_view
from .selectors import in_pairs, summaries_of


def set_notifications(room: UUID, person: int, notify: str) -> RoomSummary | None:
    """Set one level in the caller's transaction; return the room as the person sees it then.

    None for a stranger, whether there is such a room or not.
    """
    set_levels({(room, person): notify})
    seen = summaries_of([(room, person)]).get((room, person))
    if seen is not None:
        tell_own_view(person, seen)
    return seen


def set_levels(wanted: Mapping[Pair, str]) -> None:
    """Set levels, one statement for each; a level that stands already writes no row, a stranger's neither."""
    by_level: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair, notify in wanted.items():
        by_level[notify].append(pair)
    for notify, pairs in by_level.items():
        Membership.objects.filter(in_pairs(pairs)).exclude(notify=notify).update(notify=notify)
