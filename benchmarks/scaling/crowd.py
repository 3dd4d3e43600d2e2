"""The crowd that lost its connections, and how it comes back, in steps of half a second.

People are shares of a crowd. Each waits by the clients' backoff, finds a gateway with a place and a token for
a new socket, or is refused and waits again. For whoever is accepted the gateway asks the token's worker twice
who it is, as `rooms/authentication.py` does: a question that is not answered in time is asked again, and the
worker answers the old one all the same. After ten seconds the gateway gives up and the client waits again. A
worker answers in the order in which it was asked.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from roomlog_client.pace import BACKOFF_CAP_SECONDS, backoff_seconds
from roomlog_contract import limits
from roomlog_gateway.rooms.members import IDENTIFY_TRY_SECONDS

STEP: Final = 0.5
QUESTIONS: Final = 2
"""Of one login: before and after its rooms are subscribed to."""
CEILINGS: Final = tuple(
    ceiling
    for failures in range(1, 20)
    if failures == 1 or backoff_seconds(failures - 1, 1.0) < BACKOFF_CAP_SECONDS
    for ceiling in (backoff_seconds(failures, 1.0),)
)
"""Seconds within which the next try comes, by failures; the last holds for all further ones."""
TRIES: Final = round(IDENTIFY_TRY_SECONDS / STEP)
DEADLINE: Final = round(limits.IDENTIFY_SECONDS / STEP)
DUST: Final = 1e-6
"""People; less of one is nobody."""

Crowd = list[float]
"""People by their failures so far, at least one."""


@dataclass(slots=True)
class Question:
    """What some people's gateways ask a worker in one step."""

    crowd: Crowd
    number: int
    accepted: int
    """The step in which their sockets were accepted."""
    is_stale: bool = False
    """Its gateway no longer waits for the answer."""


@dataclass(slots=True)
class Reader:
    """Workers with as many shards: what they may answer in a step, and what they were asked."""

    share: float
    """Of all logins."""
    a_step: float
    """Questions."""
    most: float
    """Entries of their streams; beyond it the gateways keep a question, and ask later."""
    waiting: deque[Question] = field(default_factory=deque)
    kept: dict[tuple[int, int], Question] = field(default_factory=dict)
    """By when their sockets were accepted, and the question's number: not yet in a reader."""
    length: float = 0.0

    @property
    def seconds(self) -> float:
        """Return how long a question waits that is asked now."""
        return self.length / self.a_step * STEP

    def ask(self, crowd: Crowd, number: int, accepted: int) -> None:
        """Ask about people in this step, or as soon as the streams take it."""
        if sum(crowd) > 0:
            question = self.kept.setdefault((accepted, number), Question(_nobody(), number, accepted))
            question.crowd = _joined(question.crowd, crowd)


@dataclass(frozen=True, slots=True)
class Second:
    """The crowd at one time."""

    at: float
    connected: float
    entering: float
    """People with a socket who are asked about."""
    waiting: float
    """People who are away, between two tries."""
    longest: float
    """Seconds that a question waits at the slowest workers."""


