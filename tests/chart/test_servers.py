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
    cluster, values = block("PostgreSQL")
    pods = pod_specs(render({**EXTERNAL, **values}))
    for component in ("worker", "api", "migrate"):
        variables = environment(containers(pods[component])[0])
        source = variables["ROOMLOG_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
        assert source == {"name": f"{cluster['metadata']['name']}-app", "key": "uri"}


def test_sentinels_are_let_through() -> None:
    """Both ports are open to what talks to Redis."""
    (values,) = block("Redis or Valkey")
    policy = find(render({**EXTERNAL, **values}), "NetworkPolicy", "roomlog-gateway")
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert {6379, 26379} <= ports


def test_gateways_spread_over_zones() -> None:
    """The page's labels are the pods' own."""
    (values,) = block("Zones")
    pod = pod_specs(render({**EXTERNAL, **values}))["gateway"]
    (constraint,) = pod["spec"]["topologySpreadConstraints"]
    assert constraint["topologyKey"] == "topology.kubernetes.io/zone"
    assert constraint["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
