"""Safeguards of webhooks.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Any, Final
from uuid import UUID

from roomlog.hooks import delivery
from roomlog.hooks.delivery import Post
from roomlog.models import Webhook

from .ablation import Ablation
from .plan import Plan

_WEBHOOKS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(16, 24), edits=(16, 24), webhooks=1.0
)
"""People talk and delete what they said, and the receiver is often ill."""
_post = delivery._post


class _Kept:
    """Sends an event again as it was at the first attempt."""

    def __init__(self) -> None:
        self._posts: dict[Any, Post | None] = {}

    def __call__(self, webhook: Webhook, room: UUID, seq: int) -> Post | None:
        key = webhook.secret, room, seq
        if key not in self._posts:
            self._posts[key] = _post(webhook, room, seq)
        return self._posts[key]


HOOK_ABLATIONS: Final = (
    Ablation(
        "the look at an event when it is sent",
        ((delivery, "_post", _Kept()),),
        plan=_WEBHOOKS,
        invariants=("I38",),
        hint=1,
    ),
    Ablation(
        "the receiver's answer before the cursor moves",
        ((delivery, "_is_taken", lambda answer: True),),
        plan=_WEBHOOKS,
        invariants=("I38",),
    ),
)
