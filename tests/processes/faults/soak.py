"""Whether processes keep their size: memory and open files of those that live through a whole run.

Beside the message's way. Reads the operating system's own figures; changes nothing.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final, NamedTuple

import psutil

from tests.harness.looking import families_of
from tests.harness.stack import Stack

LOOK_SECONDS: Final = 5.0
WARM_SHARE: Final = 4
"""The first quarter of a run fills caches and pools and tells nothing of growth."""
HOUR: Final = 3600.0


class Size(NamedTuple):
    """A process at one moment."""

    at: float
    bytes: int
    files: int
    """Open descriptors, the sockets of a gateway's clients not counted."""


@dataclass
class Growth:
    """How some processes changed; `watch` runs until it is cancelled."""

    stack: Stack
    names: Sequence[str]
    sizes: defaultdict[str, list[Size]] = field(default_factory=lambda: defaultdict(list))

    async def watch(self) -> None:
        """Measure again and again."""
        while True:
            families = await asyncio.to_thread(families_of, self.stack, self.names)
            for name, family in families.items():
                size = await asyncio.to_thread(self._size, name, family)
                if size is not None:
                    self.sizes[name].append(size)
            await asyncio.sleep(LOOK_SECONDS)

    def percent_per_hour(self, name: str) -> float:
        """Return the slope of the process's memory after its warm-up, against its mean."""
        warm = _warm(self.sizes[name])
        mean = sum(size.bytes for size in warm) / len(warm)
        return slope((size.at, size.bytes) for size in warm) * HOUR / mean * 100

    def files_grown(self, name: str) -> int:
        """Return how many more files are always open at the end than ever were after the warm-up."""
        warm = _warm(self.sizes[name])
        third = max(1, len(warm) // 3)
        return max(0, min(size.files for size in warm[-third:]) - max(size.files for size in warm[:third]))

    def sentence(self, name: str) -> str:
        """Return what was seen of a process."""
        sizes = self.sizes[name]
        memory = f"{sizes[0].bytes / 2**20:.1f} to {sizes[-1].bytes / 2**20:.1f} MiB"
        percent = f"{self.percent_per_hour(name):+.1f} %/h after the first quarter"
        return f"{name}: {memory}, {percent}, {sizes[0].files} to {sizes[-1].files} files"

    def _size(self, name: str, family: Sequence[psutil.Process]) -> Size | None:
        try:
            used = sum(process.memory_info().rss for process in family)
            files = sum(process.num_fds() for process in family)
            clients = self.stack.metrics(name).total("roomlog_gateway_connections")
        except (psutil.NoSuchProcess, OSError, HTTPException):
            return None  # it is held
        return Size(time.monotonic(), used, files - int(clients))


def slope(points: Iterable[tuple[float, float]]) -> float:
    """Return the slope of the line of least squares; 0 for fewer than two moments."""
    known = list(points)
    middle = sum(x for x, _ in known) / max(1, len(known))
    spread = sum((x - middle) ** 2 for x, _ in known)
    return sum((x - middle) * y for x, y in known) / spread if spread else 0.0


def _warm(sizes: list[Size]) -> list[Size]:
    return sizes[len(sizes) // WARM_SHARE :]
