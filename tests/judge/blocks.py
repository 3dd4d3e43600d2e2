"""Who blocks whom, as people asked for it and as the database holds it, in the words of the checker."""

from dataclasses import dataclass, field
from typing import NamedTuple

Pair = tuple[int, int]
"""Who blocks, and whom."""


class Asked(NamedTuple):
    """Somebody asked to block a user, or to end that."""

    blocker: int
    blocked: int
    is_blocked: bool
    invoked_at: float
    answered_at: float | None
    """None: the outcome is unknown."""
    is_last: bool = False
    """Asked at rest: nothing of the pair comes after it."""


class Listed(NamedTuple):
    """Whom somebody has blocked, as the server listed it at rest."""

    blocker: int
    users: tuple[int, ...]


@dataclass
class Blocks:
    """All that a run knows of blocks."""

    asked: list[Asked] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    stored: list[Pair] = field(default_factory=list)
    """The rows at rest."""
    direct: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The two people of each direct room of theirs."""

    def blockers(self) -> frozenset[int]:
        """Return who asked to block somebody, or to end that."""
        return frozenset(one.blocker for one in self.asked)

    def may_have_blocked(self, blocker: int) -> frozenset[int]:
        """Return whom somebody may have blocked at some time."""
        return frozenset(one.blocked for one in self.asked if one.is_blocked and one.blocker == blocker)
