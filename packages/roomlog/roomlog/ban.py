"""Bans from rooms, and how the end of a mute or a ban is stored.

Rows of Ban are the workers', as those of Membership are; only a deleted account's go with it (`departures`).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roomlog_contract.limits import UNTIL_SECONDS

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
FOREVER: Final = datetime.fromtimestamp(UNTIL_SECONDS, UTC)
"""`Membership.muted_until` of a mute without an end: a comparison needs no second case."""


class Ban(models.Model):
    """A person who can't be brought into a room, until a moment or without an end."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(
        "roomlog.ChatRoom",
        on_delete=models.PROTECT,
        related_name="bans",
        db_index=False,
        verbose_name=_("room"),
    )
    user = models.ForeignKey(
        "roomlog.Person", on_delete=models.PROTECT, related_name="bans", verbose_name=_("user")
    )
    until = models.DateTimeField(_("until"), null=True)
    """Null: without an end. A ban whose end has come counts as none."""
    seq = models.BigIntegerField(_("seq"))
    """The seq of the event that set it."""

    class Meta:
        verbose_name, verbose_name_plural = _("ban"), _("bans")
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="ban_once")]

    def __str__(self) -> str:
        return f"{self.user_id} banned from {self.room_id}"


def lasting(now: datetime) -> Q:
    """Return the condition of the bans that have not ended."""
    return Q(until=None) | Q(until__gt=now)


def end_of(until: int | None) -> datetime | None:
    """Return the moment of the wire's `until`."""
    return None if until is None else datetime.fromtimestamp(until, UTC)


def until_of(end: datetime | None) -> int | None:
    """Return the wire's `until` of a ban's or mute's end, the second not before it; None: there is none."""
    # In integers: a float has no microseconds in a thousand years.
    return None if end is None or end == FOREVER else -((_BEGINNING - end) // _SECOND)
