"""One attack: calm, attacked, calm again; what the bystander felt, and the verdict. Beside the message's way.

The bound is the promise of isolation: the bystander's p99 stays under 250 ms or five times its undisturbed
value, no link is cut, no process restarts, no memory limit of the chart is reached.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.abuse.attacks import Attack
from tests.abuse.ground import Ground
from tests.abuse.peaks import Peaks, chart_limits
from tests.harness.waiting import NeverHappened, wait_until

BOUND_SECONDS: Final = 0.25
BOUND_TIMES: Final = 5.0
CALM_SENDS: Final = 60
"""Messages of the calm before an attack; `calm` of all attacks together is the undisturbed value."""
RECOVERY_SECONDS: Final = 5.0
"""After the attack the bystander must be served as before within this."""
PATIENCE_SECONDS: Final = 60.0
"""For a stretch of calm, however much an attack left behind."""
LINK_LOSSES: Final = ("redis_lost", "redis_silent", "redis_out_of_step", "session_failed", '"trouble"')
"""Lines of a log that mean a cut link or a broken session."""


@dataclass(frozen=True)
class Felt:
    """What the bystander saw in some stretch of time."""

    sends: Sequence[float]
    """Seconds from send to arrival, in order; a lost one counts as its deadline."""
    requests: Sequence[float]
    cuts: int
    refused: int
    """Requests of the api that were answered with something else, or not at all."""

    def sentence(self) -> str:
        """Return p50, p99 and the slowest, in milliseconds."""
        return _quantiles(self.sends)

    def request_sentence(self) -> str:
        """Return the same of the requests of the api."""
        return _quantiles(self.requests)


@dataclass(frozen=True)
class Outcome:
    """All that one attack did."""

    name: str
    attack: Attack
    calm: Felt
    attacked: Felt
    recovery_seconds: float
    """From the end of the attack to the first send that is as fast as before."""
    tally: dict[str, Any]
    memory_bytes: dict[str, int]
    cpu_percent: dict[str, float]
    lost_links: tuple[str, ...]
    restarted: tuple[str, ...]
    seconds: float

    def sentences(self) -> list[str]:
        """Return what the report says of it."""
        told = ", ".join(f"{what} {times:,}" for what, times in sorted(self.tally["told"].items()))
        peaks = ", ".join(
            f"{name} {self.cpu_percent[name]:.0f} % {size / 2**20:.0f} MiB"
            for name, size in self.memory_bytes.items()
        )
        lines = [
            f"bystander p50/p99/slowest {self.calm.sentence()} ms calm, {self.attacked.sentence()} ms "
            f"attacked ({len(self.attacked.sends)} sends), as before after {self.recovery_seconds:.1f} s",
            f"attacker sent {self.tally['sent']:,} ({self.tally['sent_bytes'] / 2**20:.1f} MiB), "
            f"was told: {told or 'nothing'}",
            f"processes: {peaks}",
        ]
        if self.attack.is_at_the_api:
            calm, attacked = self.calm.request_sentence(), self.attacked.request_sentence()
            lines.insert(1, f"api p50/p99/slowest {calm} ms calm, {attacked} ms attacked")
        return lines

    def anomalies(self, undisturbed: Felt) -> Iterator[str]:
        """Yield what breaks the promise; `undisturbed` is all calm together."""
        yield from _too_slow("the bystander's messages", self.attacked.sends, undisturbed.sends)
        if self.attack.is_at_the_api:
            yield from _too_slow("the bystander's requests", self.attacked.requests, undisturbed.requests)
            if self.attacked.refused:
                yield f"{self.attacked.refused} of the bystander's requests were refused"
        if self.attacked.cuts:
            yield f"the bystander was cut {self.attacked.cuts} times"
        if self.recovery_seconds > RECOVERY_SECONDS:
            yield f"served as before only {self.recovery_seconds:.1f} s after the attack"
        yield from (f"link: {line}" for line in self.lost_links)
        yield from (f"{name} restarted" for name in self.restarted)
        limits = chart_limits()
        for name, size in self.memory_bytes.items():
            limit = limits[name.split("-")[0]]
            if size >= limit:
                yield f"{name} took {size / 2**20:.0f} MiB, the chart's limit is {limit / 2**20:.0f} MiB"


def try_attack(ground: Ground, name: str, attack: Attack, seconds: float, log: Path) -> Outcome:
    """Wait for a calm stretch, attack, and wait until the bystander is as fast as before."""
    began = time.monotonic()
    wait_until(lambda: len(felt(log, began).sends) >= CALM_SENDS, PATIENCE_SECONDS, "the bystander chats")
    start = time.monotonic()
    calm = felt(log, began, start)
    marks, pids = _log_sizes(ground), ground.pids
    with Peaks(pids) as peaks:
        tally = ground.attack(name, seconds)
        end = time.monotonic()
        recovery_seconds = _recovery(log, end, max(BOUND_SECONDS, percentile(calm.sends, 99)))
    return Outcome(
        name=name,
        attack=attack,
        calm=calm,
        attacked=felt(log, start, end),
        recovery_seconds=recovery_seconds,
        tally=tally,
        memory_bytes=peaks.memory_bytes,
        cpu_percent=peaks.cpu_percent,
        lost_links=tuple(_new_lines(ground, marks)),
        restarted=tuple(part for part, pid in pids.items() if ground.pids[part] != pid),
        seconds=time.monotonic() - began,
    )


def _recovery(log: Path, end: float, usual_seconds: float) -> float:
    """Return the time from the end of the attack to the first usual send; infinity where it never came."""
    try:
        wait_until(
            lambda: any(wait <= usual_seconds for wait in felt(log, end).sends), PATIENCE_SECONDS, "recovery"
        )
    except NeverHappened:
        return math.inf
    return time.monotonic() - end


def felt(log: Path, begin: float, end: float = math.inf) -> Felt:
    """Return what the bystander saw between two moments, by when each thing began."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    seen = [line for line in lines if begin <= line["at"] < end]
    of = {
        kind: [line["seconds"] for line in seen if line["kind"] == kind]
        for kind in {line["kind"] for line in seen}
    }
    return Felt(
        sends=[line["seconds"] for line in seen if line["kind"] in ("message", "lost")],
        requests=[line["seconds"] for line in seen if line["kind"] in ("request", "unanswered")],
        cuts=len(of.get("cut", ())),
        refused=len(of.get("refused", ())) + len(of.get("unanswered", ())),
    )


