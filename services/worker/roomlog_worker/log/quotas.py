"""How many rooms one person may make and be in. Asked before a command makes a room or a member.

Counts are queries, so they hold after a restart and for all workers. Rooms of a person's own making and rooms
that others brought the person into are counted apart, so that others can't fill a person's own quota. Neither
count stops a person from leaving or logging in.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef

from roomlog.configuration import configuration
from roomlog.models import ChatRoom, Membership, Person
from roomlog.rates import MINUTE, wait_ms
from roomlog_contract import limits
from roomlog_contract.errors import ErrorCode

from .errors import HeldElsewhere, RefusedWrite

BURST: Final = timedelta(seconds=5)
BURSTS_PER_MINUTE: Final = MINUTE // BURST


def check_may_create(user: int, now: datetime) -> None:
    """Refuse one room more of this user's making; holds the person's row, so that others do not count too.

    Raises:
        RefusedWrite: as many as allowed exist, or were made in the last minute or the last five seconds.
        HeldElsewhere: another transaction has the person's row; never waits for it.
    """
    person = Person.objects.filter(pk=user)
    held = list(person.select_for_update(skip_locked=True, no_key=True).values_list("pk"))
    if not held and person.exists():  # who does not exist at all is refused with the other members
        raise HeldElsewhere
    a_minute = configuration().room_creations_per_minute
    _check_may_create(user, now, max(limits.ROOM_CREATIONS_BURST, a_minute // BURSTS_PER_MINUTE), BURST)
    _check_may_create(user, now, a_minute, MINUTE)
    most = configuration().rooms_per_user
    if Membership.objects.filter(user=user, room__creator=user).order_by()[most - 1 : most].exists():
        raise RefusedWrite(ErrorCode.TOO_MANY_ROOMS, "You are in the maximum number of rooms of your own.")


def _check_may_create(user: int, now: datetime, most: int, span: timedelta) -> None:
    wait = wait_ms(ChatRoom.objects.filter(creator=user), most, span, now)
    if wait is not None:
        raise RefusedWrite(ErrorCode.RATE_LIMITED, retry_after_ms=wait)


def check_may_be_brought(users: Collection[int]) -> None:
    """Refuse to make these users members of one room more.

    Raises:
        RefusedWrite: one of them is in as many rooms as others may bring anybody into.
    """
    most = configuration().rooms_per_user
    last = Membership.objects.filter(user=OuterRef("pk")).order_by()[most - 1 : most]
    if Person.objects.filter(Exists(last), pk__in=users).exists():
        raise RefusedWrite(ErrorCode.TOO_MANY_ROOMS)
