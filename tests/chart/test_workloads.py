"""Every property of a pod, asserted for every workload: what one of them may lack stands in a table here."""

from typing import Any

import pytest

from tests.chart.render import (
    CHORES,
    EACH_WAY,
    EVERYTHING,
    EXTERNAL,
    IN_A_PROJECT,
    NOTHING,
    Manifest,
    containers,
    environment,
    find,
    of_kind,
    pod_specs,
    render,
)

pytestmark = pytest.mark.usefixtures("helm")

SERVICES = ("gateway", "worker", "api", "chores")
EMBEDDED = ("valkey", "postgresql")
SHORT = ("migrate", "test")
LONG_RUNNING = (*SERVICES, *EMBEDDED)
ALL = (*LONG_RUNNING, *SHORT)
LOWEST_UID = 10_000
OFFICIAL_UIDS = {"valkey": 1000, "postgresql": 999}
"""The official images' own users; ours have no name on any node."""
GRACE_SECONDS = {
    "gateway": 75,
    "worker": 30,
    "api": 35,
    "chores": 30,
    "valkey": 10,
    "postgresql": 60,
    "migrate": 30,
}
RECOMMENDED = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
)


def pod_of(component: str, values: Manifest = CHORES) -> Manifest:
    return pod_specs(render(values))[component]


def every_pod(component: str) -> list[Manifest]:
    """The pod in each way to install that has it."""
    found = [
        pod_specs(render(values)).get(component) for values in (NOTHING, EXTERNAL, EVERYTHING, IN_A_PROJECT)
    ]
    return [pod for pod in found if pod is not None]


@EACH_WAY
def test_the_table_knows_every_workload(values: Manifest, request: pytest.FixtureRequest) -> None:
    """No workload can be added without passing the tests of this file."""
    absent = {
        "nothing": ("chores",),
        "external": (*EMBEDDED, "chores"),
        "in a project": (*EMBEDDED, "api", "chores"),
    }
    way = request.node.callspec.id
    assert set(pod_specs(render(values))) == set(ALL) - set(absent.get(way, ()))


@pytest.mark.parametrize("component", ALL)
def test_every_pod_is_locked_down(component: str) -> None:
    """A namespace that enforces `restricted` lets it in; it gains no rights and reaches no Kubernetes API."""
    for pod in every_pod(component):
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False
        assert pod["spec"]["serviceAccountName"] == "roomlog"
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert security["runAsUser"] == OFFICIAL_UIDS.get(component, security["runAsUser"])
        assert component in OFFICIAL_UIDS or security["runAsUser"] >= LOWEST_UID
        assert security["fsGroup"] == security["runAsGroup"] == security["runAsUser"]
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            assert name not in pod["spec"]
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize("component", ALL)
def test_what_a_pod_may_use_is_known_and_bounded(component: str) -> None:
    """Its memory and every scratch folder; CPU is never throttled, and nothing comes from the node."""
    for pod in every_pod(component):
        for container in containers(pod):
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}
            assert set(container["resources"]["limits"]) == {"memory"}
        for volume in pod["spec"].get("volumes", []):
            assert "hostPath" not in volume
            assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"]


