"""What one attack may use: addresses, accounts and rooms, handed from the ground to the attacker's process.

Before the attack. Both sides of a pipe read and write it as JSON; it holds no logic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """An account that attacks."""

    id: int
    token: str


@dataclass(frozen=True, slots=True)
class Job:
    """One attack for one attacker's process."""

    attack: str
    """Its name in the table of attacks."""
    seconds: float
    websocket: str
    """Address of the gateway's socket."""
    page: str
    """Address of the api, without a path."""
    member: Account
    """An ordinary account, a member of all rooms below."""
    collector: Account
    """An account with very many rooms."""
    room: str
    """The attacker's own room, on the bystander's shard."""
    shared: str
    """The bystander's room."""
    long: str
    """A room full of the largest messages."""
    messages: Sequence[int]
    """Its messages, all of the ordinary account."""
    restless: str
    """A room whose log holds very many joins and leaves, and few messages."""
    rooms: Sequence[str]
    """Rooms of the collector."""
    people: Sequence[int]
    """Users who may be invited."""
    epoch: str
    """The install's epoch."""
