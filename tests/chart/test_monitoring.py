"""Monitor, alerts and dashboards: off unless asked for, and true to the metrics that the services have."""

import ast
import json
import re
from collections.abc import Container, Iterator

import pytest
import yaml
from kubernetes_validate.utils import validate

from tests.chart.render import (
    CHART,
    EVERYTHING,
    IN_A_PROJECT,
    NOTHING,
    Manifest,
    find,
    of_kind,
    pod_specs,
    render,
)

pytestmark = pytest.mark.usefixtures("helm")

ROOT = CHART.parents[2]
KINDS = ("Counter", "Gauge", "Histogram")
BY = re.compile(r"by \(([a-z_, ]+)\) \((?:\w+\()?(\w+)")
"""Labels, and the metric that is summed by them."""
SCRAPED = {"pod", "le"}
"""Labels that Prometheus or a histogram brings along."""
METRIC = re.compile(r"\broomlog_(?:gateway|worker|chores|api(?!_django))_[a-z_]+")
OURS = re.compile(
    r'namespace="default", (pod=~"roomlog-(gateway|worker|api|chores)-\[[^.]+|statefulset="roomlog-worker")'
)
"""The pods of one component, or the workers' StatefulSet; no dot, so nothing that fits any name."""
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def queries() -> Iterator[str]:
    """Yields every query of the rules, the dashboards and the autoscaler."""
    rules = yaml.safe_load((CHART / "files/rules.yaml").read_text(encoding="utf-8"))
    yield from (rule["expr"] for group in rules["groups"] for rule in group["rules"])
    yield from board_queries()
    scaled = find(render(EVERYTHING), "ScaledObject", "roomlog-worker")
    yield scaled["spec"]["triggers"][0]["metadata"]["query"]


