"""Renders the chart with `helm template` and finds things in what it made.

For the chart tests only: no cluster, no network. Every rendering is made once and kept.
"""

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "roomlog"
KUBERNETES_VERSIONS = ("1.30", "1.34")
RENDER_SECONDS = 60

ON_A_CLUSTER = ("--api-versions", "v1/PodExecOptions")
"""What `helm install` finds out by itself, and the chart takes as the sign that secrets can be looked up."""

Manifest = dict[str, Any]

EXTERNAL: Manifest = {
    "valkey": {"enabled": False},
    "postgresql": {"enabled": False},
    "redis": {"existingSecret": "my-redis", "key": "redis-url"},
    "database": {"existingSecret": "my-database", "key": "database-url"},
    "secretKey": {"existingSecret": "my-key", "key": "django"},
}
ROUTED: Manifest = {
    "ingress": {"enabled": True, "host": "chat.example.org", "tlsSecretName": "chat-tls"},
    "httpRoute": {
        "enabled": True,
        "parentRefs": [{"name": "public", "namespace": "gateways"}],
        "hostnames": ["chat.example.org", "talk.example.org"],
    },
}
CHORES: Manifest = {"chores": {"enabled": True, "image": {"repository": "example.org/ours", "tag": "7"}}}
"""An image with somebody's own code beside our api."""
EVERYTHING: Manifest = {
    **ROUTED,
    **CHORES,
    "gateway": {"autoscaling": {"enabled": True}},
    "worker": {"autoscaling": {"enabled": True, "prometheusAddress": "http://prometheus:9090"}},
    "metrics": {"podMonitor": {"enabled": True}, "rules": {"enabled": True}, "dashboards": {"enabled": True}},
}
IN_A_PROJECT: Manifest = {
    **EXTERNAL,
    "database": {},
    "secretKey": {},
    "api": {"enabled": False, "pathPrefix": "/chat"},
    "worker": {
        "image": {"repository": "example.org/shop", "tag": "42"},
        "command": ["python", "manage.py", "message_process_worker"],
    },
    "migrations": {"command": ["python", "manage.py", "migrate", "--no-input"]},
    "ingress": {"enabled": True, "host": "shop.example.org"},
    "httpRoute": ROUTED["httpRoute"],
    "metrics": EVERYTHING["metrics"],
}
"""Somebody's own Django project serves the app and knows its database and secret key."""
NOTHING: Manifest = {}
SETTLED: Manifest = {
    "valkey": {"password": "valkeys"},
    "postgresql": {"password": "postgresqls"},
    "secretKey": {"value": "k" * 50},
}
"""What the chart would make anew at each rendering without a cluster."""

EACH_WAY = pytest.mark.parametrize(
    "values",
    [NOTHING, EXTERNAL, EVERYTHING, IN_A_PROJECT],
    ids=["nothing", "external", "everything", "in a project"],
)
"""The ways to install: what holds for every object holds in each."""


def run_helm(
    command: str,
    values: Manifest,
    version: str = "1.34",
    release: str = "roomlog",
    options: tuple[str, ...] = ON_A_CLUSTER,
    chart: Path = CHART,
) -> subprocess.CompletedProcess[str]:
    """Runs `helm template` or `helm lint` on the chart with these values."""
    words = ["helm", command, *([release, *options] if command == "template" else ["--strict"]), str(chart)]
    words += ["--kube-version", f"{version}.0", "--values", "-"]
    return subprocess.run(
        words, input=json.dumps(values), capture_output=True, text=True, timeout=RENDER_SECONDS, check=False
    )


def render(values: Manifest, version: str = "1.34") -> list[Manifest]:
    """Returns all manifests of a release called `roomlog` in namespace `default`."""
    return _render(json.dumps(values, sort_keys=True), version)


def settled(values: Manifest) -> Manifest:
    """Returns the values with secrets that are the same in each rendering, where they don't name others."""
    return {**values, **{part: {**said, **values.get(part, {})} for part, said in SETTLED.items()}}


def complaint(values: Manifest, options: tuple[str, ...] = ON_A_CLUSTER) -> str:
    """Returns what helm says about values that it must refuse."""
    answer = run_helm("template", values, options=options)
    assert answer.returncode != 0, "helm accepted these values"
    return answer.stderr


def manifests_of(rendered: str) -> list[Manifest]:
    """Returns what helm made; by libyaml, because the parser in Python takes most of a rendering's time."""
    return [manifest for manifest in yaml.load_all(rendered, yaml.CSafeLoader) if manifest]


@functools.cache
def _render(values: str, version: str) -> list[Manifest]:
    answer = run_helm("template", json.loads(values), version)
    assert answer.returncode == 0, answer.stderr
    return manifests_of(answer.stdout)


def find(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """Returns the one manifest of this kind and name."""
    found = [m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Returns all manifests of a kind."""
    return [m for m in manifests if m["kind"] == kind]


def pod_specs(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Returns the pod template of each workload by component; a bare Pod is its own template."""
    pods = {}
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job"):
            pod = manifest["spec"]["template"]
        elif manifest["kind"] == "Pod":
            pod = manifest
        else:
            continue
        pods[manifest["metadata"]["labels"]["app.kubernetes.io/component"]] = pod
    return pods


def containers(pod: Manifest) -> list[Manifest]:
    """Returns all containers of a pod, those that run before it included."""
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def environment(container: Manifest) -> dict[str, Manifest]:
    """Returns a container's variables by name; a name twice is a failure."""
    variables = container.get("env", [])
    by_name = {variable["name"]: variable for variable in variables}
    assert len(by_name) == len(variables), f"a variable stands twice in {container['name']}"
    return by_name
