"""Voids every client's cursor: a step after a restored database or an asynchronous promotion.

Beside the message's way. The logs may have gone back in time, so that a seq may come again with another
content; a new epoch tells everybody to read afresh. Again is harmless, but costs every client a reload.
"""

import secrets
from typing import Any, Final

from django.core.management.base import BaseCommand

from roomlog.epochs import new_epoch
from roomlog.models import RoomHead

EPOCH_BYTES: Final = 8


class Command(BaseCommand):
    """`roomlog new-epoch`."""

    help = (
        "Invalidate every cursor after a restore: stop the workers, restore, run this, start the workers."
        " Open sockets are told within 30 s, other clients when they reconnect; all reload and continue."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Give all rooms one new epoch and print it."""
        epoch = secrets.token_hex(EPOCH_BYTES)
        new_epoch(epoch)
        self.stdout.write(f"epoch {epoch} for {RoomHead.objects.count()} rooms; every cursor is reset")
