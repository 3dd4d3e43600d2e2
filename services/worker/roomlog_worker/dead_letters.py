"""What can't be carried out is kept where people find it; it is not tried again. Beside the way."""

from roomlog.models import DeadLetter
from roomlog_contract.envelope import encode

from .entries import Entry


def store_letter(entry: Entry, error: str) -> None:
    """Keep an entry; the text is the reason. Again is harmless: an entry is one letter."""
    command = entry.envelope.command
    _keep(
        *entry.key,
        action=entry.action,
        uuid=command.uuid,
        room=getattr(command, "room", None),
        error=error,
        envelope=encode(entry.envelope),
    )


def store_undecodable(shard: int, label: str, value: bytes) -> None:
    """Keep what no release that this one knows has written: perhaps a newer one's gateway did."""
    _keep(shard, label, error="undecodable", envelope=value)


def _keep(shard: int, label: str, **facts: object) -> None:
    DeadLetter.objects.get_or_create(shard=shard, entry=label, defaults=facts)
