"""What the measured processes use, read from outside: CPU seconds and resident memory, children included."""

from __future__ import annotations

from collections.abc import Mapping

import psutil


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds that each part has used so far, those of its ended children included."""
    return {name: sum(_cpu(one) for one in _family(pid)) for name, pid in pids.items()}


def resident_bytes(pids: Mapping[str, int]) -> dict[str, int]:
    """Return the resident memory of each part."""
    return {name: sum(_resident(one) for one in _family(pid)) for name, pid in pids.items()}


def _family(pid: int) -> list[psutil.Process]:
    main = psutil.Process(pid)
    return [main, *main.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
