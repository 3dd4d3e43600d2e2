"""`doctor --kubernetes`: what a release's objects say of it, and the doctor inside one of its pods.

Beside the message's way. kubectl reads; nothing is changed, and no Secret's values are asked for.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from .kubectl import KubectlFailed, ask, run

KINDS: Final = "deployments,statefulsets,pods,poddisruptionbudgets,services,endpointslices"
OURS: Final = ("gateway", "worker")
"""Components without which nothing works; the api may be in the owner's own project."""
BUDGETED: Final = ("gateway", "worker", "api")
DOCTOR_SECONDS: Final = 60.0
RECENT: Final = timedelta(hours=1)
MANY_RESTARTS: Final = 3
"""A container that was restarted so often, the last time in RECENT, goes on being restarted."""
COMPONENT: Final = "app.kubernetes.io/component"
WORKERS_COMMAND: Final = "message_process_worker"

Manifest = dict[str, Any]


class Finding(NamedTuple):
    """What one look found."""

    what: str
    fact: str
    todo: str = ""
    """What to do; empty where all is well."""

    def __str__(self) -> str:
        verdict = "WRONG" if self.todo else "ok"
        return f"{verdict:<5} {self.what}: {self.fact}" + (f"; {self.todo}" if self.todo else "")


class Objects:
    """The objects of one release, by kind."""

    def __init__(self, items: Sequence[Manifest]) -> None:
        self._by_kind: defaultdict[str, list[Manifest]] = defaultdict(list)
        for item in items:
            self._by_kind[item["kind"]].append(item)
        self.workloads = [*self._by_kind["Deployment"], *self._by_kind["StatefulSet"]]
        self.budgets = self._by_kind["PodDisruptionBudget"]
        self.services = self._by_kind["Service"]
        self.slices = self._by_kind["EndpointSlice"]
        self.pods = [
            pod
            for pod in self._by_kind["Pod"]
            if pod["status"].get("phase") != "Succeeded" and "deletionTimestamp" not in pod["metadata"]
        ]
        """Those that serve or should; a migration that is over is not one."""


async def look(namespace: str, release: str) -> tuple[list[Finding], str]:
    """Return what was found, and the report of the doctor in a pod, empty where none could be asked.

    Raises:
        KubectlFailed: the objects can't be read.
    """
    place, selector = ("--namespace", namespace), f"app.kubernetes.io/instance={release}"
    listed = await ask("get", KINDS, *place, "--selector", selector, "--output", "json")
    objects = Objects(json.loads(listed)["items"])
    if not objects.workloads:
        todo = f"name another: helm list --namespace {namespace}"
        return [Finding("release", f"{release} has no workload in {namespace}", todo)], ""
    findings = [
        *workloads(objects, namespace),
        *pods(objects, namespace, datetime.now(UTC)),
        *images(objects),
        *budgets(objects),
        *services(objects),
        await _secrets(objects, namespace),
    ]
    inside, report = await _doctor(objects, namespace)
    return [*findings, inside], report


def workloads(objects: Objects, namespace: str) -> Iterator[Finding]:
    """Yield for each workload whether all its pods are ready and of its last revision."""
    there = {_component(one) for one in objects.workloads}
    for name in OURS:
        if name not in there:
            yield Finding(name, "no workload", "check the values of the release: helm get values")
    for one in objects.workloads:
        name, status, wanted = _name(one), one.get("status", {}), one["spec"].get("replicas", 1)
        ready, fresh = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
        target = f"{one['kind'].lower()}/{name}"
        fact, todo = f"{ready} of {wanted} pods ready", ""
        if not wanted:
            todo = f"nothing runs: kubectl --namespace {namespace} scale {target} --replicas=1"
        elif ready < wanted:
            todo = f"see why: kubectl --namespace {namespace} describe {target}"
        elif fresh < wanted or status.get("observedGeneration", 0) < one["metadata"].get("generation", 0):
            fact += f", {fresh} of the last revision"
            todo = f"wait for the rollout: kubectl --namespace {namespace} rollout status {target}"
        yield Finding(target, fact, todo)


def pods(objects: Objects, namespace: str, now: datetime) -> Iterator[Finding]:
    """Yield each pod that is not ready or keeps restarting; one line where none does."""
    restarts, is_well = 0, True
    for pod in objects.pods:
        name, inside = _name(pod), f"kubectl --namespace {namespace}"
        if not _is_ready(pod):
            is_well = False
            yield Finding(f"pod/{name}", _reason(pod), f"see its events: {inside} describe pod/{name}")
        for container in _statuses(pod):
            restarts += container.get("restartCount", 0)
            ended = container.get("lastState", {}).get("terminated")
            is_recent = ended and now - datetime.fromisoformat(ended["finishedAt"]) < RECENT
            if is_recent and container["restartCount"] >= MANY_RESTARTS:
                is_well = False
                fact = f"{container['name']} restarted {container['restartCount']} times"
                fact += f", last at {ended['finishedAt']} ({ended.get('reason', '?')})"
                todo = f"see why: {inside} logs {name} --container {container['name']} --previous"
                yield Finding(f"pod/{name}", fact, todo)
    if is_well:
        yield Finding("pods", f"{len(objects.pods)} ready; {restarts} restarts in all")


