"""Safeguards of roles, mutes, bans and pins.

Beside `ablations.py`, which has all the others and runs these too.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from roomlog.models import RoomEvent
from roomlog_worker.log.batch import Batch, Target
from roomlog_worker.log.erasure import scrub
from roomlog_worker.log.rules import members, messages, pins
from roomlog_worker.log.rules.access import require_target

from .ablation import Ablation
from .plan import Plan

_MODERATIONS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(10, 20), changes=(0, 1), moderations=(8, 12)
)
"""Owners set roles, mute and ban much, and whom they silence speaks all the same."""
_PINS: Final = replace(_MODERATIONS, moderations=(0, 0), edits=(6, 10), pins=(12, 18))
"""People pin much, and messages are deleted."""


def _nobody_is_banned(*_: object) -> bool:
    """Overlook bans."""
    return False


def _let_all_write(*_: object) -> None:
    """Overlook mutes and readers."""


def _scrub_but_pins(batch: Batch, room: UUID, seqs: Collection[int]) -> int:
    """Take the text out of messages and leave them pinned."""
    pinned = RoomEvent.objects.filter(room=room, seq__in=seqs, pinned_seq__isnull=False)
    kept = dict(pinned.values_list("seq", "pinned_seq"))
    found = scrub(batch, room, seqs)
    for seq, pin in kept.items():
        RoomEvent.objects.filter(room=room, seq=seq).update(pinned_seq=pin)
    return found


def _target_without_pin(batch: Batch, asked: Any) -> Target:
    """Find a message, and not whether it is pinned."""
    return replace(require_target(batch, asked), is_pinned=False)


MODERATION_ABLATIONS: Final = (
    Ablation(
        "the look at who is banned",
        ((members, "is_banned", _nobody_is_banned),),
        plan=_MODERATIONS,
        invariants=("I25",),
    ),
    Ablation(
        "the look at who may write",
        ((messages, "require_a_say", _let_all_write),),
        plan=_MODERATIONS,
        invariants=("I25",),
    ),
    Ablation(
        "the end of the pin of a deleted message",
        ((messages, "scrub", _scrub_but_pins),),
        plan=_PINS,
        invariants=("I27",),
        hint=2,
    ),
    Ablation(
        "the look at whether a message is pinned",
        ((pins, "require_target", _target_without_pin),),
        plan=_PINS,
        invariants=("I28",),
    ),
)
