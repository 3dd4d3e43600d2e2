"""The values of docs/servers.md: the chart takes each of them, and they do what the page says."""

import re
from pathlib import Path

import pytest
import yaml

from tests.chart.render import EXTERNAL, Manifest, containers, environment, find, pod_specs, render

pytestmark = pytest.mark.usefixtures("helm")

PAGE = Path(__file__).parents[2] / "docs" / "servers.md"


def block(heading: str) -> list[Manifest]:
    """Returns the YAML blocks below a heading of the page."""
    text = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    (section,) = [part for part in text if part.startswith(f"{heading}\n")]
    return [yaml.safe_load(found) for found in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)]


def test_the_operator_s_secret_is_the_database() -> None:
    """CloudNativePG calls the owner's Secret after its cluster, and the URL in it `uri`."""
    cluster, *several = block("PostgreSQL")
    for values in several:
        pods = pod_specs(render({**EXTERNAL, **values}))
        for component in ("worker", "api", "migrate"):
            variables = environment(containers(pods[component])[0])
            source = variables["ROOMLOG_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
            assert source == {"name": f"{cluster['metadata']['name']}-app", "key": "uri"}


@pytest.mark.parametrize(("number", "ports"), [(0, {6379, 26379}), (1, {6379})])
def test_sentinels_and_the_nodes_of_a_cluster_are_let_through(number: int, ports: set[int]) -> None:
    """All their ports are open to what talks to Redis."""
    values = block("Redis or Valkey")[number]
    policy = find(render({**EXTERNAL, **values}), "NetworkPolicy", "roomlog-gateway")
    assert ports <= {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}


@pytest.mark.parametrize("component", ["gateway", "worker", "api"])
def test_pods_of_a_kind_spread_over_zones(component: str) -> None:
    """Over nodes too, and each kind by its own labels; a full zone stops nobody."""
    (values,) = block("Zones")
    pod = pod_specs(render({**EXTERNAL, **values}))[component]
    constraints = pod["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in constraints] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for constraint in constraints:
        assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"
        labels = constraint["labelSelector"]["matchLabels"]
        assert labels["app.kubernetes.io/component"] == component
        assert labels.items() <= pod["metadata"]["labels"].items()
