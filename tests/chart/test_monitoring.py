"""Monitor, alerts and dashboards: off unless asked for, and true to the metrics that the services have."""

import ast
import json
import re
from collections.abc import Container, Iterator

import pytest
import yaml

from tests.chart.render import CHART, EVERYTHING, NOTHING, find, of_kind, pod_specs, render

pytestmark = pytest.mark.usefixtures("helm")

ROOT = CHART.parents[2]
KINDS = ("Counter", "Gauge", "Histogram")
BY = re.compile(r"by \(([a-z_, ]+)\)")
SCRAPED = {"pod", "le"}
"""Labels that Prometheus or a histogram brings along."""
METRIC = re.compile(r"\broomlog_(?:gateway|worker|chores)_[a-z_]+")
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
    return [query.replace("$namespace", namespace).replace("$__rate_interval", interval) for query in found]


def declared() -> dict[str, set[str]]:
    """The metrics that gateway, worker and chores declare, with their labels."""
    found: dict[str, set[str]] = {}
    packages = (ROOT / "services/gateway", ROOT / "services/worker", ROOT / "packages/roomlog")
    for path in (path for package in packages for path in package.glob("**/metrics.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                name, _, *labels = node.args
                found[ast.literal_eval(name)] = set(ast.literal_eval(labels[0])) if labels else set()
    return found


def family(name: str, known: Container[str]) -> str:
    """The metric that a series belongs to."""
    return name if name in known else SUFFIX.sub("", name)


def test_nothing_of_an_operator_is_made_unless_asked_for() -> None:
    """A cluster without the Prometheus operator, KEDA or the Gateway API takes the chart as it is."""
    kinds = {manifest["kind"] for manifest in render(NOTHING)}
    assert kinds.isdisjoint({"PodMonitor", "PrometheusRule", "ScaledObject", "HTTPRoute"})


def test_every_query_asks_for_metrics_that_exist() -> None:
    """No panel stays empty and no alert silent because a metric was renamed."""
    known = declared()
    for query in queries():
        used = METRIC.findall(query)
        assert used or "roomlog_api_django_" in query or "kube_statefulset_" in query, query
        for name in used:
            assert family(name, known) in known, query


def test_every_query_sums_by_labels_that_exist() -> None:
    """A label that no metric has would put everything into one nameless line."""
    known = declared()
    for query in queries():
        labels = {name for words in BY.findall(query) for name in re.split(r",\s*", words)} - SCRAPED
        used = METRIC.findall(query)
        if used:
            assert all(labels <= known[family(name, known)] for name in used), query


def test_alerts_look_at_their_own_release_alone() -> None:
    """Two releases with one Prometheus don't raise each other's alerts."""
    rule = find(render(EVERYTHING), "PrometheusRule", "roomlog")
    for alert in rule["spec"]["groups"][0]["rules"]:
        selectors = re.findall(r"\{([^{}]*)\}", alert["expr"])
        assert selectors
        for selector in selectors:
            assert selector.startswith('namespace="default", ')
            assert 'pod=~"roomlog-.*"' in selector or 'statefulset="roomlog-worker"' in selector
        assert alert["annotations"]["summary"]
        assert alert["labels"]["severity"] in ("critical", "warning")


def test_every_alert_has_its_place_in_the_runbook() -> None:
    """Who is woken by an alert finds its name there, and the alert says where to look."""
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### (Roomlog\w+)$", runbook, re.MULTILINE))
    rules = yaml.safe_load((CHART / "files/rules.yaml").read_text(encoding="utf-8"))
    assert headings == {rule["alert"] for rule in rules["groups"][0]["rules"]}
    assert all(rule["annotations"]["runbook"] == "docs/runbook.md" for rule in rules["groups"][0]["rules"])


def test_the_monitor_finds_the_services_and_nothing_else() -> None:
    """Pods are scraped on their health port, directly."""
    spec = find(render(EVERYTHING), "PodMonitor", "roomlog")["spec"]
    (choice,) = spec["selector"]["matchExpressions"]
    assert sorted(choice["values"]) == ["api", "chores", "gateway", "worker"]
    for component in choice["values"]:
        labels = pod_specs(render(EVERYTHING))[component]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert [endpoint["port"] for endpoint in spec["podMetricsEndpoints"]] == ["health"]


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
