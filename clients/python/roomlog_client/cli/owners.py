"""`shards`: which worker owns what, from the workers' own metrics. Asks neither Redis nor the database."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Final

import aiohttp

from roomlog_contract.shards import SHARDS

from .kubectl import KubectlFailed, ask

SCRAPE_SECONDS: Final = 5.0
HEALTH_PORT: Final = 9081
OWNED: Final = re.compile(r'^roomlog_worker_shard_owned\{shard="(\d+)"\} 1(?:\.0)?$', re.MULTILINE)
READ_OWN: Final = (
    "from urllib.request import urlopen\n"
    f"print(urlopen('http://127.0.0.1:{HEALTH_PORT}/metrics', timeout={SCRAPE_SECONDS}).read().decode())"
)
"""Run inside a worker's pod: the chart's network policies let no API server's proxy in."""
SELECTOR: Final = "app.kubernetes.io/component=worker"

Owners = dict[str, list[int] | None]
"""The shards of each worker by its address or pod; None for a worker that did not answer."""


async def ask_addresses(addresses: Sequence[str]) -> Owners:
    """Ask each worker's health address, for example http://127.0.0.1:9081, for its metrics."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SCRAPE_SECONDS)) as session:
        answers = await asyncio.gather(*(_scrape(session, address) for address in addresses))
    return dict(zip(addresses, answers, strict=True))


async def ask_namespace(namespace: str) -> Owners:
    """Ask every worker pod of a namespace, from inside it.

    Raises:
        KubectlFailed: the pods could not be listed.
    """
    listed = await ask("get", "pods", "--namespace", namespace, "--selector", SELECTOR, "--output", "json")
    pods = sorted(pod["metadata"]["name"] for pod in json.loads(listed)["items"])
    answers = await asyncio.gather(*(_pod(namespace, pod) for pod in pods))
    return dict(zip(pods, answers, strict=True))


def owned_shards(metrics: str) -> list[int]:
    """Return the shards that a worker's metrics say it owns."""
    return sorted(int(number) for number in OWNED.findall(metrics))


def orphans(owners: Owners) -> list[int]:
    """Return the shards that nobody among them owns."""
    owned = {shard for shards in owners.values() for shard in shards or ()}
    return [shard for shard in range(SHARDS) if shard not in owned]


def doubles(owners: Owners) -> list[int]:
    """Return the shards that several say they own: a lease that moves between two answers, if it passes."""
    owned = [shard for shards in owners.values() for shard in shards or ()]
    return sorted({shard for shard in owned if owned.count(shard) > 1})


async def _scrape(session: aiohttp.ClientSession, address: str) -> list[int] | None:
    try:
        async with session.get(f"{address.rstrip('/')}/metrics") as response:
            response.raise_for_status()
            return owned_shards(await response.text())
    except (aiohttp.ClientError, TimeoutError):
        return None


async def _pod(namespace: str, pod: str) -> list[int] | None:
    inside = ("exec", "--namespace", namespace, pod, "--container", "worker", "--", "python", "-c", READ_OWN)
    try:
        return owned_shards(await ask(*inside))
    except KubectlFailed:
        return None
