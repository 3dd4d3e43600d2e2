"""Blocks and unblocks people, and lists whom somebody has blocked.

Beside all logs: it takes no lease and no head's lock, and becomes no event. The rows of both people are
locked, in the order of their ids: so counts are exact, and the end of an account leaves no block.
"""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.dispatch import Signal

from roomlog_contract.errors import NO_SUCH_USER, NOT_STAFF, NOT_YOURSELF, ErrorCode, RefusedCommand
from roomlog_contract.events import User
from roomlog_contract.limits import BLOCKS_PER_USER

from .block import Block
from .models import Membership, Person
from .people import as_user

block_changed: Final = Signal()
"""Sent after the commit with `blocker`, `user` and `is_blocked`: the blocker's sockets are to hear of it."""


def block(blocker: int, blocked: int) -> User:
    """Block somebody, in a transaction; again is harmless. Return who that is.

    Raises:
        RefusedCommand: oneself (`bad_value`), nobody (`not_found`), staff (`forbidden`), or one too many
            (`too_many_blocks`).
    """
    if blocker == blocked:
        raise RefusedCommand(ErrorCode.BAD_VALUE, NOT_YOURSELF)
    with transaction.atomic():
        person = _locked(blocker, blocked).get(blocked)
        if person is None or person.user is None:
            raise RefusedCommand(ErrorCode.NOT_FOUND, NO_SUCH_USER)
        if getattr(person.user, "is_staff", False):
            raise RefusedCommand(ErrorCode.FORBIDDEN, NOT_STAFF)
        rows = Block.objects.filter(blocker=blocker)
        if not rows.filter(blocked=blocked).exists():
            if rows.count() >= BLOCKS_PER_USER:
                raise RefusedCommand(ErrorCode.TOO_MANY_BLOCKS)
            Block.objects.create(blocker_id=blocker, blocked_id=blocked)
    return as_user(person)


def unblock(blocker: int, blocked: int) -> User:
    """End a block, in a transaction; where there is none, nothing changes. Return who that is.

    Raises:
        RefusedCommand: there is no such person (`not_found`).
    """
    with transaction.atomic():
        person = _locked(blocker, blocked).get(blocked)
        if person is None:
            raise RefusedCommand(ErrorCode.NOT_FOUND, NO_SUCH_USER)
        Block.objects.filter(blocker=blocker, blocked=blocked).delete()
    return as_user(person)


def tell_block(blocker: int, user: User, *, is_blocked: bool) -> None:
    """Have the blocker's sockets hear of it, after the caller's commit."""
    facts = {"blocker": blocker, "user": user, "is_blocked": is_blocked}
    transaction.on_commit(lambda: block_changed.send(None, **facts), robust=True)


def blocks_of(blocker: int, after: int, limit: int) -> list[User]:
    """Return whom the person has blocked, in the order of their ids, those behind `after`."""
    rows = Block.objects.filter(blocker=blocker, blocked__gt=after).select_related("blocked")
    return [as_user(row.blocked) for row in rows.order_by("blocked")[:limit]]


def is_blocked_between(one: int, other: int) -> bool:
    """Tell whether one of two has blocked the other."""
    return Block.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one)).exists()


def blocked_rooms(direct: Collection[UUID]) -> set[UUID]:
    """Return those of these direct rooms of whose two people one has blocked the other, by one query."""
    if not direct:
        return set()
    here = Membership.objects.filter(room=OuterRef(OuterRef("room")), user=OuterRef("blocked"))
    blocks = Block.objects.filter(Exists(here), blocker=OuterRef("user"))
    return set(Membership.objects.filter(Exists(blocks), room__in=direct).values_list("room_id", flat=True))


def blocks_against(authors: Collection[int], people: Collection[int]) -> set[tuple[int, int]]:
    """Return the pairs of those of `people` and `authors` of which the first has blocked the second."""
    rows = Block.objects.filter(blocked__in=authors, blocker__in=people)
    return set(rows.values_list("blocker_id", "blocked_id"))


def forget_blocks(person: int) -> None:
    """Delete the blocks of and against somebody whose account ends."""
    Block.objects.filter(Q(blocker=person) | Q(blocked=person)).delete()


def _locked(*people: int) -> Mapping[int, Person]:
    rows = Person.objects.filter(pk__in=people).select_related("user").order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}
