"""The shop of examples/host beside the chart: its image serves the pages and runs the workers."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from tests.chart.test_in_a_project import documented, documented_chores
from tests.e2e import settings
from tests.e2e.breaking import crash_worker
from tests.e2e.cluster import Cluster, wait_while
from tests.e2e.edge import SECONDS, Edge
from tests.e2e.load import Load
from tests.e2e.pages import Browser
from tests.e2e.people import read_log
from tests.e2e.test_install import EXTERNAL, ONE_OF_EACH, install, says_hello, tagged
from tests.harness.stack import Room, User
from tests.harness.wire import Wire
from tests.judge.checker import report_on

SHOP = (Path(__file__).parent / "shop.yaml").read_text(encoding="utf-8")
CALM_SUCCESSES = 30
"""Before a worker is killed, and after everybody has service again."""
PAID = "A blue bicycle is paid."


async def open_the_shop(place: Cluster, cluster: Cluster) -> None:
    """Start the shop, then install the chart beside it by the lines of docs/your-project.md."""
    tags = await tagged(cluster)
    tag = tags["worker"]["image"]["tag"]
    pages = SHOP.replace("IMAGE", f"roomlog/shop:{tag}")
    await place.kubectl("apply", "-f", "-", stdin=f"{EXTERNAL}---\n{pages}")
    await place.kubectl("wait", "pods", "--all", "--for=condition=Ready", "--timeout=120s")
    values: dict[str, Any] = yaml.safe_load(documented()) | yaml.safe_load(documented_chores())
    values["worker"]["image"] = {"repository": "roomlog/shop", "tag": tag}
    values["gateway"] = {**ONE_OF_EACH["gateway"], **tags["gateway"]}
    values["ingress"] = {"enabled": True, "host": "shop.example.org"}
    await install(place, values)


async def make_sample(shop: Cluster) -> dict[str, Any]:
    """Make the shop's people and their order, and return what opens its pages and the gateway."""
    printed = await shop.kubectl("exec", shop.web, "--", "python", "manage.py", "make_shop")
    sample: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return sample


async def wait_for_members(users: list[User], sockets: str) -> None:
    """Wait until a worker has let everybody into the order's room."""

    async def outside() -> str:
        for user in users:
            async with Wire(sockets, user) as wire:
                if not (await wire.authenticate())["rooms"]:
                    return f"{user.name} is in no room"
        return ""

    await wait_while(outside, SECONDS)


async def pay(edge: Edge, customer: dict[str, Any]) -> None:
    """Log in, open the order with its chat, and pay: all at the shop's one host."""
    async with Browser(edge.address, edge.host) as browser:
        await browser.sign_in(customer["name"], customer["password"])
        _, _, orders = await browser.open("/")
        found = re.search(r'href="(/orders/[^"]+)"', orders)
        assert found, orders
        _, _, order = await browser.open(found[1])
        assert '<roomlog-chat websocket="/chat/ws"' in order
        hello = {"uuid": "1", "action": "authenticate", "ticket": await browser.ticket("/chat/")}
        said = await says_hello(f"{edge.address}/chat/ws", edge.host, f"https://{edge.host}", hello)
        assert said == "success"
        status, _, _ = await browser.submit(found[1], to=f"{found[1]}pay/")
        assert status == 200


async def wait_for_the_chores(shop: Cluster) -> None:
    """Wait until the pod that tells of missed messages does so: it has reached the database and the lease."""

    async def idle() -> str:
        (pod,) = await shop.pods("chores")
        said = await shop.metrics(pod["metadata"]["name"], "chores")
        return "" if "roomlog_chores_lease_owned 1.0" in said else "nobody does the chores"

    await wait_while(idle, SECONDS)


async def test_a_project_on_a_cluster_loses_nothing(cluster: Cluster, elsewhere: Cluster) -> None:
    """Its people chat while a worker of its image is killed; what its pages do reaches the room once."""
    await open_the_shop(elsewhere, cluster)
    async with Cluster(elsewhere.namespace, web="deploy/shop") as shop, Edge(shop) as edge:
        gateway = await edge.forward("roomlog-gateway", "websocket")
        sockets = f"{gateway.replace('http', 'ws')}/chat/ws"
        sample = await make_sample(shop)
        users = [User(user["id"], user["name"], user["token"]) for user in sample["users"]]
        (room,) = [Room(room["id"], room["name"], tuple(users)) for room in sample["rooms"]]
        await wait_for_members(users, sockets)
        async with Load(shop, users, [room], settings.SEED, sockets) as load:
            await load.succeed(CALM_SUCCESSES)
            async with load.fault("process killed", "worker"):
                await crash_worker(shop)
            await load.reach_everybody()
            await load.succeed(CALM_SUCCESSES)
            history = await load.finish()
        verdict = report_on(history, min_successes=2 * CALM_SUCCESSES)
        print(f"\n{verdict.table()}")
        assert verdict.anomalies == []
        assert not any(operation.is_open for operation in history.operations), "something has no end"
        await pay(edge, sample["users"][0])

        async def unsaid() -> str:
            rows, *_ = await read_log(shop, [room])
            said = [row.text for row in rows].count(PAID)
            return "" if said == 1 else f"{PAID!r} stands {said} times in the log"

        await wait_while(unsaid, SECONDS)
        await wait_for_the_chores(shop)
