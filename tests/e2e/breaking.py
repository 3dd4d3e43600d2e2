"""The faults: what the owner of a cluster does on a normal day, and what happens on a bad one.

Each is a coroutine that breaks something and returns when the cluster is whole again.
"""

import asyncio
import itertools
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.e2e import settings
from tests.e2e.cluster import Cluster, Manifest, run, wait_while

PAUSE_SECONDS: Final = 40.0
"""Until Kubernetes itself notices that a node is gone."""
GONE_SECONDS: Final = 90.0
"""Over the longest grace period, a gateway's 75 s."""
AWAY_SECONDS: Final = 30.0
"""Longer than a command waits for its answer, so that people hear nothing and repeat."""
WORKER_COUNTS: Final = (5, 1, 2)
GATEWAY_COUNTS: Final = (3, 1, 2)

Break = Callable[[Cluster], Awaitable[None]]
_run_numbers = itertools.count(int(time.time()))


@dataclass(frozen=True)
class Fault:
    """Something that is done to the cluster under load."""

    name: str
    target: str
    breaks: Break
    is_small: bool = False
    """A part of the small size."""
    is_component: bool = False
    """In the small size it stands for its component, with a load of full length."""
    leaves_no_owner: bool = False
    """While it lasts no worker can own a shard: the database is away, or all workers."""
    draining_gateways: int = 0
    """Gateways that may be sending their connections away at the same time; 0 where none stops gently."""
    keeps_sockets: bool = False
    """No client may be disconnected by it."""

    @property
    def id(self) -> str:
        """Return name and target in one word."""
        return re.sub(r"[^a-z0-9]+", "-", f"{self.name} {self.target}")

    @property
    def is_long(self) -> bool:
        """Tell whether the load must have its full length."""
        return self.is_component or settings.IS_FULL


def delete_pod(component: str, *options: str) -> Break:
    """Return the deletion of one pod of a component."""

    async def delete(cluster: Cluster) -> None:
        pod = (await cluster.pods(component))[0]["metadata"]
        await cluster.kubectl("delete", "pod", pod["name"], "--wait=false", *options)

        async def is_there() -> str:
            uids = [other["metadata"]["uid"] for other in await cluster.pods(component)]
            return f"{pod['name']} is there" if pod["uid"] in uids else ""

        await wait_while(is_there, GONE_SECONDS)
        await cluster.wait_until_whole()

    return delete


async def crash_worker(cluster: Cluster) -> None:
    """Kill a worker's process, one that was hardly killed before: the kubelet starts it again at once."""
    pod = min(await cluster.pods("worker"), key=_restarts)
    await kill_process(pod)

    async def has_not_noticed() -> str:
        now = {other["metadata"]["name"]: _restarts(other) for other in await cluster.pods("worker")}
        name = pod["metadata"]["name"]
        return "" if now.get(name, 0) > _restarts(pod) else f"{name} was not started again"

    await wait_while(has_not_noticed, GONE_SECONDS)
    await cluster.wait_until_whole()


async def kill_process(pod: Manifest) -> None:
    """Kill the process of a pod's first container with SIGKILL, by the node's own runtime."""
    node, container = pod["spec"]["nodeName"], pod["status"]["containerStatuses"][0]["containerID"]
    kill = ("ctr", "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL")
    await run("docker", "exec", node, *kill, container.partition("//")[2])


def _restarts(pod: Manifest) -> int:
    return sum(status["restartCount"] for status in pod["status"]["containerStatuses"])


def roll(*workloads: str) -> Break:
    """Return the restart of workloads, as after a new image."""

    async def restart(cluster: Cluster) -> None:
        names = [f"{kind}/{settings.RELEASE}-{name}" for kind, name in map(_split, workloads)]
        await cluster.kubectl("rollout", "restart", *names)
        await cluster.wait_until_whole()

    return restart


def _split(workload: str) -> tuple[str, str]:
    kind, _, name = workload.partition("/")
    return kind, name


async def rescale_workers(cluster: Cluster) -> None:
    """Scale the workers up and down."""
    for count in WORKER_COUNTS:
        name = f"statefulset/{settings.RELEASE}-worker"
        await cluster.kubectl("scale", name, f"--replicas={count}")
        await cluster.wait_until_whole()


async def rescale_gateways(cluster: Cluster) -> None:
    """Scale the gateways up and down: those that go send their sockets to those that stay."""
    for count in GATEWAY_COUNTS:
        await cluster.kubectl("scale", f"deployment/{settings.RELEASE}-gateway", f"--replicas={count}")
        await cluster.wait_until_whole()


async def kill_workers(cluster: Cluster) -> None:
    """Delete all workers at once, without a word."""
    names = [pod["metadata"]["name"] for pod in await cluster.pods("worker")]
    await cluster.kubectl("delete", "pods", *names, "--force", "--grace-period=0")
    await cluster.wait_until_whole()


async def take_database_away(cluster: Cluster) -> None:
    """Leave everybody without a database for a while."""
    name = f"statefulset/{settings.RELEASE}-postgresql"
    await cluster.kubectl("scale", name, "--replicas=0")
    try:
        await asyncio.sleep(AWAY_SECONDS)  # the fault itself, not a wait for a condition
    finally:
        await cluster.kubectl("scale", name, "--replicas=1")
    await cluster.wait_until_whole()


