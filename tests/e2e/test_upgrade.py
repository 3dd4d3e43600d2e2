"""An install by the chart and the images of an earlier commit is upgraded under load, and rolled back."""

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.e2e import settings
from tests.e2e.cluster import SERVICES, Cluster, run
from tests.e2e.load import Load
from tests.e2e.page_commands import ROOT
from tests.e2e.people import make_rooms, make_users
from tests.e2e.test_install import CHART, tagged
from tests.judge.checker import report_on

EARLIER: Final = os.environ.get("UPGRADE_FROM", "f829a052a59bfdee76b95f2d81efb9b83ecee836")
"""A commit whose database the migrations of today can take on; `make e2e UPGRADE_FROM=…` takes another."""
TAG: Final = "earlier"
BUILD_SECONDS: Final = 600.0
PEOPLE: Final = 4
CALM_SUCCESSES: Final = 30
"""Before the upgrade, between it and the rollback, and afterwards."""


def values_of(tags: dict[str, Any]) -> str:
    """Return the values of `make kind-up` with these images, and a node's port that is free."""
    values = yaml.safe_load((ROOT / "deploy/kind/values.yaml").read_text(encoding="utf-8"))
    del values["gateway"]["service"]["nodePort"], values["api"]["service"]
    return json.dumps({**values, **{name: {**values[name], **tags[name]} for name in SERVICES}})


async def build_earlier(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Build the commit's images by its own script, load them, and return its chart."""
    await run("bash", "-c", f"cd {ROOT} && git archive {EARLIER} | tar --extract --directory {folder}")
    for name, value in (("IMAGE_TAG", TAG), ("KIND_CLUSTER", settings.CLUSTER)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHON_IMAGE", os.environ.get("PYTHON_IMAGE", "python:3.13-slim"))
    await run(str(folder / "deploy/images"), *SERVICES, seconds=BUILD_SECONDS)
    await run(str(ROOT / "deploy/kind/load"), *SERVICES, seconds=BUILD_SECONDS)
    return str(folder / CHART)


async def address_of(place: Cluster) -> str:
    """Return the gateways' address at a node: it outlives each pod of theirs."""
    service = json.loads(await place.kubectl("get", "service/roomlog-gateway", "--output", "json"))
    nodes = json.loads(await place.kubectl("get", "nodes", "--output", "json"))["items"]
    (ip,) = (one["address"] for one in nodes[0]["status"]["addresses"] if one["type"] == "InternalIP")
    return f"ws://{ip}:{service['spec']['ports'][0]['nodePort']}/ws"


async def tags_that_run(place: Cluster) -> set[str]:
    """Return the tags of the images in our pods."""
    pods = [pod for name in SERVICES for pod in await place.pods(name)]
    return {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in pods}


@pytest.mark.skipif(not settings.IS_FULL, reason="SIZE=full alone builds an earlier commit")
async def test_an_upgrade_of_an_earlier_release_and_its_rollback_lose_nothing(
    cluster: Cluster, elsewhere: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `helm upgrade` and `helm rollback` alone, as the chart's README says, while people write."""
    chart, ours = await build_earlier(tmp_path, monkeypatch), await tagged(cluster)
    waits = ("--values", "-", "--wait", "--timeout", "4m")
    earlier = values_of({name: {"image": {"tag": TAG}} for name in SERVICES})
    await elsewhere.helm("install", settings.RELEASE, chart, *waits, stdin=earlier)
    await elsewhere.wait_until_whole()
    users = await make_users(elsewhere, PEOPLE)
    rooms = await make_rooms(elsewhere, users, 2)
    where = await address_of(elsewhere)
    async with Load(elsewhere, users, rooms, settings.SEED, where, knows_all=False) as load:
        await load.succeed(CALM_SUCCESSES)
        async with load.fault("upgrade", "release"):
            await elsewhere.helm("upgrade", settings.RELEASE, CHART, *waits, stdin=values_of(ours))
            await elsewhere.wait_until_whole()
        assert TAG not in await tags_that_run(elsewhere)
        await load.reach_everybody()
        await load.succeed(CALM_SUCCESSES)
        async with load.fault("rollback", "release"):
            await elsewhere.helm("rollback", settings.RELEASE, "1", "--wait", "--timeout", "4m")
            await elsewhere.wait_until_whole()
        assert await tags_that_run(elsewhere) == {TAG}
        await load.reach_everybody()
        await load.succeed(CALM_SUCCESSES)
        history = await load.finish()
    verdict = report_on(history, min_successes=3 * CALM_SUCCESSES)
    print(f"\n{verdict.table()}")
    assert verdict.anomalies == []
    assert not any(operation.is_open for operation in history.operations), "something has no end"
