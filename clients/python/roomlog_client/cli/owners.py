"""`shards`: which worker owns what, from the workers' own metrics. Asks neither Redis nor the database."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import aiohttp

from .kubectl import KubectlFailed, ask

SCRAPE_SECONDS: Final = 5.0
HEALTH_PORT: Final = 9081
OWNED: Final = re.compile(r'^roomlog_worker_shard_owned\{shard="(\d+)"\} ([01])(?:\.0)?$', re.MULTILINE)
READ_OWN: Final = (
    "from urllib.request import urlopen\n"
    f"print(urlopen('http://127.0.0.1:{HEALTH_PORT}/metrics', timeout={SCRAPE_SECONDS}).read().decode())"
)
"""Run inside a worker's pod: the chart's network policies let no API server's proxy in."""
SELECTOR: Final = "app.kubernetes.io/component=worker"

Shards = dict[int, bool]
"""All shards of the install, as each worker shows them: whether it owns them."""
Owners = dict[str, Shards | None]
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


def owned(shards: Shards | None) -> list[int]:
    """Return the shards that a worker owns, as far as it answered."""
    return [shard for shard, is_owned in (shards or {}).items() if is_owned]


def orphans(owners: Owners) -> list[int]:
    """Return the shards that nobody among them owns."""
    shown = {shard for shards in owners.values() for shard in shards or ()}
    return sorted(shown - {shard for shards in owners.values() for shard in owned(shards)})


def doubles(owners: Owners) -> list[int]:
    """Return the shards that several say they own: a lease that moves between two answers, if it passes."""
    counts = Counter(shard for shards in owners.values() for shard in owned(shards))
    return sorted(shard for shard, count in counts.items() if count > 1)


def _shards(metrics: str) -> Shards:
    return {int(number): value == "1" for number, value in OWNED.findall(metrics)}


async def _scrape(session: aiohttp.ClientSession, address: str) -> Shards | None:
    try:
        async with session.get(f"{address.rstrip('/')}/metrics") as response:
            response.raise_for_status()
            return _shards(await response.text())
    except (aiohttp.ClientError, TimeoutError):
        return None


async def _pod(namespace: str, pod: str) -> Shards | None:
    inside = ("exec", "--namespace", namespace, pod, "--container", "worker", "--", "python", "-c", READ_OWN)
    try:
        return _shards(await ask(*inside))
    except KubectlFailed:
        return None
