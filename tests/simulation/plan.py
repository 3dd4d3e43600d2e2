"""What a run is about: how much is said and changed, and what may go wrong.

Before a simulation. The plan of every day lets everything happen; an ablation's plan has the faults against
which one safeguard stands, so that few seeds show what it is for.
"""

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = ("before_read", "read", "in_transaction", "before_commit", "after_commit", "after_delete")
"""Where a worker's turn may be hit."""
MORE_SHARDS: Final = 256


@dataclass(frozen=True)
class Plan:
    """The shape of one run; what is drawn within it comes from the seed."""

    kinds: tuple[str, ...] = ()
    """Faults that may happen; all where there is none."""
    faults: tuple[int, int] = (2, 6)
    """How many, at least and at most."""
    steps: tuple[str, ...] = STEPS
    pauses: tuple[tuple[float, float], ...] = ((0.5, 8.0), (11.0, 18.0))
    """How many seconds a worker may be frozen; over 10.5 s the others take its shards."""
    messages: tuple[int, int] = (30, 100)
    changes: tuple[int, int] = (1, 5)
    """How often somebody is thrown out and invited again."""
    churn_seconds: tuple[float, float] = (0.2, 2.5)
    """Before and after each time that somebody is thrown out."""
    guests: tuple[int, ...] = (1, 9)
    """Of how many pairs of room and guest."""
    tries: int = 1
    """How often somebody tries to speak who was just thrown out."""
    visits: float = 0.1
    """How many connections somebody opens just when being invited, on average."""
    greetings: int = 0
    """How often somebody is spoken to who was just invited again."""
    syncs: tuple[int, int] = (0, 0)
    """How often a project's transaction says who is in a room."""
    ending_tokens: float = 0.0
    """How likely it is that each token ends a while after it was looked at, and people renew."""
    departures: float = 0.0
    """How likely a project deletes the guest's account."""
    erasures: tuple[int, int] = (0, 0)
    """How often an operator erases what somebody has said."""
    posts: tuple[int, int] = (0, 4)
    """How often a project's transaction says something."""
    cards: float = 0.0
    """How likely a project posts data, reads them afresh, and runs its transactions again."""
    archives: float = 0.0
    """How likely the owner archives rooms while people talk in them, and restores them."""
    marks: tuple[int, int] = (0, 0)
    """How often somebody marks a room read; above 0 everybody does in the end."""
    edits: tuple[int, int] = (0, 0)
    """How often somebody edits or deletes a message; above 0 all rooms are read afresh in the end."""
    reactions: tuple[int, int] = (0, 0)
    """How often people react; above 0 all rooms are read afresh in the end."""
    moderations: tuple[int, int] = (0, 0)
    """How often an owner sets roles, mutes or bans, until all is as before."""
    pins: tuple[int, int] = (0, 0)
    """How often people pin and unpin messages; above 0 all rooms are read afresh in the end."""
    typing: float = 0.0
    """How likely people say that they are typing."""
    watching: float = 0.0
    """How likely people look at rooms; then in the end everybody must see who is there."""
    mentions: float = 0.0
    """How likely people mention each other."""
    calls: float = 0.0
    """How likely people mention whole rooms."""
    blocks: float = 0.0
    """How likely people block each other."""
    reports: float = 0.0
    """How likely people report messages."""
    levels: float = 0.0
    """How likely people set levels of notifications."""
    retention: float = 0.0
    """How likely events are pruned after a while, but those of one room."""
    files: float = 0.0
    """How likely people send files."""
    topics: float = 0.0
    """How likely people say what rooms are about."""
    webhooks: float = 0.0
    """How likely a webhook is told of all rooms."""
    joining: float = 0.0
    """How likely rooms are opened to everybody, and people leave them and join again."""
    receipts: float = 0.0
    """How likely people turn receipts on and off and watch; then in the end all must know all marks."""
    replica: float = 0.0
    """How likely a replica that is late answers history, and people look back."""
    shards: float = 0.0
    """How likely the install has MORE_SHARDS."""
    told_seconds: float = math.inf
    """In which a connected member must know that it is one, at any time, where no notice is lost."""


EVERYDAY: Final = Plan()
EVERYTHING: Final = Plan(
    syncs=(0, 3),
    ending_tokens=0.3,
    departures=0.4,
    erasures=(0, 2),
    cards=0.5,
    archives=0.3,
    marks=(2, 8),
    edits=(3, 10),
    reactions=(2, 8),
    moderations=(0, 2),
    pins=(1, 4),
    typing=0.3,
    watching=0.3,
    mentions=0.3,
    calls=0.3,
    blocks=0.3,
    reports=0.3,
    levels=0.3,
    retention=0.2,
    files=0.3,
    topics=0.3,
    webhooks=0.2,
    joining=0.3,
    receipts=0.3,
    replica=0.2,
    shards=0.1,
)
