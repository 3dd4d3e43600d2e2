"""The chart beside somebody's own Django project: its image runs worker and migrations."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.chart.render import (
    CHART,
    CHORES,
    IN_A_PROJECT,
    ON_A_CLUSTER,
    Manifest,
    containers,
    environment,
    find,
    of_kind,
    pod_specs,
    render,
    run_helm,
)
from tests.chart.test_routes import flows

pytestmark = pytest.mark.usefixtures("helm")

COMPONENT = "app.kubernetes.io/component"
PAGE = (CHART.parents[2] / "docs/your-project.md").read_text(encoding="utf-8")
ITS_IMAGE = "example.org/shop:42"
MIGRATE = ["python", "manage.py", "migrate", "--no-input"]
SOURCES = [{"secretRef": {"name": "shop"}}, {"configMapRef": {"name": "shop"}, "prefix": "SHOP_"}]


def documented() -> str:
    """The lines of values that docs/your-project.md shows."""
    (lines,) = re.findall(r"^## On Kubernetes$.*?```yaml\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    return str(lines)


def documented_chores() -> str:
    """The values by which docs/your-project.md runs `roomlog chores`."""
    (line,) = re.findall(r"`(chores: \{.*?\})`", PAGE)
    return str(line)


def with_values(component: str, **given: Any) -> Manifest:
    """The values of a project, with some more of one component."""
    return {**IN_A_PROJECT, component: {**IN_A_PROJECT[component], **given}}


def test_six_lines_of_values_are_enough() -> None:
    """What a newcomer copies is an install: the project's image, our gateway, one Redis."""
    assert len(documented().splitlines()) == 6
    pods = pod_specs(render(yaml.safe_load(documented())))
    assert set(pods) == {"gateway", "worker", "migrate", "test"}
    for component in ("worker", "migrate"):
        for container in containers(pods[component]):
            assert container["image"] == "registry.example.org/shop:42"
            assert container["envFrom"] == [{"secretRef": {"name": "shop"}}]
            assert environment(container)["ROOMLOG_REDIS_PREFIX"]["value"] == "shop"


def test_the_routes_have_the_sockets_alone() -> None:
    """Nothing is made of or for an api that is not there."""
    manifests = render(IN_A_PROJECT)
    assert [m["kind"] for m in manifests if m["metadata"]["labels"].get(COMPONENT) == "api"] == []
    named = [m["kind"] for m in manifests if m["kind"] != "ConfigMap" and '"api"' in json.dumps(m)]
    assert named == []
    assert "roomlog-api" not in json.dumps(manifests)
    manifests = render(IN_A_PROJECT)
    (rule,) = find(manifests, "Ingress", "roomlog")["spec"]["rules"]
    assert [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] == [("/chat/ws", "Prefix")]
    (sockets,) = find(manifests, "HTTPRoute", "roomlog")["spec"]["rules"]
    assert [match["path"]["value"] for match in sockets["matches"]] == ["/chat/ws"]


def test_no_alert_and_no_panel_asks_for_metrics_of_the_api() -> None:
    """Nothing fires, and no panel stays empty, for what is not there; the other panels stay."""
    manifests = render(IN_A_PROJECT)
    assert "roomlog_api_" not in json.dumps(find(manifests, "PrometheusRule", "roomlog"))
    ours, theirs = (
        json.loads(find(made, "ConfigMap", "roomlog-dashboards")["data"]["roomlog.json"])["panels"]
        for made in (manifests, render({"metrics": {"dashboards": {"enabled": True}}}))
    )
    assert "roomlog_chores_" not in json.dumps(theirs)
    assert "roomlog_api_" not in json.dumps(ours)
    assert [panel["title"] for panel in ours] == [
        panel["title"]
        for panel in theirs
        if not all("roomlog_api_" in target["expr"] for target in panel["targets"])
    ]
    assert len(ours) == len(theirs) - 1
    (choice,) = find(manifests, "PodMonitor", "roomlog")["spec"]["selector"]["matchExpressions"]
    assert choice["values"] == ["gateway", "worker"]


