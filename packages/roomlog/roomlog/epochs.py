"""The epoch of all logs: a new one voids every cursor."""

from django.db import transaction

from .models import Install, RoomHead


def new_epoch(epoch: str) -> None:
    """Reset every cursor: to be run after any restore, with the workers stopped."""
    with transaction.atomic():
        Install.objects.update(epoch=epoch)
        RoomHead.objects.update(epoch=epoch)
