"""What the running install shows of itself: its pods, shards and metrics."""

import json
import re

import pytest

from tests.chart.test_monitoring import METRIC, SUFFIX, queries
from tests.e2e.cluster import SERVICES, Cluster, CommandFailed
from tests.e2e.load import OWNED

SHARDS = 64
ROOT_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "intruder"},
    "spec": {
        "containers": [{"name": "c", "image": "roomlog/gateway:none", "securityContext": {"runAsUser": 0}}]
    },
}


async def test_the_namespace_enforces_the_restricted_profile(cluster: Cluster) -> None:
    """A pod that breaks the profile is refused here, so every pod of ours keeps it."""
    with pytest.raises(CommandFailed, match='violates PodSecurity "restricted'):
        await cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(ROOT_POD))
    assert {pod["status"]["phase"] for pod in await cluster.get("pods")} <= {"Running", "Succeeded"}


async def test_no_process_can_write_outside_its_scratch_folder_or_reach_the_cluster(cluster: Cluster) -> None:
    """In the pods of each service the root is read-only, nobody is root, and there is no token."""
    program = (
        "import os, pathlib; assert os.getuid() >= 10000\n"
        "assert not pathlib.Path('/var/run/secrets/kubernetes.io').exists()\n"
        "try: open('/opt/roomlog/x', 'w')\nexcept OSError as error: print(error.errno)"
    )
    for component in SERVICES:
        name = (await cluster.pods(component))[0]["metadata"]["name"]
        said = await cluster.kubectl("exec", name, "-c", component, "--", "python", "-c", program)
        assert said.strip() == "30", f"{component}: {said}"  # EROFS: a read-only file system


async def test_each_shard_has_one_owner_which_its_pod_shows(cluster: Cluster) -> None:
    """The workers' metrics name 64 shards between them, none twice."""
    names = [pod["metadata"]["name"] for pod in await cluster.pods("worker")]
    owned = [set(OWNED.findall(await cluster.metrics(name, "worker"))) for name in names]
    assert sum(map(len, owned)) == len(set().union(*owned)) == SHARDS
    assert all(owned)


async def test_every_query_of_ours_finds_its_metric_in_a_live_scrape(cluster: Cluster) -> None:
    """Alerts, dashboards and the autoscaler ask for what the pods really say, the api's metrics included."""
    said = ""
    for component in SERVICES:
        for pod in await cluster.pods(component):
            said += await cluster.metrics(pod["metadata"]["name"], component)
    # A counter with labels has no line before its first count, but its type is always told.
    names = set(re.findall(r"^# TYPE (\S+)", said, re.MULTILINE))
    pattern = re.compile(METRIC.pattern.replace("chores", "api"))  # chores are only a project's
    for query in queries():
        for used in pattern.findall(query):
            assert {used, SUFFIX.sub("", used), used.removesuffix("_total")} & names, f"{used} in {query}"


async def test_helm_s_own_test_passes_and_prints_the_latency(cluster: Cluster) -> None:
    """`helm test` sends through the Service and reads back, says how long it took, and leaves nothing."""
    said = await cluster.helm_test()
    assert re.search(r"from send to receipt: median \d+\.\d ms", said), said
    assert "couldn't stop thread" not in said
    assert await cluster.pods("test") == []


async def test_the_lines_of_the_notes_name_what_is_there(cluster: Cluster) -> None:
    """Every kubectl line that the notes print is one that the API server takes."""
    notes = await cluster.helm("get", "notes", "roomlog")
    lines = [line.strip().removesuffix(" &") for line in notes.splitlines() if line.startswith("  kubectl")]
    assert len(lines) >= 6
    for line in lines:
        words = line.split()[1:]
        if words[0] in ("scale", "rollout"):
            target = next(word for word in words if "/" in word)
            await cluster.kubectl("get", target)
        elif words[0] == "get":
            assert "roomlog-gateway" in await cluster.kubectl(*words)
        elif words[0] == "port-forward":
            await cluster.kubectl("get", next(word for word in words if "/" in word))
