"""Stores entries that can't be processed as dead letters, for people to inspect, retry or delete."""

from roomlog.models import DeadLetter
from roomlog_contract.envelope import encode

from .entries import Entry


def store_letter(entry: Entry, error: str) -> None:
    """Store an entry; `error` is the reason. Idempotent: an entry is one letter."""
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
    """Store bytes that this release can't decode: perhaps a newer gateway wrote them."""
    _keep(shard, label, error="undecodable", envelope=value)


def _keep(shard: int, label: str, **facts: object) -> None:
    DeadLetter.objects.get_or_create(shard=shard, entry=label, defaults=facts)
