"""Who reaches whom: connections tried from inside the pods of the install and from strangers beside them.

Around the message's way. It only looks; what should be allowed is for the test.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e import settings
from tests.e2e.cluster import Cluster, Manifest

STRANGERS: Final = (Path(__file__).parent / "strangers.yaml").read_text(encoding="utf-8")
LISTENS: Final = {
    "gateway": (8080, 9080),
    "api": (8000, 9082),
    "worker": (9081,),
    "valkey": (6379,),
    "postgresql": (5432,),
}
"""The ports of the install's pods: those for people or for other pods, and those for health and metrics."""
JOBS: Final = ("migrate", "test")
"""Components whose pods come and go: a stranger with their labels stands for them."""
NEIGHBOUR: Final = "neighbour"
STRANGER: Final = "stranger"
CANARY: Final = "canary"
"""A pod of another namespace into which its own policy lets nobody."""
DNS: Final = "DNS"
API_SERVER: Final = "API server"
TRY: Final = """
try_it() { timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null && echo "$1 $2"; }
for target in "$@"; do try_it ${target/:/ } & done
wait
"""
"""Prints the targets that accept a connection within two seconds."""

Target = tuple[str, int]
"""A component or another name, and a port."""


@dataclass(frozen=True)
class Pod:
    """A pod in which connections can be tried."""

    name: str
    container: str
    place: Cluster
    address: str


async def start_strangers(cluster: Cluster, elsewhere: Cluster, image: str) -> None:
    """Start the pods beside the install and in another namespace, and the canary's policy."""
    labels = {"app.kubernetes.io/name": "roomlog", "app.kubernetes.io/instance": settings.RELEASE}
    wanted = [(STRANGER, elsewhere, {}), (CANARY, elsewhere, {"app": CANARY}), (NEIGHBOUR, cluster, {})]
    wanted += [(job, cluster, {**labels, "app.kubernetes.io/component": job}) for job in JOBS]
    manifests = [_stranger(name, place, marks, image) for name, place, marks in wanted]
    deny = {"podSelector": {"matchLabels": {"app": CANARY}}, "policyTypes": ["Ingress"]}
    metadata = {"name": CANARY, "namespace": elsewhere.namespace}
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": deny,
    }
    everything = "---\n".join([*manifests, json.dumps(policy)])
    # Into two namespaces: so not by a Cluster, which has one.
    await cluster.everywhere("apply", "-f", "-", stdin=everything)
    for name, place, _ in wanted:
        await place.kubectl("wait", f"pod/{_pod_name(name)}", "--for=condition=Ready", "--timeout=60s")


async def stop_strangers(cluster: Cluster) -> None:
    """Remove the pods beside the install; the other namespace goes as a whole."""
    names = [f"pod/{_pod_name(name)}" for name in (NEIGHBOUR, *JOBS)]
    await cluster.kubectl("delete", *names, "--ignore-not-found", "--wait=false")


async def find_pods(cluster: Cluster, elsewhere: Cluster) -> dict[str, Pod]:
    """Return a running pod of each component, and the strangers, by name."""
    pods = {}
    for component in LISTENS:
        running = [pod for pod in await cluster.pods(component) if pod["status"]["phase"] == "Running"]
        pods[component] = _pod(running[0], component, cluster)
    for place in (cluster, elsewhere):
        for pod in await place.get("pods"):
            for name in (NEIGHBOUR, *JOBS, STRANGER, CANARY):
                if pod["metadata"]["name"] == _pod_name(name):
                    pods[name] = _pod(pod, _pod_name(name), place)
    return pods


def find_targets(pods: dict[str, Pod], addresses: dict[Target, str]) -> dict[Target, str]:
    """Return where each port of the install is, and the addresses outside it."""
    ours = {(name, port): pods[name].address for name, ports in LISTENS.items() for port in ports}
    return {**ours, (STRANGER, 8080): pods[STRANGER].address, **addresses}


async def reached(source: Pod, targets: dict[Target, str]) -> set[Target]:
    """Return the targets to which a pod can open a connection; all are tried at once."""
    words = [f"{address}:{port}" for (_, port), address in targets.items()]
    place = ("exec", source.name, "-c", source.container, "--", "bash", "-c", TRY, "try")
    printed = set((await source.place.kubectl(*place, *words)).splitlines())
    return {target for target, address in targets.items() if f"{address} {target[1]}" in printed}


async def reached_by_all(pods: dict[str, Pod], targets: dict[Target, str]) -> dict[str, set[Target]]:
    """Return what each pod can reach."""
    found = await asyncio.gather(*(reached(pod, targets) for pod in pods.values()))
    return dict(zip(pods, found, strict=True))


def table(found: dict[str, set[Target]], targets: list[Target]) -> str:
    """Return what was reached, in Markdown: a line for each source, a column for each port."""
    heads = [f"{name} {port}" for name, port in targets]
    lines = [["from \\ to", *heads], ["---"] * (len(heads) + 1)]
    for source, reached_ones in found.items():
        lines.append([source, *(_cell(source, one, reached_ones) for one in targets)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(source: str, target: Target, reached_ones: set[Target]) -> str:
    if target[0] == source:  # no policy stands between a pod and itself
        return "-"
    return "allowed" if target in reached_ones else "refused"


def _pod_name(name: str) -> str:
    return f"e2e-{name}"


def _pod(pod: Manifest, container: str, place: Cluster) -> Pod:
    return Pod(pod["metadata"]["name"], container, place, pod["status"]["podIP"])


def _stranger(name: str, place: Cluster, labels: dict[str, str], image: str) -> str:
    filled = STRANGERS.replace("NAMESPACE", place.namespace).replace("NAME", _pod_name(name))
    return filled.replace("LABELS", json.dumps(labels)).replace("IMAGE", image)
