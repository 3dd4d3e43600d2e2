"""The life of an install beside the first one: made, tested, upgraded, rolled back, removed."""

import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e import settings
from tests.e2e.breaking import GONE_SECONDS
from tests.e2e.cluster import Cluster, CommandFailed, wait_while
from tests.e2e.door import (
    HTTPS,
    INGRESS_HOST,
    ROUTE_HOST,
    Controllers,
    Door,
    find_controllers,
    make_certificate,
    make_gateway,
    wait_for_door,
)
from tests.e2e.edge import SECONDS, Edge
from tests.e2e.forward import Forwards
from tests.e2e.pages import Browser
from tests.e2e.people import make_administrator, make_rooms, make_users
from tests.harness.stack import Room, User
from tests.harness.waiting import eventually
from tests.harness.wire import Wire

PASSWORD = "a-long-enough-password-for-tests"
CHART = "deploy/helm/roomlog"
EXTERNAL = (Path(__file__).parent / "external.yaml").read_text(encoding="utf-8")
THEIRS = {
    "valkey": {"enabled": False},
    "postgresql": {"enabled": False},
    "redis": {"existingSecret": "their-urls", "key": "redis"},
    "database": {"existingSecret": "their-urls", "key": "database"},
    "secretKey": {"existingSecret": "their-urls", "key": "key"},
    "ingress": {"enabled": True, "host": "chat.example.org", "tlsSecretName": "chat-tls"},
}
ONE_OF_EACH: dict[str, dict[str, Any]] = {
    "gateway": {"replicas": 1, "preStopSeconds": 1},
    "worker": {"replicas": 1},
    "api": {"replicas": 1, "preStopSeconds": 1},
}
"""Small and quick to stop: four upgrades follow each other."""
KINDS = "all,secrets,configmaps,serviceaccounts,networkpolicies,poddisruptionbudgets,ingresses,pvc"
KEPT_BY_KUBERNETES = ("secret/sh.helm.release", "configmap/kube-root-ca.crt", "serviceaccount/default")


async def tagged(cluster: Cluster) -> dict[str, Any]:
    """The values that name the images under test; the chart's own default where they were built so."""
    known = json.loads(await cluster.helm("get", "values", settings.RELEASE, "--all", "--output", "json"))
    return {name: {"image": {"tag": known[name]["image"]["tag"]}} for name in ("gateway", "worker", "api")}


async def install(place: Cluster, values: dict[str, Any], *options: str) -> None:
    """Install or upgrade a release and wait until it is ready."""
    words = ("upgrade", "--install", settings.RELEASE, CHART, "--values", "-", "--wait", "--timeout", "4m")
    await place.helm(*words, *options, stdin=json.dumps(values))
    await place.wait_until_whole()


async def uninstall(place: Cluster, leaves: set[str]) -> None:
    """Remove the release; nothing but `leaves` may be there when its last pod has gone."""
    await place.helm("uninstall", settings.RELEASE, "--wait")

    async def too_much() -> str:
        return ", ".join(await leftovers(place) - leaves)

    await wait_while(too_much, GONE_SECONDS)
    assert await leftovers(place) == leaves


async def leftovers(place: Cluster) -> set[str]:
    """Everything in the namespace that Kubernetes did not put there itself."""
    found = (await place.kubectl("get", KINDS, "--output", "name")).split()
    return {name for name in found if not name.startswith(KEPT_BY_KUBERNETES)}


async def test_the_chart_installs_with_no_values_and_leaves_only_the_messages(
    cluster: Cluster, elsewhere: Cluster
) -> None:
    """A second install in its own namespace is ready and chats; after it only the volume is there."""
    await install(elsewhere, await tagged(cluster))
    assert "median" in await elsewhere.helm_test()
    (secret,) = [s for s in await elsewhere.get("secrets") if s["metadata"]["name"] == settings.RELEASE]
    await uninstall(elsewhere, leaves={"persistentvolumeclaim/data-roomlog-postgresql-0"})
    if not settings.IS_FULL:
        return
    await install(elsewhere, await tagged(cluster))
    assert "median" in await elsewhere.helm_test()
    found = await elsewhere.get("secrets")
    (again,) = [other for other in found if other["metadata"]["name"] == settings.RELEASE]
    assert again["data"] != secret["data"]


async def chat_through_the_ingress(place: Cluster) -> None:
    """Do all of it at the one host of the Ingress, through a stand-in for its controller."""
    async with Edge(place) as edge, Browser(edge.address, edge.host) as browser:
        ticket = await visit(browser)
        await try_origins(f"{edge.address}/ws", edge.host, ticket)


