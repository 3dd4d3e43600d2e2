"""Takes one safeguard out of a process before it starts: for ablations, and nowhere near the product.

Python loads this file where a test has put its folder on PYTHONPATH; ABLATION names the safeguard. What
is patched is a module of the product, in the moment after it was loaded.
"""

import importlib.abc
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

WIDER_SECONDS = 0.05
"""Between the answer and the commit that it should have waited for."""

Patch = Callable[[Any], None]


def replace(owner: Any, name: str, replacement: object) -> None:
    """Put something in the place of what has the name; the process ends where nothing has it any more."""
    getattr(owner, name)
    setattr(owner, name, replacement)


def answer_before_commit(consumer: Any) -> None:
    """Publish and delete first, commit afterwards."""
    from django.db import transaction

    from roomlog_worker.log.batch import Batch

    commit, store = consumer.Consumer._commit, Batch.store

    def early(self: Any, entries: Sequence[Any]) -> Any:
        outer = transaction.atomic()
        outer._from_testcase = True  # type: ignore[attr-defined]  # else the inner one must be the outermost
        with outer:
            parked = commit(self, entries)
            time.sleep(WIDER_SECONDS)
        return parked

    def later(self: Batch, *, commits: bool = False) -> None:
        store(self)

    replace(consumer.Consumer, "_commit", early)
    replace(Batch, "store", later)


def no_heads(gateway: Any) -> None:
    """Never ask for the heads of rooms, nor recheck all soon after a lost link: that finds them too."""

    async def ask_all(self: Any, rooms: list[Any]) -> set[Any]:
        return set()

    replace(gateway.HeadPoll, "_ask_all", ask_all)
    replace(gateway, "LOST_SLOTS", gateway.RECHECK_SLOTS)


def no_gap_fetch(gaps: Any) -> None:
    """Never fetch what a room misses."""
    replace(gaps.GapFetcher, "watch", lambda self, room, on_page: None)


ABLATIONS: dict[str, tuple[str, Patch]] = {
    "answer after commit": ("roomlog_worker.consumer", answer_before_commit),
    "heads poll": ("roomlog_gateway.gateway", no_heads),
    "gap fetch": ("roomlog_gateway.rooms.gap_fetcher", no_gap_fetch),
}
"""Each safeguard, the module that it is in, and how it is taken out."""


class Patching(importlib.abc.MetaPathFinder):
    """Finds one module as everybody does, and patches it when it is loaded."""

    def __init__(self, name: str, patch: Patch) -> None:
        self.name = name
        self.patch = patch

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the module's own spec with a loader that patches."""
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def load_and_patch(module: ModuleType) -> None:
            load(module)
            self.patch(module)

        spec.loader.exec_module = load_and_patch  # type: ignore[method-assign]
        return spec


if chosen := os.environ.get("ABLATION"):
    sys.meta_path.insert(0, Patching(*ABLATIONS[chosen]))
