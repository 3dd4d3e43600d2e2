"""Invitations to rooms: made, listed, looked at and revoked. A worker lets people in by them (`join_room`).

Beside the message's way. Who may do it, the caller asks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from roomlog_contract.errors import ErrorCode, RefusedCommand

from .invitation import Invitation, opening
from .shown_once import digest_of, new_secret

DAYS: Final = 7
"""How long an invitation lasts if its creator says nothing."""
MOST_DAYS: Final = 366
MOST_USES: Final = 10_000
OPEN_IN_A_ROOM: Final = 50
"""Invitations that are open at once: more than anybody oversees."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an invitation is good for."""

    role: str = Invitation.Role.MEMBER.value
    until: datetime | None = None
    """None: in DAYS."""
    most_uses: int | None = None
    """None: without a bound."""


def invite(room: UUID, creator: int, uuid: str, terms: Terms) -> tuple[Invitation, str | None]:
    """Store an invitation and return it with its token, which nobody can read again.

    A repeated uuid is the invitation that there is, without a token.

    Raises:
        RefusedCommand: its end is not within the next MOST_DAYS, or the room has too many.
    """
    now = timezone.now()
    until = terms.until or now + timedelta(days=DAYS)
    token = new_secret()
    facts = {"id": uuid4(), "role": terms.role, "until": until, "most_uses": terms.most_uses}
    with transaction.atomic():
        found = Invitation.objects.filter(room=room, creator=creator, uuid=uuid).first()
        if found is not None:
            return found, None
        if not now < until <= now + timedelta(days=MOST_DAYS):
            raise RefusedCommand(ErrorCode.BAD_VALUE, f"`until` is not within the next {MOST_DAYS} days.")
        if open_in(room).count() >= OPEN_IN_A_ROOM:
            raise RefusedCommand(
                ErrorCode.BAD_VALUE, f"The room has {OPEN_IN_A_ROOM} open invitations. Revoke one first."
            )
        made, is_new = Invitation.objects.get_or_create(
            room_id=room, creator_id=creator, uuid=uuid, defaults={**facts, "digest": digest_of(token)}
        )
    return made, token if is_new else None


def open_in(room: UUID) -> QuerySet[Invitation]:
    """Return a room's open invitations, the newest first."""
    return Invitation.objects.filter(opening(timezone.now()), room=room).order_by("-date_created", "pk")


def open_invitation(token: str) -> Invitation | None:
    """Return the invitation with this token, if it is open."""
    rows = Invitation.objects.filter(opening(timezone.now()), digest=digest_of(token))
    return rows.select_related("room").first()


def revoke(invitations: QuerySet[Invitation]) -> int:
    """End these invitations, and return how many were not revoked before. Who has joined stays."""
    with transaction.atomic():
        rows = invitations.filter(revoked_at=None)
        held = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        # After the lock: nobody has joined by them later than this moment says.
        return Invitation.objects.filter(pk__in=held).update(revoked_at=timezone.now())
