"""CPU and memory of each process of a stack, looked at several times a second while an attack goes on.

Beside the message's way. Memory is each family's proportional set: what gunicorn's children and PostgreSQL's
backends share counts once. The chart's limits are read from its values.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import psutil
import yaml

LOOK_SECONDS: Final = 0.25
VALUES: Final = Path(__file__).resolve().parents[2] / "deploy/helm/roomlog/values.yaml"
UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


class Peaks:
    """The greatest memory and the mean CPU of each process family between `begin` and `end`."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peaks")
        self._began = 0.0
        self._cpu_before: dict[str, float] = {}
        self.memory_bytes: dict[str, int] = dict.fromkeys(pids, 0)
        self.cpu_percent: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._cpu_before = {name: _cpu_seconds(pid) for name, pid in self._pids.items()}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        passed = time.monotonic() - self._began
        for name, pid in self._pids.items():
            self.cpu_percent[name] = 100 * (_cpu_seconds(pid) - self._cpu_before[name]) / passed

    def _watch(self) -> None:
        while True:
            for name, pid in self._pids.items():
                self.memory_bytes[name] = max(self.memory_bytes[name], _memory_bytes(pid))
            if self._ending.wait(LOOK_SECONDS):
                return


def chart_limits() -> dict[str, int]:
    """Return the memory limit of each process in the chart, in bytes."""
    values: dict[str, Any] = yaml.safe_load(VALUES.read_text())
    parts = {
        "gateway": "gateway",
        "worker": "worker",
        "api": "api",
        "postgres": "postgresql",
        "valkey": "valkey",
    }
    return {name: _bytes(values[part]["resources"]["limits"]["memory"]) for name, part in parts.items()}


def _bytes(quantity: str) -> int:
    match = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity)
    assert match is not None, quantity
    return int(match[1]) * UNITS[match[2]]


def _family(pid: int) -> list[psutil.Process]:
    try:
        main = psutil.Process(pid)
        return [main, *main.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(pid: int) -> float:
    total = 0.0
    for process in _family(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _memory_bytes(pid: int) -> int:
    total = 0
    for process in _family(pid):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total