def test_its_image_runs_workers_and_migrations() -> None:
    """Which can have an image of their own."""
    pods = pod_specs(render(IN_A_PROJECT))
    schema, worker = containers(pods["worker"])
    (job,) = containers(pods["migrate"])
    assert {container["image"] for container in (schema, worker, job)} == {ITS_IMAGE}
    assert worker["command"] == ["python", "manage.py", "message_process_worker"]
    assert job["command"][-len(MIGRATE) :] == MIGRATE
    assert schema["command"] == ["sh", "-c", 'until "$@" --check; do sleep 2; done', "--", *MIGRATE]
    assert containers(pods["gateway"])[0]["image"].startswith("roomlog/gateway:")
    image = {"repository": "example.org/shop-tools", "tag": "43"}
    for values in (with_values("migrations", image=image), {"migrations": {"image": image}}):
        assert containers(pod_specs(render(values))["migrate"])[0]["image"] == "example.org/shop-tools:43"


def test_its_image_tells_those_who_are_away() -> None:
    """The worker's image, unless chores have one of their own; no panel is missing then."""
    values = yaml.safe_load(documented_chores())
    manifests = render(IN_A_PROJECT | values)
    schema, chores = containers(pod_specs(manifests)["chores"])
    assert {schema["image"], chores["image"]} == {ITS_IMAGE}
    assert chores["command"] == values["chores"]["command"]
    board = find(manifests, "ConfigMap", "roomlog-dashboards")["data"]["roomlog.json"]
    assert "roomlog_chores_" in board
    for container in containers(pod_specs(render(CHORES))["chores"]):
        assert container["image"] == "example.org/ours:7"


@pytest.mark.parametrize("component", ["worker", "migrations"])
def test_its_own_variables_reach_its_settings(component: str) -> None:
    """Whole ConfigMaps and Secrets, and single variables, in each container that imports its settings."""
    extra = {"name": "DJANGO_SETTINGS_MODULE", "value": "shop.settings"}
    values = with_values(component, extraEnvFrom=SOURCES, extraEnv=[extra])
    pod = pod_specs(render(values))["migrate" if component == "migrations" else component]
    for container in containers(pod):
        assert container["envFrom"] == SOURCES
        assert environment(container)["DJANGO_SETTINGS_MODULE"] == extra


def test_its_database_and_its_secret_key_are_its_own() -> None:
    """The chart neither makes nor passes on what the project's settings know, unless a value names it."""
    manifests = render(IN_A_PROJECT)
    assert of_kind(manifests, "Secret") == []
    both = {"ROOMLOG_DATABASE_URL", "ROOMLOG_SECRET_KEY"}
    named = render(
        {**IN_A_PROJECT, "database": {"existingSecret": "d"}, "secretKey": {"existingSecret": "k"}}
    )
    for component in ("worker", "migrate"):
        for container in containers(pod_specs(manifests)[component]):
            assert both.isdisjoint(environment(container))
        for container in containers(pod_specs(named)[component]):
            assert both <= environment(container).keys()
    assert (5432, "*") in flows(IN_A_PROJECT, "egress")["worker"]


def test_the_pages_of_its_own_host_alone_may_connect() -> None:
    """The embedded servers let in those who are there; the test needs no account."""
    values = {**IN_A_PROJECT, "ingress": {"enabled": False}, "httpRoute": {"enabled": False}}
    (gateway,) = containers(pod_specs(render(values))["gateway"])
    assert environment(gateway)["ROOMLOG_ALLOWED_ORIGINS"]["value"] == ""
    values = {**IN_A_PROJECT, "valkey": {}, "postgresql": {}, "redis": {}}
    assert flows(values, "ingress")["valkey"] == {(6379, "gateway"), (6379, "worker")}
    assert flows(values, "ingress")["postgresql"] == {(5432, "worker"), (5432, "migrate")}
    (only,) = containers(pod_specs(render(IN_A_PROJECT))["test"])
    assert only["command"] == ["python", "/scripts/roundtrip.py", "ws://roomlog-gateway:80/ws"]
    assert flows(IN_A_PROJECT, "egress")["test"] == {(53, "*"), (8080, "gateway")}


def test_several_releases_share_a_redis() -> None:
    """Without a cluster no secret is missed."""
    prefixes = []
    for release in ("shop", "forum"):
        answer = run_helm("template", IN_A_PROJECT, release=release, options=ON_A_CLUSTER)
        assert answer.returncode == 0, answer.stderr
        said = {line.strip() for line in answer.stdout.splitlines() if f'"default/{release}"' in line}
        assert said == {f'value: "default/{release}"'}
        prefixes.append(said)
    assert prefixes[0].isdisjoint(prefixes[1])
    answer = run_helm("template", IN_A_PROJECT, options=())
    assert answer.returncode == 0, answer.stderr