def together(parts: Sequence[Felt]) -> Felt:
    """Return all of these stretches as one."""
    return Felt(
        sends=[wait for part in parts for wait in part.sends],
        requests=[wait for part in parts for wait in part.requests],
        cuts=sum(part.cuts for part in parts),
        refused=sum(part.refused for part in parts),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile; infinity without any value: a bystander who got nothing through."""
    if not values:
        return math.inf
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _too_slow(what: str, waits: Sequence[float], undisturbed: Sequence[float]) -> Iterator[str]:
    p99, bound = percentile(waits, 99), max(BOUND_SECONDS, BOUND_TIMES * percentile(undisturbed, 99))
    if p99 > bound:
        yield f"{what} have a p99 of {_ms(p99)} ms, {_ms(bound)} ms are allowed"


def _quantiles(waits: Sequence[float]) -> str:
    return f"{_ms(percentile(waits, 50))}/{_ms(percentile(waits, 99))}/{_ms(percentile(waits, 100))}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def _log_sizes(ground: Ground) -> dict[str, int]:
    return {name: len(text) for name, text in ground.stack.logs().items()}


def _new_lines(ground: Ground, marks: dict[str, int]) -> Iterator[str]:
    for name, text in ground.stack.logs().items():
        for line in text[marks.get(name, 0) :].splitlines():
            if any(word in line for word in LINK_LOSSES):
                yield f"{name}: {line[:160]}"
