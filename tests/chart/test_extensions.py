"""What an owner adds: volumes, containers, security contexts, another registry, digests and objects."""

import re
from typing import Any

import pytest
import yaml

from tests.chart.render import (
    CHART,
    CHORES,
    EVERYTHING,
    EXTERNAL,
    Manifest,
    containers,
    environment,
    find,
    pod_specs,
    render,
)

pytestmark = pytest.mark.usefixtures("helm")

SECTIONS = {
    "gateway": "gateway",
    "worker": "worker",
    "api": "api",
    "chores": "chores",
    "migrate": "migrations",
}
"""Where the values of each component stand."""
DIGEST = "sha256:" + "a" * 64
CA = {"name": "ca", "secret": {"secretName": "our-ca"}}
MOUNT = {"name": "ca", "mountPath": "/ca", "readOnly": True}


def given(component: str, **more: Any) -> Manifest:
    """The pod of a component for which the values have something more."""
    section = SECTIONS.get(component, component)
    values = {**CHORES, section: {**CHORES.get(section, {}), **more}}
    return pod_specs(render(values))[component]


@pytest.mark.parametrize("component", [*SECTIONS, "test"])
def test_a_volume_is_mounted_where_a_connection_is_made(component: str) -> None:
    """With one's own CA in it, the wait for the schema and the account of `helm test` find it too."""
    pod = given(component, extraVolumes=[CA], extraVolumeMounts=[MOUNT])
    assert CA in pod["spec"]["volumes"]
    for container in containers(pod):
        assert MOUNT in container["volumeMounts"]
        assert {"name": "scratch", "mountPath": "/tmp"} in container["volumeMounts"]


@pytest.mark.parametrize("component", SECTIONS)
def test_what_must_run_first_runs_before_the_wait_for_the_schema(component: str) -> None:
    """A proxy to the database is needed by the wait itself."""
    first = {"name": "proxy", "image": "example.org/proxy:1", "restartPolicy": "Always"}
    before = pod_specs(render(CHORES))[component]["spec"].get("initContainers", [])
    assert given(component, initContainers=[first])["spec"]["initContainers"] == [first, *before]


@pytest.mark.parametrize("component", [name for name in SECTIONS if name != "migrate"])
def test_a_container_beside_ours_comes_second(component: str) -> None:
    """`kubectl logs` and `exec` still mean ours; a Job would wait for it for ever and takes none."""
    beside = {"name": "shipper", "image": "example.org/shipper:1"}
    ours, second = given(component, extraContainers=[beside])["spec"]["containers"]
    assert ours["name"] == component
    assert second == beside


@pytest.mark.parametrize("component", [*SECTIONS, "test", "valkey", "postgresql"])
def test_security_contexts_are_the_owners_to_choose(component: str) -> None:
    """Another user where one is said; none where the cluster chooses, as OpenShift does."""
    theirs = given(component, podSecurityContext={"runAsUser": 7}, securityContext={"privileged": False})
    assert theirs["spec"]["securityContext"] == {"runAsUser": 7}
    assert [c["securityContext"] for c in containers(theirs)] == [{"privileged": False}] * len(
        containers(theirs)
    )
    clusters = given(component, podSecurityContext={}, securityContext={})
    assert "securityContext" not in clusters["spec"]
    assert all("securityContext" not in container for container in containers(clusters))


def documented(heading: str) -> Manifest:
    """The values that the chart's README shows under a heading."""
    page = (CHART / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(rf"^## {heading}$.*?```yaml\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    values: Manifest = yaml.safe_load(lines)
    return {**EXTERNAL, **values}


def test_the_readme_s_values_do_what_it_says() -> None:
    """Its CA is where a connection is made; on OpenShift no pod names a user."""
    told = 0
    for pod in pod_specs(render(documented("TLS and your own CA"))).values():
        for container in containers(pod):
            if {"ROOMLOG_REDIS_URL", "ROOMLOG_DATABASE_URL"} & environment(container).keys():
                told += 1
                assert MOUNT in container["volumeMounts"]
    assert told == 7
    for pod in pod_specs(render(documented("OpenShift"))).values():
        assert "securityContext" not in pod["spec"]
        assert all(c["securityContext"]["allowPrivilegeEscalation"] is False for c in containers(pod))


def images(values: Manifest) -> set[str]:
    """Every image of a rendering."""
    return {c["image"] for pod in pod_specs(render(values)).values() for c in containers(pod)}


@pytest.mark.parametrize(
    "values",
    [{"imageRegistry": "mirror.example.org/chat"}, {"global": {"imageRegistry": "mirror.example.org/chat"}}],
)
def test_one_value_moves_all_images_that_name_no_registry(values: Manifest) -> None:
    """The embedded servers' too; a chart around ours can say it for all its parts."""
    found = images({**CHORES, **values})
    assert "example.org/ours:7" in found
    assert {name.rpartition(":")[0] for name in found - {"example.org/ours:7"}} == {
        f"mirror.example.org/chat/{name}"
        for name in ("roomlog/gateway", "roomlog/worker", "roomlog/api", "valkey/valkey", "postgres")
    }


@pytest.mark.parametrize("registry", ["localhost", "localhost:5000", "registry:5000", "registry.example.org"])
def test_a_repository_with_a_registry_of_its_own_keeps_it(registry: str) -> None:
    """As Docker tells: by a dot, a port, or localhost."""
    image = {"repository": f"{registry}/gateway", "tag": "1"}
    assert f"{registry}/gateway:1" in images(
        {"imageRegistry": "mirror.example.org", "gateway": {"image": image}}
    )


@pytest.mark.parametrize("component", ["gateway", "worker", "api", "valkey", "postgresql"])
def test_a_digest_wins_over_the_tag(component: str) -> None:
    """In each container of that image."""
    pod = given(component, image={"tag": "1", "digest": DIGEST})
    for container in containers(pod):
        assert container["image"].endswith(f"@{DIGEST}")
        assert ":1" not in container["image"]


def test_every_pod_can_pull_from_a_private_registry() -> None:
    """And more objects are installed with their templates filled in."""
    secrets = [{"name": "registry"}]
    for pod in pod_specs(render({**CHORES, "imagePullSecrets": secrets})).values():
        assert pod["spec"]["imagePullSecrets"] == secrets
    note = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "{{ .Release.Name }}-note"},
        "data": {"a": "1"},
    }
    assert find(
        render({**EVERYTHING, "extraObjects": [note, note | {"kind": "Secret"}]}), "ConfigMap", "roomlog-note"
    )
