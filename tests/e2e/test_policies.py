"""The chart's network policies where an engine enforces them: what is declared works, nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, wait_while
from tests.e2e.flows import (
    API_SERVER,
    CANARY,
    DNS,
    JOBS,
    LISTENS,
    NEIGHBOUR,
    STRANGER,
    Pod,
    Target,
    find_pods,
    find_targets,
    reached,
    reached_by_all,
    start_strangers,
    stop_strangers,
    table,
)

PAGE = Path(__file__).parents[2] / "docs" / "network-policies.md"
ENGINE_SECONDS = 15.0
"""For an engine to learn of a pod and its policy."""
VALKEY, POSTGRESQL = ("valkey", 6379), ("postgresql", 5432)
SOCKETS, PAGES = ("gateway", 8080), ("api", 8000)
METRICS = {("gateway", 9080), ("api", 9082), ("worker", 9081)}
OUTSIDE = {(DNS, 53), (API_SERVER, 443), (STRANGER, 8080)}
ASKS_FOR_NAMES = {(DNS, 53)}
DECLARED: dict[str, set[Target]] = {
    "gateway": {VALKEY, *ASKS_FOR_NAMES},
    "api": {VALKEY, POSTGRESQL, *ASKS_FOR_NAMES},
    "worker": {VALKEY, POSTGRESQL, *ASKS_FOR_NAMES},
    "valkey": set(),
    "postgresql": set(),
    "migrate": {POSTGRESQL, *ASKS_FOR_NAMES},
    "test": {POSTGRESQL, SOCKETS, *ASKS_FOR_NAMES},
    NEIGHBOUR: {SOCKETS, PAGES, *METRICS, *OUTSIDE},
    STRANGER: {SOCKETS, PAGES, *OUTSIDE},
}
"""By the chart's own values: anybody is a client, the release's namespace may scrape."""


@pytest.fixture
async def pods(cluster: Cluster, elsewhere: Cluster) -> AsyncIterator[dict[str, Pod]]:
    """A pod of each component and the strangers, all of them running for a while."""
    image = (await cluster.pods("gateway"))[0]["spec"]["containers"][0]["image"]
    try:
        await start_strangers(cluster, elsewhere, image)
        yield await find_pods(cluster, elsewhere)
    finally:
        await stop_strangers(cluster)


async def outside(cluster: Cluster) -> dict[Target, str]:
    """Return the addresses of what every cluster has."""
    dns, api = [
        await cluster.everywhere("get", f"service/{name}", "-n", place, "-o", "jsonpath={.spec.clusterIP}")
        for name, place in (("kube-dns", "kube-system"), ("kubernetes", "default"))
    ]
    return {(DNS, 53): dns, (API_SERVER, 443): api}


async def require_an_engine(pods: dict[str, Pod]) -> None:
    """Skip where a policy that is none of ours has no effect: this cluster enforces none."""
    hidden = {(CANARY, 8080): pods[CANARY].address}

    async def is_open() -> str:
        return "the canary is reached" if await reached(pods[STRANGER], hidden) else ""

    try:
        await wait_while(is_open, ENGINE_SECONDS)
    except AssertionError:
        pytest.skip("the cluster enforces no network policies: a pod is reached that denies everybody")


async def test_the_policies_allow_what_is_declared_and_refuse_the_rest(
    cluster: Cluster, pods: dict[str, Pod]
) -> None:
    """Every pair of pods and ports is tried from inside; docs/network-policies.md shows what came of it."""
    await require_an_engine(pods)
    for name in (*LISTENS, STRANGER):
        own = {(name, port): "127.0.0.1" for port in LISTENS.get(name, (8080,))}
        assert await reached(pods[name], own) == set(own), f"{name} does not listen: no refusal would count"
    targets = find_targets(pods, await outside(cluster))
    sources = {name: pods[name] for name in (*LISTENS, *JOBS, NEIGHBOUR, STRANGER)}
    found = await reached_by_all(sources, targets)
    for name, reached_ones in found.items():
        others = {target for target in reached_ones if target[0] != name}
        assert others == {target for target in DECLARED[name] if target[0] != name}, name
    said = table(found, list(targets))
    assert said in PAGE.read_text(encoding="utf-8"), f"{PAGE.name} should say:\n{said}"
