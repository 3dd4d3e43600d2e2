"""How long rooms keep their logs: the install's days, a room's own, or a legal hold.

Beside the log. A room's owner prunes (`roomlog_worker.pruner`); here is what it asks, and what operators set.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction

from .configuration import configuration
from .models import RoomHead, RoomRetention


@dataclass(frozen=True, slots=True)
class Retention:
    """What somebody has said of one room."""

    days: int | None = None
    """None: as long as the install keeps its logs."""
    is_held: bool = False

    @property
    def days_kept(self) -> int | None:
        """Return after how many days events are pruned; None for never."""
        return None if self.is_held else self.days or configuration().retention_days


AS_THE_INSTALL: Final = Retention()


def retention_of(room: UUID) -> Retention:
    """Return what holds for the room; under the lock on its head it can't change."""
    row = RoomRetention.objects.filter(room=room).values_list("days", "is_held").first()
    return AS_THE_INSTALL if row is None else Retention(*row)


@transaction.atomic
def retain(room: UUID, retention: Retention) -> bool:
    """Let a room keep its log so from now on; False if there is no such room.

    The room's head is locked: no prune is under way when this commits, and the next one goes by it.
    """
    if not RoomHead.objects.select_for_update(no_key=True).filter(room=room).exists():
        return False
    facts = {"days": retention.days, "is_held": retention.is_held}
    RoomRetention.objects.update_or_create(room_id=room, defaults=facts)
    return True
