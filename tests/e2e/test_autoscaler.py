"""The gateways' autoscaler where a metrics API feeds it: up under load, down after it, nothing lost."""

import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.chart.render import ON_A_CLUSTER
from tests.e2e import settings
from tests.e2e.cluster import Cluster, run, wait_while
from tests.e2e.figures import reconnect_times
from tests.e2e.load import Load
from tests.e2e.people import make_rooms
from tests.harness.load import Shape
from tests.harness.stack import User
from tests.judge.checker import report_on

METRICS_API = "/apis/metrics.k8s.io/v1beta1/nodes"
NAME = f"{settings.RELEASE}-gateway"
FEWEST, MOST = 2, 4
CALM_SECONDS = 15
"""Ten minutes by default: here the calm of a test must do."""
SCALED_SECONDS = 180.0
"""For a new value of the metrics, the autoscaler's turn and pods that start or drain, one after the other."""
CHATTERS = 4
CHAT = Shape(connections=4, burst=1, pause_seconds=(0.8, 1.6))
"""With its marks, reactions and edits 17m of the CPU of each of three gateways: two are enough for it."""
CROWD = Shape(connections=5, burst=3, pause_seconds=(0.2, 0.5))
"""Busier than around a fault: it takes more than 35m of two gateways, 70% of the request on kind."""
SUCCESSES = 30

pytestmark = pytest.mark.skipif(not settings.IS_FULL, reason="takes four minutes: make e2e SIZE=full")


@pytest.fixture
async def autoscaled(cluster: Cluster) -> AsyncIterator[Cluster]:
    """The install with the chart's own autoscaler, which is taken away at the end."""
    try:
        await cluster.read(METRICS_API)
    except aiohttp.ClientResponseError as refusal:
        pytest.skip(f"the cluster has no metrics API (metrics-server): {refusal.status}")
    try:
        await cluster.kubectl("apply", "-f", "-", stdin=await rendered())
        yield cluster
    finally:
        await cluster.kubectl("delete", f"hpa/{NAME}", "--ignore-not-found")
        await cluster.kubectl("scale", f"deployment/{NAME}", f"--replicas={FEWEST}")
        await cluster.wait_until_whole()


async def rendered() -> str:
    """Return the chart's HorizontalPodAutoscaler, in less of a hurry to be right than to be tested."""
    chosen = {
        "minReplicas": FEWEST,
        "maxReplicas": MOST,
        "scaleDownStabilizationSeconds": CALM_SECONDS,
        "scaleDownPeriodSeconds": CALM_SECONDS,
        "enabled": True,
    }
    values = json.dumps({"gateway": {"autoscaling": chosen}})
    words = ("--show-only", "templates/gateway/autoscaler.yaml", "--values", "-")
    place = ("--namespace", settings.NAMESPACE, *ON_A_CLUSTER)
    return await run(
        "helm", "template", settings.RELEASE, "deploy/helm/roomlog", *place, *words, stdin=values
    )


async def ready_gateways(cluster: Cluster) -> int:
    """Return how many gateways serve."""
    (found,) = [d for d in await cluster.get("apps/v1/deployments") if d["metadata"]["name"] == NAME]
    return int(found["status"].get("readyReplicas", 0))


async def test_gateways_come_with_a_crowd_and_go_after_it(autoscaled: Cluster, users: list[User]) -> None:
    """A crowd starts another gateway; people who came to it stay when it goes: all is kept."""
    few, many = users[:CHATTERS], users[CHATTERS:]
    room, rooms = await make_rooms(autoscaled, few, 1), await make_rooms(autoscaled, many)
    async with contextlib.AsyncExitStack() as group:
        crowd = Load(autoscaled, many, rooms, settings.SEED, shape=CROWD)
        async with crowd:
            await wait_for_gateways(autoscaled, range(FEWEST + 1, MOST + 1))
            chat = Load(autoscaled, few, room, settings.SEED + 1, shape=CHAT)
            await group.enter_async_context(chat)
            await crowd.reach_everybody()
            print(f"\n{await autoscaled.kubectl('top', 'pods')}")
            crowded = await crowd.finish()
        await wait_for_gateways(autoscaled, range(FEWEST, FEWEST + 1))
        await autoscaled.wait_until_whole()
        await chat.reach_everybody()
        await chat.succeed(SUCCESSES)
        quiet = await chat.finish()
    print(await autoscaled.kubectl("describe", f"hpa/{NAME}"))
    for history in (crowded, quiet):
        verdict = report_on(history, min_successes=SUCCESSES)
        print(verdict.table())
        assert verdict.anomalies == []
        assert not any(operation.is_open for operation in history.operations), "something has no end"
    assert reconnect_times(quiet), "nobody was at the gateway that went: its end proves nothing"


async def wait_for_gateways(cluster: Cluster, wanted: range) -> None:
    """Wait until so many gateways serve."""

    async def others() -> str:
        count = await ready_gateways(cluster)
        return "" if count in wanted else f"{count} gateways"

    await wait_while(others, SCALED_SECONDS)