def board_queries(namespace: str = "$namespace", interval: str = "$__rate_interval") -> list[str]:
    """Every query of the dashboards, with their variables filled in."""
    boards = [
        json.loads(path.read_text(encoding="utf-8")) for path in (CHART / "files/dashboards").glob("*.json")
    ]
    found = (target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"])
    return [
        query.replace("$namespace", namespace).replace("$pod", ".+").replace("$__rate_interval", interval)
        for query in found
    ]


def declared() -> dict[str, set[str]]:
    """The metrics that gateway, worker and chores declare, with their labels."""
    found: dict[str, set[str]] = {}
    packages = [
        ROOT / name for name in ("services/gateway", "services/worker", "services/api", "packages/roomlog")
    ]
    for path in (path for package in packages for path in package.glob("**/metrics.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                name, _, *labels = node.args
                found[ast.literal_eval(name)] = set(ast.literal_eval(labels[0])) if labels else set()
    return found


def family(name: str, known: Container[str]) -> str:
    """The metric that a series belongs to."""
    return name if name in known else SUFFIX.sub("", name)


def test_every_alert_says_whose_it_is_and_how_bad() -> None:
    """Nothing of an operator is made unless asked for."""
    kinds = {manifest["kind"] for manifest in render(NOTHING)}
    assert kinds.isdisjoint({"PodMonitor", "PrometheusRule", "ScaledObject", "HTTPRoute"})
    for alert in alerts(EVERYTHING):
        severity = alert["labels"]["severity"]
        assert severity in ("critical", "warning")
        assert alert["labels"] == {"severity": severity, "namespace": "default", "release": "roomlog"}
        assert alert["annotations"]["summary"]


def test_every_query_asks_for_what_exists() -> None:
    """Metrics, and the labels by which they are summed."""
    known = declared()
    for query in queries():
        used = METRIC.findall(query)
        others = ("roomlog_api_django_", "kube_statefulset_", "up{")
        assert used or any(name in query for name in others), query
        for name in used:
            assert family(name, known) in known, query
    known = declared()
    for query in queries():
        found = BY.findall(query)
        assert len(found) == query.count("by ("), query
        for words, name in found:
            if METRIC.match(name):
                assert set(re.split(r",\s*", words)) - SCRAPED <= known[family(name, known)], query


def test_every_metric_is_shown_and_every_query_names_its_pods() -> None:
    """Or has a reason; no query counts another release's series."""
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `(roomlog_\w+)`", page, re.MULTILINE))
    used = {family(name, known) for query in queries() for name in re.findall(r"roomlog_\w+", query)}
    requests = {name for name in known if name.startswith("roomlog_api_django_")}
    assert known - requests <= used, "django-prometheus has more than anybody asks for"
    scaled = find(render(EVERYTHING), "ScaledObject", "roomlog-worker")["spec"]["triggers"][0]
    for query in [*(alert["expr"] for alert in alerts(EVERYTHING)), scaled["metadata"]["query"]]:
        selectors = re.findall(r"\{([^{}]*)\}", query)
        assert selectors, query
        for selector in selectors:
            assert re.fullmatch(OURS, selector), selector


@pytest.mark.parametrize("name", [path.name for path in (CHART / "files/dashboards").glob("*.json")])
def test_every_panel_says_what_it_shows_and_where_to_read_on(name: str) -> None:
    """Title, description, unit; a link ends at a heading of the runbook, and its panel has a threshold."""
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    anchors = {f"#{heading.lower()}" for heading in re.findall(r"^### (Roomlog\w+)$", runbook, re.MULTILINE)}
    for panel in json.loads((CHART / "files/dashboards" / name).read_text(encoding="utf-8"))["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert defaults["unit"]
        for link in panel.get("links", []):
            assert link["url"] in anchors
            assert defaults["thresholds"]
        for target in panel["targets"]:
            for selector in re.findall(r"\{([^{}]*)\}", target["expr"]):
                assert selector.startswith('namespace="$namespace", pod=~"$pod"'), target["expr"]


def alerts(values: Manifest) -> list[Manifest]:
    """The rules of a release, by name."""
    (group,) = find(render(values), "PrometheusRule", "roomlog")["spec"]["groups"]
    return list(group["rules"])


def test_an_alert_counts_the_shards_of_its_install() -> None:
    """One of 64 would be quiet while three quarters of 256 have no owner."""
    made = alerts({**EVERYTHING, "shards": 256})
    (alert,) = [one for one in made if one["alert"] == "RoomlogShardWithoutOwner"]
    assert "or vector(0)) < 256" in alert["expr"]
    assert "of 256 shards" in alert["annotations"]["summary"]


def test_gateways_may_be_scaled_by_their_connections() -> None:
    """Idle sockets take no CPU: then a metric of ours counts beside it."""
    for chosen, names in (
        ({}, ["cpu"]),
        ({"targetConnections": 6000}, ["cpu", "roomlog_gateway_connections"]),
    ):
        values: Manifest = {"gateway": {"autoscaling": {"enabled": True, **chosen}}}
        scaler = find(render(values), "HorizontalPodAutoscaler", "roomlog-gateway")
        metrics = [one.get("resource") or one["pods"]["metric"] for one in scaler["spec"]["metrics"]]
        assert [one["name"] for one in metrics] == names
    assert scaler["spec"]["metrics"][1]["pods"]["target"] == {"type": "AverageValue", "averageValue": "6000"}
    assert names[1] in declared()
    validate(scaler, "1.34", strict=True)


def test_every_alert_links_to_its_place_in_the_runbook() -> None:
    """The link ends at the alert's own heading; without an address there is none that leads nowhere."""
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (Roomlog\w+)$", runbook, re.MULTILINE)
    base = "https://wiki.example.org/chat/runbook"
    rules = {"enabled": True, "runbookUrl": base}
    linked = alerts({**EVERYTHING, "metrics": {"rules": rules}})
    assert sorted(headings) == sorted(alert["alert"] for alert in linked)
    for alert in linked:
        assert alert["annotations"]["runbook_url"] == f"{base}#{alert['alert'].lower()}"
    assert all("runbook_url" not in alert["annotations"] for alert in alerts(EVERYTHING))


def test_the_monitor_finds_the_services_and_nothing_else() -> None:
    """An alert about what is not there is left out."""
    spec = find(render(EVERYTHING), "PodMonitor", "roomlog")["spec"]
    (choice,) = spec["selector"]["matchExpressions"]
    assert sorted(choice["values"]) == ["api", "chores", "gateway", "worker"]
    for component in choice["values"]:
        labels = pod_specs(render(EVERYTHING))[component]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert [endpoint["port"] for endpoint in spec["podMetricsEndpoints"]] == ["health"]
    chores, apis = (
        {"RoomlogChoresFailing", "RoomlogChoresWithoutOwner", "RoomlogWebhooksStuck"},
        {"RoomlogNoApis", "RoomlogLoginsRefused"},
    )
    everything = {alert["alert"] for alert in alerts(EVERYTHING)}
    assert everything - {alert["alert"] for alert in alerts({**EVERYTHING, "chores": {}})} == chores
    assert everything - {alert["alert"] for alert in alerts(IN_A_PROJECT)} == chores | apis


@pytest.mark.parametrize("name", [path.name for path in (CHART / "files/dashboards").glob("*.json")])
def test_dashboards_are_found_by_grafana_and_can_be_read(name: str) -> None:
    """The sidecar's label is there, and what it finds is a dashboard with queries."""
    (board,) = [
        m for m in of_kind(render(EVERYTHING), "ConfigMap") if m["metadata"]["name"].endswith("dashboards")
    ]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    panels = json.loads(board["data"][name])["panels"]
    assert all(panel["targets"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)
