"""Alerts and dashboards asked of a real Prometheus that scrapes the running install, whole and in outages."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import yaml

from tests.chart.render import ON_A_CLUSTER
from tests.chart.test_monitoring import board_queries
from tests.e2e import settings
from tests.e2e.cluster import SERVICES, Cluster, run, wait_while
from tests.e2e.people import make_rooms
from tests.harness.stack import User
from tests.harness.wire import SECONDS, Wire

PROMETHEUS = (Path(__file__).parent / "prometheus.yaml").read_text(encoding="utf-8")
NAME = "their-prometheus"
SCRAPE = "2s"
RARE = (
    "roomlog_chores_",
    "roomlog_gateway_refused_upgrades_total",
    "roomlog_gateway_closed_total",
    "roomlog_gateway_redis_errors_total",
    "roomlog_worker_replica_reads_total",
    "roomlog_worker_trouble_total",
    "roomlog_api_logins_total",
    "roomlog_api_django_http_exceptions_",
)
"""Chores are only a project's; the others have a series once something went wrong, or somebody logged in."""
OUTAGES = {
    "worker": ("statefulset", "RoomlogNoWorkers"),
    "gateway": ("deployment", "RoomlogNoGateways"),
    "api": ("deployment", "RoomlogNoApis"),
    "postgresql": ("statefulset", "RoomlogDatabaseUnreachable"),
    "valkey": ("statefulset", "RoomlogRedisUnreachable"),
}
"""What is taken away, and the alert that names it."""
ALERT_SECONDS = 120.0
ANSWER_SECONDS = 90.0
"""For the second scrape of everything and the first turn of the rules, on a busy machine."""


@pytest.fixture
async def prometheus(cluster: Cluster) -> AsyncIterator[Cluster]:
    """A Prometheus beside the install, gone afterwards."""
    files = {"prometheus.yml": await scrape_config(cluster), "rules.yml": await rules()}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME}, "data": files}
    await cluster.kubectl("apply", "-f", "-", stdin=json.dumps(config))
    try:
        await cluster.kubectl("apply", "-f", "-", stdin=PROMETHEUS)
        await cluster.kubectl("wait", f"pod/{NAME}", "--for=condition=Ready", "--timeout=120s")
        yield cluster
    finally:
        await cluster.kubectl("delete", f"pod/{NAME}", f"configmap/{NAME}", "--ignore-not-found")


async def scrape_config(cluster: Cluster) -> str:
    """Return what the chart's PodMonitor makes an operator write: every pod, with its labels."""
    targets = [
        {
            "targets": [f"{pod['status']['podIP']}:{port}"],
            "labels": {"namespace": cluster.namespace, "pod": pod["metadata"]["name"]},
        }
        for component, port in SERVICES.items()
        for pod in await cluster.pods(component)
    ]
    jobs = [{"job_name": "roomlog", "static_configs": targets}]
    asked = {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE}
    return yaml.safe_dump({"global": asked, "rule_files": ["rules.yml"], "scrape_configs": jobs})


async def rules() -> str:
    """Return the rules as the chart renders them."""
    words = ("--set", "metrics.rules.enabled=true", "--show-only", "templates/monitoring/rules.yaml")
    place = ("--namespace", settings.NAMESPACE, "--kube-version", "v1.34.0", *ON_A_CLUSTER)
    rendered = await run("helm", "template", settings.RELEASE, "deploy/helm/roomlog", *place, *words)
    return yaml.safe_dump(yaml.safe_load(rendered)["spec"])


async def test_every_panel_shows_something_and_every_rule_is_evaluated(
    prometheus: Cluster, users: list[User]
) -> None:
    """After a message, two refusals and a visit no query of the dashboards is empty, and no alert broken."""
    await make_traffic(prometheus, users)

    async def empty() -> str:
        answers = {
            query: await ask(prometheus, "query", query=query)
            for query in board_queries(settings.NAMESPACE, "1m")
            if not any(name in query for name in RARE)
        }
        return "; ".join(query for query, data in answers.items() if not data["result"])

    await wait_while(empty, ANSWER_SECONDS)

    async def unwell() -> str:
        (group,) = (await ask(prometheus, "rules"))["groups"]
        return "; ".join(f"{r['name']} {r['health']}" for r in group["rules"] if r["health"] != "ok")

    await wait_while(unwell, ANSWER_SECONDS)


@pytest.mark.parametrize("component", OUTAGES if settings.IS_FULL else ["worker"])
async def test_an_outage_pages_somebody(prometheus: Cluster, component: str) -> None:
    """Two minutes after a whole component is gone its critical alert fires, and before it none does."""
    kind, alert = OUTAGES[component]
    workload = f"{kind}/{settings.RELEASE}-{component}"

    async def unhealthy() -> str:
        scraped = (await ask(prometheus, "query", query="min(up)"))["result"]
        is_scraped = bool(scraped) and scraped[0]["value"][1] == "1"
        return ", ".join(await critical(prometheus, "pending", "firing")) if is_scraped else "not yet scraped"

    await wait_while(unhealthy, ANSWER_SECONDS)
    replicas = await prometheus.kubectl("get", workload, "-o", "jsonpath={.spec.replicas}")
    await prometheus.kubectl("scale", workload, "--replicas=0")
    try:

        async def silent() -> str:
            firing = await critical(prometheus, "firing")
            return "" if alert in firing else f"{alert} does not fire, but {firing}"

        await wait_while(silent, ALERT_SECONDS)
    finally:
        await prometheus.kubectl("scale", workload, f"--replicas={replicas}")
    await prometheus.wait_until_whole()


async def critical(cluster: Cluster, *states: str) -> list[str]:
    """Return the names of the critical alerts in one of these states."""
    alerts = (await ask(cluster, "alerts"))["alerts"]
    return sorted(
        alert["labels"]["alertname"]
        for alert in alerts
        if alert["state"] in states and alert["labels"]["severity"] == "critical"
    )


async def ask(cluster: Cluster, what: str, **query: str) -> dict[str, Any]:
    """Return the data of an answer of Prometheus' API."""
    path = f"/api/v1/namespaces/{cluster.namespace}/pods/{NAME}:9090/proxy/api/v1/{what}"
    answer = json.loads(await cluster.read(path, **query))
    assert answer["status"] == "success", answer
    data: dict[str, Any] = answer["data"]
    return data


async def make_traffic(cluster: Cluster, users: list[User]) -> None:
    """Let everything be counted once that is counted only when it happens."""
    (room,) = await make_rooms(cluster, users[:2], count=1)
    async with Wire(settings.WEBSOCKET, users[0]) as member, Wire(settings.WEBSOCKET, users[2]) as stranger:
        await member.authenticate()
        await stranger.authenticate()
        assert (await member.ask("new_message", room=room.id, text="counted"))["status"] == "success"
        for action in ("new_message", "no_action"):
            answer = await stranger.ask(action, uuid4().hex, room=room.id, text="refused")
            assert answer["status"] == "error"
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(settings.PAGE) as page:
        assert page.status == 200