@pytest.mark.parametrize("component", ALL)
def test_every_image_is_named_with_a_tag(component: str) -> None:
    """No pod runs whatever `latest` is today."""
    for pod in every_pod(component):
        for container in containers(pod):
            repository, _, tag = container["image"].partition(":")
            assert repository
            assert tag not in ("", "latest")
            assert container["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize("component", LONG_RUNNING)
def test_every_server_has_three_probes(component: str) -> None:
    """Start, life and readiness are asked apart, each with a deadline: of a service by HTTP, without a shell.

    Life is never asked on a page that could ask Redis, and no embedded server is killed for a slow answer.
    """
    (container,) = pod_of(component)["spec"]["containers"]
    for probe, path in {
        "startupProbe": "/startupz",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }.items():
        assert container[probe]["timeoutSeconds"] >= 1
        assert container[probe]["failureThreshold"] >= 2
        if component in SERVICES:
            assert container[probe]["httpGet"] == {"path": path, "port": "health"}
    assert component in SERVICES or "tcpSocket" in container["livenessProbe"]


@pytest.mark.parametrize("component", [*LONG_RUNNING, "migrate"])
def test_every_workload_has_its_grace_period(component: str) -> None:
    """Each gets the seconds that its way to stop needs, never the default by accident."""
    assert pod_of(component)["spec"]["terminationGracePeriodSeconds"] == GRACE_SECONDS[component]


@pytest.mark.parametrize(
    ("component", "expected"), [("gateway", 10), ("api", 10), ("worker", None), ("chores", None)]
)
def test_what_a_route_reaches_serves_on_until_it_is_forgotten(component: str, expected: int | None) -> None:
    """Gateway and api sleep before SIGTERM, by the kubelet and not by a shell; nobody routes to a worker."""
    (container,) = pod_of(component)["spec"]["containers"]
    sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    assert sleep.get("seconds") == expected


@pytest.mark.parametrize("component", SERVICES)
def test_pods_of_a_kind_are_spread_over_nodes(component: str) -> None:
    """One node down does not take all of them where there is room."""
    spec = pod_of(component)["spec"]
    (rule,) = spec["topologySpreadConstraints"]
    assert rule["topologyKey"] == "kubernetes.io/hostname"
    assert rule["whenUnsatisfiable"] == "ScheduleAnyway"
    assert rule["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == component
    # Else a rollout counts the pods that it replaces, and may end with all new ones on one node.
    revision = "controller-revision-hash" if component == "worker" else "pod-template-hash"
    assert rule["matchLabelKeys"] == [revision]


@pytest.mark.parametrize("component", ["gateway", "worker", "api"])
def test_a_drain_takes_one_pod_after_the_other(component: str) -> None:
    """Each service has a disruption budget that selects exactly its pods."""
    budget = find(render(NOTHING), "PodDisruptionBudget", f"roomlog-{component}")
    assert budget["spec"]["maxUnavailable"] == 1
    labels = pod_of(component)["metadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] == component


@EACH_WAY
def test_every_object_has_the_recommended_labels(values: Manifest) -> None:
    """Everything of an install is found by its labels; only what is shared has no component."""
    for manifest in render(values):
        labels = manifest["metadata"]["labels"]
        shared = "app.kubernetes.io/component" not in labels
        assert set(RECOMMENDED) - ({"app.kubernetes.io/component"} if shared else set()) <= set(labels)
        assert manifest["metadata"]["namespace"] == "default"
    for pod in pod_specs(render(values)).values():
        assert set(RECOMMENDED[:4]) <= set(pod["metadata"]["labels"])


@pytest.mark.parametrize("component", LONG_RUNNING)
def test_selectors_hold_only_what_never_changes(component: str) -> None:
    """An upgrade of chart or app must not touch a selector: the API server would refuse it."""
    kind = "Deployment" if component in ("gateway", "api", "chores") else "StatefulSet"
    workload = find(render(CHORES), kind, f"roomlog-{component}")
    selector = workload["spec"]["selector"]["matchLabels"]
    assert set(selector) == set(RECOMMENDED[:3])
    assert selector.items() <= workload["spec"]["template"]["metadata"]["labels"].items()
    for claim in workload["spec"].get("volumeClaimTemplates", []):
        assert claim["metadata"]["labels"] == selector


@pytest.mark.parametrize(
    ("kind", "component"), [("Deployment", "gateway"), ("StatefulSet", "worker"), ("Deployment", "api")]
)
def test_who_is_scaled_by_others_has_no_number_of_its_own(kind: str, component: str) -> None:
    """An upgrade must not reset what the autoscaler has chosen."""
    fixed = find(render(NOTHING), kind, f"roomlog-{component}")
    scaled = find(render(EVERYTHING), kind, f"roomlog-{component}")
    assert fixed["spec"]["replicas"] == 2
    assert ("replicas" in scaled["spec"]) is (component == "api")


def test_autoscalers_point_to_what_they_scale() -> None:
    """And the owner chooses how fast gateways go."""
    manifests = render(EVERYTHING)
    gateway = find(manifests, "HorizontalPodAutoscaler", "roomlog-gateway")
    worker = find(manifests, "ScaledObject", "roomlog-worker")
    assert gateway["spec"]["scaleTargetRef"]["kind"] == "Deployment"
    assert gateway["spec"]["scaleTargetRef"]["name"] == "roomlog-gateway"
    assert worker["spec"]["scaleTargetRef"]["kind"] == "StatefulSet"
    assert worker["spec"]["scaleTargetRef"]["name"] == "roomlog-worker"
    for chosen, expected in (({}, (600, 120)), ({"scaleDownStabilizationSeconds": 30}, (30, 120))):
        values: Manifest = {"gateway": {"autoscaling": {"enabled": True, **chosen}}}
        scaler = find(render(values), "HorizontalPodAutoscaler", "roomlog-gateway")
        down = scaler["spec"]["behavior"]["scaleDown"]
        assert (down["stabilizationWindowSeconds"], down["policies"][0]["periodSeconds"]) == expected


@pytest.mark.parametrize("component", ["worker", "valkey", "postgresql"])
def test_every_stateful_set_names_a_headless_service(component: str) -> None:
    """Only such a Service gives its pods names of their own, and it must select them."""
    manifests = render(NOTHING)
    workload = find(manifests, "StatefulSet", f"roomlog-{component}")["spec"]
    service = find(manifests, "Service", workload["serviceName"])["spec"]
    assert service["clusterIP"] == "None"
    assert service["selector"] == workload["selector"]["matchLabels"]


def test_workers_start_and_stop_together_and_roll_one_by_one() -> None:
    """Each learns its ordinal from its own label; the number of replicas is nowhere."""
    (container,) = pod_of("worker")["spec"]["containers"]
    variables = environment(container)
    path = "metadata.labels['apps.kubernetes.io/pod-index']"
    assert variables["ROOMLOG_ORDINAL"]["valueFrom"]["fieldRef"]["fieldPath"] == path
    assert not [name for name in variables if "REPLICA" in name]
    worker = find(render(NOTHING), "StatefulSet", "roomlog-worker")
    assert worker["spec"]["podManagementPolicy"] == "Parallel"
    assert worker["spec"]["updateStrategy"] == {"type": "RollingUpdate"}
    service = find(render(NOTHING), "Service", worker["spec"]["serviceName"])
    assert service["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize("component", ["gateway", "api", "chores"])
def test_a_rollout_never_goes_below_the_number_of_pods(component: str) -> None:
    """The new pod is ready before an old one stops."""
    strategy = find(render(CHORES), "Deployment", f"roomlog-{component}")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize(
    ("component", "waits"), [("gateway", False), ("worker", True), ("api", True), ("chores", True)]
)
def test_who_needs_the_schema_waits_for_it_and_the_gateway_does_not(component: str, waits: bool) -> None:
    """Sockets stay open while a migration runs; writers start only on the schema that they know."""
    spec = pod_of(component)["spec"]
    commands = [container["command"] for container in spec.get("initContainers", [])]
    loop = ["sh", "-c", 'until "$@" --check; do sleep 2; done', "--"]
    loop += ["python", "-m", "django", "migrate", "--no-input"]
    assert commands == ([loop] if waits else [])
    if waits:
        assert spec["initContainers"][0]["image"] == spec["containers"][0]["image"]


def test_only_the_helm_test_is_a_hook() -> None:
    """An upgrade that changes nothing of the Job leaves it."""
    hooked = {
        manifest["metadata"]["labels"].get("app.kubernetes.io/component")
        for manifest in render(EVERYTHING)
        if "helm.sh/hook" in manifest["metadata"].get("annotations", {})
    }
    assert hooked == {"test"}
    assert job_name({"gateway": {"replicas": 5}}) == job_name(NOTHING)


def job_name(values: Manifest) -> str:
    (job,) = of_kind(render(values), "Job")
    return str(job["metadata"]["name"])


@pytest.mark.parametrize(
    "values",
    [
        {"api": {"image": {"tag": "2.0.0"}}},
        {"migrations": {"run": "2"}},
        {"migrations": {"resources": {"limits": {"memory": "1Gi"}}}},
        {"migrations": {"extraEnv": [{"name": "A", "value": "b"}]}},
    ],
)
def test_another_migration_is_another_job(values: dict[str, Any]) -> None:
    """A Job can't be changed, so whatever changes its pod changes its name."""
    assert job_name(values) != job_name(NOTHING)


@pytest.mark.parametrize("component", SERVICES)
def test_what_a_service_may_be_given_arrives_in_its_pod(component: str) -> None:
    """Scheduling, labels and variables of the values reach exactly the pod that they name."""
    given: Manifest = {
        "podLabels": {"team": "chat"},
        "podAnnotations": {"note": "x"},
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "chat", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "extraEnv": [{"name": "EXTRA", "value": "1"}],
        "extraEnvFrom": [{"secretRef": {"name": "more"}}],
        "topologySpreadConstraints": [
            {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
        ],
    }
    pod = pod_of(component, {**CHORES, component: {**CHORES.get(component, {}), **given}})
    assert pod["metadata"]["labels"]["team"] == "chat"
    assert pod["metadata"]["annotations"]["note"] == "x"
    for name in ("nodeSelector", "tolerations", "affinity", "priorityClassName", "topologySpreadConstraints"):
        assert pod["spec"][name] == given[name]
    for container in containers(pod):
        assert environment(container)["EXTRA"]["value"] == "1"
        assert container["envFrom"] == given["extraEnvFrom"]