def images(objects: Objects) -> Iterator[Finding]:
    """Yield for each component whether its pods run one image, and whether Roomlog's own have one tag."""
    by_component: defaultdict[str, set[str]] = defaultdict(set)
    for pod in objects.pods:
        for container in pod["spec"]["containers"]:
            by_component[f"{_component(pod)} {container['name']}"].add(container["image"])
    mixed = {name: images for name, images in by_component.items() if len(images) > 1}
    for name, images in sorted(mixed.items()):
        fact = f"pods run {', '.join(sorted(images))}"
        yield Finding(f"images of {name}", fact, "finish or roll back the rollout: helm history")
    tags = {
        image.rpartition(":")[2]
        for images in by_component.values()
        for image in images
        if image.rpartition("/")[2].startswith("roomlog") and "@" not in image and ":" in image
    }
    todo = "give all components the same release: gateway, worker and api image tags" if len(tags) > 1 else ""
    yield Finding("versions", ", ".join(sorted(tags)) or "images of your own, or by digest", todo)


def budgets(objects: Objects) -> Iterator[Finding]:
    """Yield for each component of several pods whether a drain of nodes leaves some, and can go on."""
    there = {_component(one): one for one in objects.budgets}
    for one in objects.workloads:
        name, wanted = _component(one), one["spec"].get("replicas", 1)
        if name not in BUDGETED or wanted < 2:
            continue
        what = f"disruption budget of {name}"
        budget = there.get(name)
        if budget is None:
            yield Finding(what, "none", f"set {name}.podDisruptionBudget.enabled: a drain may stop all pods")
            continue
        allowed = budget.get("status", {}).get("disruptionsAllowed", 0)
        todo = "" if allowed else "a drain waits until more of its pods are ready"
        yield Finding(what, f"{allowed} may be stopped now", todo)


def services(objects: Objects) -> Iterator[Finding]:
    """Yield for each Service how many ready endpoints it has."""
    ready: defaultdict[str, int] = defaultdict(int)
    for one in objects.slices:
        service = one["metadata"]["labels"]["kubernetes.io/service-name"]
        ready[service] += sum(
            each.get("conditions", {}).get("ready") is not False for each in one.get("endpoints") or ()
        )
    for one in objects.services:
        name = _name(one)
        todo = "" if ready[name] else "nobody answers there: look at the pods above and at its selector"
        yield Finding(f"service/{name}", f"{ready[name]} ready endpoints", todo)


def secrets_named(objects: Objects) -> set[str]:
    """Return the Secrets without which the release's pods don't start."""
    named = set()
    for one in objects.workloads:
        spec = one["spec"]["template"]["spec"]
        containers = [*spec.get("containers", ()), *spec.get("initContainers", ())]
        sources = [source for each in containers for source in each.get("envFrom") or ()]
        values = [item.get("valueFrom", {}) for each in containers for item in each.get("env") or ()]
        volumes = [volume.get("secret") for volume in spec.get("volumes") or ()]
        references = [source.get("secretRef") for source in sources]
        references += [value.get("secretKeyRef") for value in values]
        references += [{**volume, "name": volume["secretName"]} for volume in volumes if volume]
        references += spec.get("imagePullSecrets") or ()
        named |= {each["name"] for each in references if each and not each.get("optional")}
    return named


async def _secrets(objects: Objects, namespace: str) -> Finding:
    """Compare with the names of the namespace's Secrets: kubectl's table holds no values."""
    named = secrets_named(objects)
    try:
        table = await ask("get", "secrets", "--namespace", namespace, "--no-headers")
    except KubectlFailed:
        return Finding("secrets", f"you may not list them; named are {', '.join(sorted(named))}")
    missing = sorted(named - {line.split()[0] for line in table.splitlines() if line.strip()})
    if not missing:
        return Finding("secrets", f"all {len(named)} that pods name are there")
    todo = "create them, or correct existingSecret in the values"
    return Finding("secrets", f"missing: {', '.join(missing)}", todo)


async def _doctor(objects: Objects, namespace: str) -> tuple[Finding, str]:
    """Run the doctor in a ready pod of the api, else of the workers, whose project has it too."""
    what, todo = "doctor in a pod", "see the report below"
    for component in ("api", "worker"):
        pod = next((one for one in objects.pods if _component(one) == component and _is_ready(one)), None)
        if pod is None:
            continue
        inside = ("exec", "--namespace", namespace, _name(pod), "--container", component, "--")
        done = await run(*inside, *_words(pod, component), seconds=DOCTOR_SECONDS)
        report = done.output + done.complaint
        fact = f"ran in {_name(pod)}, exit status {done.status}"
        return Finding(what, fact, todo if done.status else ""), report
    return Finding(what, "no pod of api or worker is ready", "begin with the lines above"), ""


def _words(pod: Manifest, component: str) -> list[str]:
    """Return the doctor's command line; in a worker its own with another command, whoever's project it is."""
    if component == "api":
        return ["roomlog", "doctor"]
    (container,) = [each for each in pod["spec"]["containers"] if each["name"] == component]
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if WORKERS_COMMAND not in words:
        return ["python", "-m", "django", "doctor"]
    return [*words[: words.index(WORKERS_COMMAND)], "doctor"]


def _name(one: Manifest) -> str:
    return str(one["metadata"]["name"])


def _component(one: Manifest) -> str:
    return str(one["metadata"].get("labels", {}).get(COMPONENT, ""))


def _is_ready(pod: Manifest) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions") or ()
    )


def _statuses(pod: Manifest) -> list[Manifest]:
    status = pod["status"]
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _reason(pod: Manifest) -> str:
    """Return why a pod is not ready, in Kubernetes' own words."""
    waiting = [each["state"]["waiting"] for each in _statuses(pod) if "waiting" in each.get("state", {})]
    reasons = sorted({str(each.get("reason", "waiting")) for each in waiting})
    status = pod["status"]
    return f"not ready: {', '.join(reasons) or status.get('reason') or status.get('phase', '?')}"