class Return:
    """The way back of `gone` people; `connected` others stay."""

    def __init__(
        self,
        gone: float,
        connected: float,
        places: float,
        accepts: float,
        readers: Sequence[Reader],
        away: float = 0.0,
        door: float = float("inf"),
    ) -> None:
        """`places`, `accepts` a second and `door` are those of all gateways together.

        `away` is for how many seconds nobody reaches any. `door` is how many sockets a second the gateways'
        cores can let in.
        """
        self.connected, self._gone, self._stayed = connected, gone, connected
        self._places, self._accepts, self._tokens = places, accepts, accepts
        self._readers, self._door = readers, door * STEP
        self._now, self._away = 0, round(away / STEP)
        self._due: defaultdict[int, Crowd] = defaultdict(_nobody)
        self._timers: defaultdict[int, list[tuple[Reader, Question]]] = defaultdict(list)
        self._at_the_door = _nobody()
        self.waiting = self.entering = 0.0
        self.tries = 0.0
        self.given_up = 0.0
        """Sockets that were closed because no worker answered."""
        self._wait([gone, *_nobody()[1:]])

    @property
    def share(self) -> float:
        """Return how many of those who were gone are back."""
        return (self.connected - self._stayed) / self._gone

    def run(self, share: float, most_seconds: float) -> list[Second]:
        """Go on until such a share is back, or no longer than this; return each second."""
        seconds = [self._second()]
        while self.share < share and self._now * STEP < most_seconds:
            self.step()
            if self._now % round(1 / STEP) == 0:
                seconds.append(self._second())
        return [*seconds, self._second()]

    def step(self) -> None:
        """Let half a second pass."""
        self._now += 1
        self._tokens = min(self._accepts, self._tokens + self._accepts * STEP)
        self._knock()
        for reader, question in self._timers.pop(self._now, ()):
            question.is_stale = True  # the worker will still answer what is left of it
            reader.ask(question.crowd, question.number, question.accepted)
        for reader in self._readers:
            self._answer(reader)
            self._send(reader)

    def _second(self) -> Second:
        longest = max(reader.seconds for reader in self._readers)
        return Second(self._now * STEP, self.connected, self.entering, self.waiting, longest)

    def _wait(self, crowd: Crowd) -> None:
        """Let people wait, each anything between nothing and the ceiling of their failures."""
        self.waiting += sum(crowd)
        for failures, people in enumerate(crowd):
            steps = ceil(CEILINGS[failures] / STEP) if people > DUST else 1
            for step in range(1, steps + 1):
                self._due[self._now + step][failures] += people / steps

    def _fail(self, crowd: Crowd) -> None:
        *earlier, before, last = crowd
        self._wait([0.0, *earlier, before + last])

    def _knock(self) -> None:
        """Let those in whose time has come, as far as there are tokens, places and cores for it."""
        come = self._due.pop(self._now, _nobody())
        self.waiting -= sum(come)
        self.tries += sum(come)
        if self._now <= self._away:
            self._fail(come)
            return
        free = self._places - self.connected - self.entering - sum(self._at_the_door)
        allowed = max(0.0, min(self._tokens, free))
        taken = min(1.0, allowed / sum(come)) if sum(come) > DUST else 1.0
        self._tokens -= taken * sum(come)
        self._fail(_part(come, 1 - taken))
        door = _joined(self._at_the_door, _part(come, taken))
        self.entering += taken * sum(come)
        passing = min(1.0, self._door / sum(door)) if sum(door) > DUST else 1.0
        self._at_the_door = _part(door, 1 - passing)
        for reader in self._readers:
            reader.ask(_part(door, passing * reader.share), 1, self._now)

    def _send(self, reader: Reader) -> None:
        """Give up on those whose time is over, and write what else the streams take."""
        for key, question in sorted(reader.kept.items()):
            size, until = sum(question.crowd), question.accepted + DEADLINE
            if self._now >= until:
                self.given_up += size
                self.entering -= size
                self._fail(question.crowd)
            elif reader.length + size <= reader.most:
                reader.waiting.append(question)
                reader.length += size
                self._timers[min(self._now + TRIES, until)].append((reader, question))
            else:
                continue
            del reader.kept[key]

    def _answer(self, reader: Reader) -> None:
        """Answer the oldest questions of a step."""
        left = reader.a_step
        while reader.waiting:
            question = reader.waiting[0]
            size = sum(question.crowd)
            share = min(1.0, left / size) if size > 0 else 1.0
            answered, question.crowd = _part(question.crowd, share), _part(question.crowd, 1 - share)
            left -= size * share
            reader.length = max(0.0, reader.length - size * share)
            if not question.is_stale:
                self._go_on(reader, question, answered)
            if share < 1:
                return
            reader.waiting.popleft()

    def _go_on(self, reader: Reader, question: Question, answered: Crowd) -> None:
        if question.number < QUESTIONS:
            reader.ask(answered, question.number + 1, question.accepted)
        else:
            self.entering -= sum(answered)
            self.connected += sum(answered)


def _nobody() -> Crowd:
    return [0.0] * len(CEILINGS)


def _part(crowd: Crowd, share: float) -> Crowd:
    return [people * share for people in crowd]


def _joined(one: Crowd, other: Crowd) -> Crowd:
    return [people + more for people, more in zip(one, other, strict=True)]