async def drain_node(cluster: Cluster) -> None:
    """Empty a node for maintenance and use it again: not that of the database, whose volume can't move."""
    node = await _node_without_database(cluster)
    try:
        words = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s")
        await cluster.kubectl("drain", node, *words)
        await cluster.wait_until_whole()
    finally:
        await cluster.kubectl("uncordon", node)
    await roll("deployment/gateway", "statefulset/worker")(cluster)  # nothing moves back by itself


async def pause_node(cluster: Cluster) -> None:
    """Stop a node as if its cable were pulled: the one that does not hold the database."""
    node = await _node_without_database(cluster)
    await run("docker", "pause", node)
    try:
        await asyncio.sleep(PAUSE_SECONDS)  # the fault itself, not a wait for a condition
    finally:
        await run("docker", "unpause", node)
    await cluster.wait_until_whole()


async def _node_without_database(cluster: Cluster) -> str:
    database = (await cluster.pods("postgresql"))[0]["spec"]["nodeName"]
    nodes = {pod["spec"]["nodeName"] for name in ("gateway", "worker") for pod in await cluster.pods(name)}
    assert nodes - {database}, "all pods are on the node of the database: restart them"
    node: str = min(nodes - {database})
    return node


async def upgrade(cluster: Cluster) -> None:
    """Change a value of everybody, then take it back."""
    chart = "deploy/helm/roomlog"
    change = ("--reuse-values", "--set", f"gateway.podAnnotations.change=c{next(_run_numbers)}")
    also = ("--set", "worker.podAnnotations.change=yes,api.podAnnotations.change=yes")
    await cluster.helm("upgrade", settings.RELEASE, chart, *change, *also, "--wait")
    await cluster.helm("rollback", settings.RELEASE, "--wait")
    await cluster.wait_until_whole()


async def migrate(cluster: Cluster) -> None:
    """Take a table away and let an upgrade's Job bring it back, while nobody restarts."""
    manage = "import django.core.management as m; m.execute_from_command_line"
    await cluster.python(f"{manage}(['', 'migrate', 'sessions', 'zero'])")
    chart, run_number = "deploy/helm/roomlog", next(_run_numbers)
    values = ("--reuse-values", "--set-string", f"migrations.run={run_number}")
    await cluster.helm("upgrade", settings.RELEASE, chart, *values, "--wait", "--wait-for-jobs")
    await cluster.python(f"{manage}(['', 'migrate', '--check'])")
    await cluster.wait_until_whole()


NOW: Final = ("--force", "--grace-period=0")
"""Nobody is told: not the process, and the API server forgets the pod before it is gone."""
EVERYTHING: Final = ("deployment/gateway", "statefulset/worker", "deployment/api")

FAULTS: Final = (
    Fault("delete", "gateway", delete_pod("gateway"), is_component=True, draining_gateways=1),
    Fault("force", "worker", delete_pod("worker", *NOW), is_component=True),
    Fault("delete", "api", delete_pod("api"), is_component=True),
    Fault("delete with data", "valkey", delete_pod("valkey"), is_component=True),
    Fault("delete", "postgresql", delete_pod("postgresql"), is_component=True, leaves_no_owner=True),
    Fault("rescale 2-5-1-2", "worker", rescale_workers, is_small=True),
    Fault("crash", "worker", crash_worker, is_small=True),
    Fault("restart", "gateway worker api", roll(*EVERYTHING), is_small=True, draining_gateways=2),
    Fault("migrate", "schema", migrate, is_small=True, keeps_sockets=True),
    Fault("force", "gateway", delete_pod("gateway", *NOW)),
    Fault("delete", "worker", delete_pod("worker")),
    Fault("force", "valkey", delete_pod("valkey", *NOW)),
    Fault("force", "postgresql", delete_pod("postgresql", *NOW), leaves_no_owner=True),
    Fault("force all", "workers", kill_workers, leaves_no_owner=True),
    Fault("take away 30 s", "postgresql", take_database_away, leaves_no_owner=True),
    Fault("restart", "gateway", roll("deployment/gateway"), draining_gateways=2),
    Fault("restart", "worker", roll("statefulset/worker")),
    Fault("restart", "api", roll("deployment/api")),
    Fault("rescale 3-1-2", "gateway", rescale_gateways, draining_gateways=2),
    Fault("upgrade and rollback", "release", upgrade, draining_gateways=2),
    Fault("pause 40 s", "node", pause_node),
    Fault("drain and refill", "node", drain_node, draining_gateways=2),
)


def chosen() -> list[Fault]:
    """Return the faults of this size, or the one that is asked for."""
    if settings.FAULT:
        return [next(fault for fault in FAULTS if fault.id == settings.FAULT)]
    return [fault for fault in FAULTS if fault.is_small or fault.is_component or settings.IS_FULL]


def describe(fault: Fault, number: int) -> str:
    """Return the fault's name for a test's id, with the number of its round from the second one on."""
    return f"{fault.id}-round-{number + 1}" if number else fault.id
