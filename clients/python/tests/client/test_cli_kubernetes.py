"""`roomlog doctor --kubernetes` on releases that are well or not: kubectl is a stand-in."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from tests.client.cli_runs import roomlog

Manifest = dict[str, Any]
Breaking = Callable[[dict[str, Manifest]], object]
KUBECTL: Final = """#!/bin/sh
case "$*" in
"get deployments,"*" --namespace chat --selector "*"/instance=shop --output json") cat FOLDER/objects ;;
"get secrets --namespace chat --no-headers") SECRETS ;;
"exec --namespace chat shop-POD --container POD -- COMMAND") echo "ok    shards: all"; exit DOCTOR ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""


def labelled(name: str, kind: str, component: str, **parts: Any) -> Manifest:
    """Return an object of the release."""
    labels = {"app.kubernetes.io/component": component, "kubernetes.io/service-name": name}
    return {"kind": kind, "metadata": {"name": name, "labels": labels, "generation": 2}, **parts}


def release() -> dict[str, Manifest]:
    """Return a release that is well, by names of the test's own."""
    objects = {}
    for component, kind in (("gateway", "Deployment"), ("worker", "StatefulSet"), ("api", "Deployment")):
        name = f"shop-{component}"
        container = {
            "name": component,
            "image": f"roomlog-{component}:1",
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "k"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "old", "key": "k", "optional": True}}},
            ],
        }
        status = {"readyReplicas": 2, "updatedReplicas": 2, "observedGeneration": 2}
        template = {"spec": {"containers": [container]}}
        objects[component] = labelled(
            name, kind, component, spec={"replicas": 2, "template": template}, status=status
        )
        objects[f"{component} pod"] = labelled(
            name,
            "Pod",
            component,
            spec={"containers": [deepcopy(container)]},
            status={
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": component, "restartCount": 0, "state": {"running": {}}}],
            },
        )
        objects[f"{component} budget"] = labelled(
            name, "PodDisruptionBudget", component, status={"disruptionsAllowed": 1}
        )
        objects[f"{component} service"] = labelled(name, "Service", component)
        objects[f"{component} slice"] = labelled(
            name, "EndpointSlice", component, endpoints=[{"conditions": {"ready": True}}]
        )
    objects["migration"] = labelled("shop-migrate", "Pod", "migrate", status={"phase": "Succeeded"})
    return objects


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a kubectl on PATH that knows these objects."""

    def put(
        objects: dict[str, Manifest],
        secrets: str = "echo 'shop  Opaque  2  1d'",
        pod: str = "api",
        command: str = "roomlog doctor",
        doctor: int = 0,
    ) -> None:
        (tmp_path / "objects").write_text(json.dumps({"items": list(objects.values())}), encoding="utf-8")
        script = KUBECTL.replace("FOLDER", str(tmp_path)).replace("SECRETS", secrets)
        script = script.replace("POD", pod).replace("COMMAND", command).replace("DOCTOR", str(doctor))
        (tmp_path / "kubectl").write_text(script, encoding="utf-8")
        (tmp_path / "kubectl").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return put


async def checked(status: int) -> str:
    """Return what the doctor says of the release; it ends with this exit status."""
    done = await roomlog("doctor", "--kubernetes", "--namespace", "chat", "--release", "shop")
    assert done.exit_code == status, done.output
    return done.output


async def test_a_release_that_is_well(install: Callable[..., None]) -> None:
    """Every line is ok, the doctor inside has its say, and the exit status is 0."""
    install(release())
    said = await checked(0)
    assert "WRONG" not in said
    for line in (
        "ok    deployment/shop-gateway: 2 of 2 pods ready",
        "ok    statefulset/shop-worker: 2 of 2 pods ready",
        "ok    pods: 3 ready; 0 restarts",
        "ok    versions: 1",
        "ok    disruption budget of worker: 1 may be stopped now",
        "ok    service/shop-api: 1 ready endpoints",
        "ok    secrets: all 1 that pods name are there",
        "ok    doctor in a pod: ran in shop-api, exit status 0",
        "ok    shards: all",
    ):
        assert line in said


def ended(at: datetime) -> Manifest:
    """Return the state of a container that was killed then."""
    return {"terminated": {"finishedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}", "reason": "OOMKilled"}}


def run_another_image(objects: dict[str, Manifest]) -> None:
    """Leave a rollout of the api half done, between two images of its owner."""
    pod = objects["api pod"]
    pod["spec"]["containers"][0]["image"] = "api:a"
    other = deepcopy(pod)
    other["spec"]["containers"][0]["image"] = "api:b"
    objects["another pod"] = other


def take_image(objects: dict[str, Manifest]) -> None:
    """Let the kubelet find no image for the gateway's pod."""
    waiting = {"name": "gateway", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    objects["gateway pod"]["status"].update(conditions=[], containerStatuses=[waiting])


def kill_worker(objects: dict[str, Manifest]) -> None:
    """Let the worker have died just now, and not for the first time."""
    objects["worker pod"]["status"]["containerStatuses"][0] |= {
        "restartCount": 3,
        "lastState": ended(datetime.now(UTC)),
    }


BROKEN: Final[dict[str, Breaking]] = {
    "deployment/shop-gateway: 1 of 2 pods ready; see why: kubectl --namespace chat describe": (
        lambda it: it["gateway"]["status"].update(readyReplicas=1)
    ),
    "1 of the last revision; wait for the rollout": (
        lambda it: it["worker"]["status"].update(updatedReplicas=1)
    ),
    "0 of 0 pods ready; nothing runs: kubectl --namespace chat scale statefulset/shop-worker": (
        lambda it: (it["worker"]["spec"].update(replicas=0), it["worker"]["status"].clear())
    ),
    "worker: no workload": lambda it: it.pop("worker"),
    "pod/shop-gateway: not ready: ImagePullBackOff; see its events": take_image,
    "(OOMKilled); see why: kubectl --namespace chat logs shop-worker --container worker --previous": (
        kill_worker
    ),
    "versions: 1, 2; give all components the same release": (
        lambda it: it["gateway pod"]["spec"]["containers"][0].update(image="registry/roomlog-gateway:2")
    ),
    "images of api api: pods run api:a, api:b; finish or roll back": run_another_image,
    "disruption budget of api: none; set api.podDisruptionBudget.enabled": lambda it: it.pop("api budget"),
    "disruption budget of api: 0 may be stopped now; a drain waits": (
        lambda it: it["api budget"]["status"].update(disruptionsAllowed=0)
    ),
    "service/shop-api: 0 ready endpoints; nobody answers there": (
        lambda it: it["api slice"].update(endpoints=[{"conditions": {"ready": False}}])
    ),
    "secrets: missing: gone; create them": lambda it: it["api"]["spec"]["template"]["spec"].update(
        volumes=[{"name": "v", "secret": {"secretName": "gone"}}]
    ),
}


@pytest.mark.parametrize("sentence", BROKEN)
async def test_each_wrong_thing_has_a_sentence(install: Callable[..., None], sentence: str) -> None:
    """It says what to do, and the exit status is 1."""
    objects = release()
    BROKEN[sentence](objects)
    install(objects)
    wrong = [line for line in (await checked(1)).splitlines() if line.startswith("WRONG")]
    assert [line for line in wrong if sentence in line] != []
    assert len(wrong) == 1


@pytest.mark.parametrize(("times", "at"), [(3, datetime(2020, 1, 1, tzinfo=UTC)), (2, datetime.now(UTC))])
async def test_some_restarts_are_counted(install: Callable[..., None], times: int, at: datetime) -> None:
    """What happened last week, or once or twice, is no finding."""
    objects = release()
    restarted = {"restartCount": times, "lastState": ended(at)}
    objects["worker pod"]["status"]["containerStatuses"][0].update(restarted)
    install(objects)
    assert f"pods: 3 ready; {times} restarts in all" in await checked(0)


async def test_the_doctor_inside_is_asked_and_counts(install: Callable[..., None]) -> None:
    """In the api, or in a worker of a project."""
    install(release(), doctor=1)
    said = await checked(1)
    assert "WRONG doctor in a pod: ran in shop-api, exit status 1; see the report below" in said
    objects = {name: one for name, one in release().items() if not name.startswith("api")}
    container = objects["worker pod"]["spec"]["containers"][0]
    container["command"] = ["python", "manage.py", "message_process_worker"]
    install(objects, pod="worker", command="python manage.py doctor")
    assert "ran in shop-worker, exit status 0" in await checked(0)


async def test_what_is_missing_or_may_not_be_read_is_said(install: Callable[..., None]) -> None:
    """Secrets that may not be listed, a wrong name, and options that need each other."""
    install(release(), secrets="echo forbidden >&2; exit 1")
    assert "secrets: you may not list them; named are shop" in await checked(0)
    install({})
    assert "WRONG release: shop has no workload in chat; name another" in await checked(1)
    for words in (["--kubernetes"], ["--namespace", "chat"]):
        done = await roomlog("doctor", *words)
        assert (done.exit_code, "go together" in done.output) == (1, True)