async def chat_through(door: Door, users: list[User], room: Room) -> None:
    """Do all of it through a controller, then send a message that two clients receive."""
    await wait_for_door(door)
    async with Browser(door.address, connector=door.connector()) as browser:
        ticket = await visit(browser)
    await try_origins(door.sockets, door.host, ticket, door)
    wires = [Wire(door.sockets, user, door.connector()) for user in users]
    async with wires[0] as sender, wires[1]:
        for wire in wires:
            await wire.authenticate()
        text = f"through {door.host}"
        assert (await sender.ask("new_message", room=room.id, text=text))["status"] == "success"
        for wire in wires:
            await eventually(lambda: text in wire.texts(room), SECONDS, f"{text!r} arrives")  # noqa: B023


async def visit(browser: Browser) -> str:
    """Log in on the page, open it and the admin with the session's cookie; return a ticket."""
    assert await browser.get("/metrics") == (404, "/metrics")
    await browser.sign_in("administrator", PASSWORD, "/admin/login/", to="/admin/")
    assert await browser.get("/admin/") == (200, "/admin/")
    assert await browser.get("/") == (200, "/")
    return await browser.ticket()


async def try_origins(url: str, host: str, ticket: str, door: Door | None = None) -> None:
    """Open a socket as a page of the host does, and as one of somebody else's, which is refused."""
    hello = {"uuid": "1", "action": "authenticate", "ticket": ticket}
    for origin, is_welcome in ((f"https://{host}", True), ("https://evil.example.org", False)):
        connector = door.connector() if door else None
        said = await says_hello(url, host, origin, hello, connector)
        assert (said == "success") is is_welcome, f"{origin}: {said}"


async def says_hello(
    url: str, host: str, origin: str, hello: dict[str, str], connector: aiohttp.BaseConnector | None = None
) -> str:
    """Return `success` where a page of that origin is let in, else what it is told."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    headers = {"Host": host}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers, connector=connector) as http:
        try:
            async with http.ws_connect(url, origin=origin) as socket:
                await socket.send_json(hello)
                answer = await socket.receive_json(timeout=SECONDS)
                return str(answer if answer["status"] == "error" else answer["status"])
        except (aiohttp.WSServerHandshakeError, aiohttp.WSMessageTypeError) as refusal:
            return str(refusal)


async def chat_through_every_route(
    place: Cluster, controllers: Controllers, context: ssl.SSLContext, subtests: pytest.Subtests
) -> None:
    """Log in and chat through the cluster's own controllers, or a stand-in where it has none."""
    await make_administrator(place, "administrator", PASSWORD)
    users = await make_users(place, 2)
    (room,) = await make_rooms(place, users, 1)
    lacks = {INGRESS_HOST: controllers.lack_of_ingress, ROUTE_HOST: controllers.lack_of_gateway}
    async with Forwards(controllers.namespace) as forwards:
        for host, lack in lacks.items():
            with subtests.test(host):
                if lack:
                    pytest.skip(f"{host} is not tried: {lack}")
                address = await forwards.address(f"pod/{controllers.pod}", HTTPS)
                await chat_through(Door(host, context, address), users, room)
    if all(lacks.values()):
        await chat_through_the_ingress(place)


async def test_an_install_on_their_servers_lives_through_upgrades(
    cluster: Cluster, elsewhere: Cluster, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """With existing Secrets only: installed, upgraded, a bad upgrade undone, rolled back, removed."""
    await elsewhere.kubectl("apply", "-f", "-", stdin=EXTERNAL)
    await elsewhere.kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=120s")
    controllers, context = await find_controllers(cluster), await make_certificate(elsewhere, tmp_path)
    if not controllers.lack_of_gateway:
        await make_gateway(elsewhere, controllers.gateway_class)
    theirs = await leftovers(elsewhere)
    tags = await tagged(cluster)
    ours = {name: {**ONE_OF_EACH[name], **tags[name]} for name in ONE_OF_EACH}
    values: dict[str, Any] = {**THEIRS, **ours, **controllers.values()}
    await install(elsewhere, values)
    assert "median" in await elsewhere.helm_test()
    assert not [name for name in await leftovers(elsewhere) - theirs if name.startswith("secret/")]
    await chat_through_every_route(elsewhere, controllers, context, subtests)

    louder = {**values, "logging": {"level": "debug"}}
    await install(elsewhere, louder, "--atomic")
    nowhere = {"gateway": {"replicas": 1, "image": {"tag": "missing", "pullPolicy": "Never"}}}
    words = ("upgrade", settings.RELEASE, CHART, "--values", "-", "--atomic", "--timeout", "20s")
    with pytest.raises(CommandFailed, match="atomic"):
        await elsewhere.helm(*words, stdin=json.dumps({**louder, **nowhere}))
    await elsewhere.wait_until_whole()

    await elsewhere.helm("rollback", settings.RELEASE, "1", "--wait")
    known = json.loads(await elsewhere.helm("get", "values", settings.RELEASE, "--all", "--output", "json"))
    assert known["logging"]["level"] == "info"
    assert "median" in await elsewhere.helm_test()
    await uninstall(elsewhere, leaves=theirs)
