"""A changed secret restarts the pods that read it, and no others."""

import hashlib
import json
from typing import Any

import pytest

from tests.chart.render import (
    CHORES,
    EACH_WAY,
    EXTERNAL,
    IN_A_PROJECT,
    NOTHING,
    Manifest,
    containers,
    find,
    of_kind,
    pod_specs,
    render,
    settled,
)

pytestmark = pytest.mark.usefixtures("helm")

OURS = settled({**NOTHING, **CHORES})
THEIRS = {**EXTERNAL, **CHORES}
USES_REDIS = {"gateway", "worker", "api", "chores"}
USES_DJANGO = {"worker", "api", "chores"}


def changed(values: Manifest, part: str, key: str, text: str) -> set[str]:
    """The components whose pods an upgrade with this one value replaces; another Job is one too."""
    other = {**values, part: {**values.get(part, {}), key: text}}
    before, after = render(values), render(other)
    assert {m["metadata"]["name"] for m in before} == {m["metadata"]["name"] for m in after}
    old, new = pod_specs(before), pod_specs(after)
    return {component for component in old if old[component] != new[component]}


@pytest.mark.parametrize(
    ("part", "key", "restarted"),
    [
        ("valkey", "password", USES_REDIS | {"valkey"}),
        ("postgresql", "password", USES_DJANGO | {"postgresql"}),
        ("secretKey", "value", USES_DJANGO),
    ],
)
def test_another_secret_of_the_chart_restarts_what_reads_it(part: str, key: str, restarted: set[str]) -> None:
    """The database's new password disconnects nobody, and no migration runs again."""
    assert changed(OURS, part, key, "n" * 50) == restarted


@pytest.mark.parametrize(
    ("part", "restarted"), [("redis", USES_REDIS), ("database", USES_DJANGO), ("secretKey", USES_DJANGO)]
)
@pytest.mark.parametrize("values", [OURS, THEIRS], ids=["ours", "theirs"])
def test_a_revision_restarts_what_reads_a_secret(values: Manifest, part: str, restarted: set[str]) -> None:
    """Its owner says that a Secret has changed, because the chart can't look into it."""
    assert changed(values, part, "revision", "2026-11-27") == restarted


def test_secrets_of_yours_leave_no_annotation_and_restart_nothing() -> None:
    """A project's own database and key are not the chart's."""
    assert changed(IN_A_PROJECT, "database", "revision", "2") == set()
    assert changed(IN_A_PROJECT, "secretKey", "revision", "2") == set()
    assert changed(IN_A_PROJECT, "redis", "revision", "2") == {"gateway", "worker"}
    for component, pod in pod_specs(render(THEIRS)).items():
        annotations = pod["metadata"].get("annotations", {})
        assert [name for name in annotations if name.startswith("checksum/")] == [], component


def checksum(texts: list[Any]) -> str:
    """As the chart computes it."""
    return hashlib.sha256(json.dumps(texts, separators=(",", ":")).encode()).hexdigest()[:16]


def test_annotations_of_yours_stand_beside_the_checksums() -> None:
    """The owner's come first; generated secrets are those whose checksums the pods carry."""
    own = {"team": "chat", "checksum/redis": "mine"}
    annotations = pod_specs(render({"gateway": {"podAnnotations": own}}))["gateway"]["metadata"][
        "annotations"
    ]
    assert annotations == own
    manifests = render(NOTHING)
    pods = pod_specs(manifests)
    for name in ("valkey", "postgresql"):
        password = find(manifests, "Secret", f"roomlog-{name}")["stringData"]["password"]
        assert pods[name]["metadata"]["annotations"]["checksum/password"] == checksum([password])
        reader, source = {"valkey": ("gateway", "redis"), "postgresql": ("worker", "database")}[name]
        assert pods[reader]["metadata"]["annotations"][f"checksum/{source}"] == checksum([password, ""])
    key = find(manifests, "Secret", "roomlog")["stringData"]["secret-key"]
    assert pods["api"]["metadata"]["annotations"]["checksum/secret-key"] == checksum([f"{key},", ""])


@EACH_WAY
def test_no_workload_reads_a_configmap_of_the_chart(values: Manifest) -> None:
    """So none needs a checksum: the pod of `helm test` is made anew each time."""
    manifests = render(values)
    ours = {m["metadata"]["name"] for m in of_kind(manifests, "ConfigMap")}
    assert ours
    for component, pod in pod_specs(manifests).items():
        volumes = {volume.get("configMap", {}).get("name") for volume in pod["spec"]["volumes"]}
        sources = [
            source for one in containers(pod) for source in (*one.get("env", []), *one.get("envFrom", []))
        ]
        assert (component == "test") == bool(ours & volumes)
        assert "configMap" not in json.dumps(sources)
