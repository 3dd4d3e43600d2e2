"""Reports of messages, as people sent them and as the database holds them, in the words of the checker."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Report(NamedTuple):
    """Somebody tells the moderators of a message."""

    room: str
    seq: int
    user: int


@dataclass
class Reports:
    """All that a run knows of reports."""

    asked: list[Report] = field(default_factory=list)
    answered: list[tuple[Report, bool]] = field(default_factory=list)
    """Those that were accepted, with whether the answer says that it is the sender's first of the message."""
    stored: list[Report] = field(default_factory=list)
    """The rows at rest."""
