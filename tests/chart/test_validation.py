"""What the chart refuses: unknown keys, wrong types, and values that contradict each other."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from roomlog_contract.limits import REPEAT_DAYS
from roomlog_runtime.trail import MAX_MIB
from tests.chart.render import (
    CHART,
    EACH_WAY,
    EVERYTHING,
    EXTERNAL,
    IN_A_PROJECT,
    NOTHING,
    ON_A_CLUSTER,
    Manifest,
    complaint,
    run_helm,
)

pytestmark = pytest.mark.usefixtures("helm")

SCHEMA: Manifest = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES_TEXT = (CHART / "values.yaml").read_text(encoding="utf-8")
OPEN = ("global", "kubernetesObject", "kubernetesList", "variables", "texts")
"""Where Kubernetes or Helm knows what is allowed and we don't."""


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"valkey": {"enabled": False}},
            "No Redis: valkey.enabled is false and redis.existingSecret is empty",
        ),
        ({"redis": {"existingSecret": "mine"}}, 'Two Redis servers: redis.existingSecret names "mine"'),
        ({"postgresql": {"enabled": False}}, "No database: postgresql.enabled is false"),
        ({"database": {"existingSecret": "mine"}}, 'Two databases: database.existingSecret names "mine"'),
        ({"ingress": {"enabled": True}}, "The Ingress has no host: set ingress.host"),
        ({"httpRoute": {"enabled": True, "hostnames": ["a.b"]}}, "The HTTPRoute has no parent"),
        ({"httpRoute": {"enabled": True, "parentRefs": [{"name": "a"}]}}, "The HTTPRoute has no host"),
        ({"gateway": {"maxReconnectsPerSecond": 2}}, "would take 5000 s to close 10000 connections"),
        ({"worker": {"replicas": 65}}, "There are 64 shards: of 65 workers 1 would own none"),
        ({"shards": 128, "worker": {"replicas": 130}}, "of 130 workers 2 would own none; use at most 128"),
        (
            {
                "worker": {
                    "autoscaling": {"enabled": True, "maxReplicas": 80, "prometheusAddress": "http://p"}
                }
            },
            "There are 64 shards: of 80 workers 16 would own none",
        ),
        ({"worker": {"autoscaling": {"enabled": True}}}, "KEDA has no Prometheus to query"),
        (
            {"gateway": {"autoscaling": {"enabled": True, "minReplicas": 20}}},
            "gateway.autoscaling.minReplicas is 20, more than maxReplicas, which is 10",
        ),
        (
            {"gateway": {"autoscaling": {"enabled": True, "targetConnections": 10000}}},
            "gateway.autoscaling.targetConnections is 10000: a pod is full at 10000",
        ),
        (
            {"api": {"enabled": False}},
            "set worker.image.repository and worker.image.tag and worker.command, for example [python",
        ),
        (
            {"migrations": {"image": {"tag": "3"}}},
            'migrations.image has the tag or digest "3" of no repository',
        ),
        ({"chores": {"image": {"tag": "3"}}}, 'chores.image has the tag or digest "3" of no repository'),
        ({"chores": {"enabled": True}}, "chores.enabled needs an image with your own code"),
        ({"chores": {"webhooks": {"to": "public"}}}, "set chores.enabled=true, or chores.webhooks.to=off"),
        (
            {"chores": {"extraEnv": [{"name": "ROOMLOG_HEALTH_BIND", "value": "x"}]}},
            "chores.extraEnv sets ROOMLOG_HEALTH_BIND, which the chart sets",
        ),
        (
            {"api": {"extraEnv": [{"name": "ROOMLOG_BIND", "value": "x"}]}},
            "api.extraEnv sets ROOMLOG_BIND, which the chart sets",
        ),
    ],
)
def test_contradictions_are_refused_with_a_sentence(values: Manifest, sentence: str) -> None:
    """Who sets values that can't work reads what is wrong and what to do."""
    assert sentence in complaint(values)


def test_every_value_has_a_comment() -> None:
    """And nobody has to mend one value to hear of the next complaint."""
    said = complaint({"valkey": {"enabled": False}, "postgresql": {"enabled": False}})
    assert "No Redis" in said
    assert "No database" in said
    silent = []
    lines = VALUES_TEXT.splitlines()
    for before, line in itertools.pairwise(lines):
        leaf = re.match(r"^ *[A-Za-z]+: +\S", line)
        inside = re.match(r"^ +(requests|limits|grafana_dashboard):", line)
        if leaf and not inside and not before.lstrip().startswith("#"):
            silent.append(line.strip())
    assert silent == []


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"gatway": {}}, "'gatway' not allowed"),
        ({"gateway": {"replica": 2}}, "'replica' not allowed"),
        ({"gateway": {"image": {"name": "x"}}}, "'name' not allowed"),
        ({"worker": {"replicas": "two"}}, "/worker/replicas"),
        ({"worker": {"replicas": 0}}, "/worker/replicas"),
        ({"worker": {"retentionDays": REPEAT_DAYS - 1}}, "/worker/retentionDays"),
        ({"api": {"service": {"type": "External"}}}, "/api/service/type"),
        ({"api": {"websocketUrl": "http://x/ws"}}, "/api/websocketUrl"),
        ({"gateway": {"allowedOrigins": ["chat.example.org"]}}, "/gateway/allowedOrigins/0"),
        ({"logging": {"level": "loud"}}, "/logging/level"),
        ({"redis": {"existingSecret": "Not A Name"}}, "/redis/existingSecret"),
        ({"gateway": {"extraEnv": [{"name": "A"}]}}, "/gateway/extraEnv/0"),
        ({"redis": {"trailMib": MAX_MIB + 1}}, "/redis/trailMib"),
        ({"worker": {"extraEnvFrom": [{"prefix": "A"}]}}, "/worker/extraEnvFrom/0"),
        ({"worker": {"command": "python manage.py"}}, "/worker/command"),
        ({"migrations": {"command": ["sh", "-c", "./migrate"]}}, "/migrations/command"),
        ({"chores": {"command": []}}, "/chores/command"),
        ({"chores": {"replicas": 0}}, "/chores/replicas"),
        ({"httpRoute": {"enabled": False, "requestTimeout": "forever"}}, "/httpRoute/requestTimeout"),
        ({"gateway": {"image": {"digest": "latest"}}}, "/gateway/image/digest"),
        ({"worker": {"podSecurityContext": "none"}}, "/worker/podSecurityContext"),
        ({"migrations": {"extraContainers": []}}, "'extraContainers' not allowed"),
        ({"metrics": {"rules": {"enabled": True, "runbookUrl": "docs"}}}, "/metrics/rules/runbookUrl"),
    ],
)
def test_unknown_keys_and_wrong_types_are_refused(values: Manifest, place: str) -> None:
    """A misspelt key is an error and not a setting that silently does nothing."""
    assert place in complaint(values)


def objects(schema: Any, path: str) -> Iterator[tuple[str, Manifest]]:
    """Yields every schema of an object with its path."""
    if isinstance(schema, list):
        for item in schema:
            yield from objects(item, path)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for name, part in schema.items():
            yield from objects(part, f"{path}/{name}")


def test_values_schema_and_comments_name_the_same_keys() -> None:
    """Every value has a comment, every object of the schema is closed."""
    open_ones = [
        path for path, schema in objects(SCHEMA, "") if schema.get("additionalProperties") is not False
    ]
    assert [path for path in open_ones if not any(f"/{name}" in path for name in OPEN)] == []
    ours = set(leaves(yaml.safe_load(VALUES_TEXT)))
    theirs = set(known(SCHEMA)) - {"global"}
    free = re.compile(r"\.(labels|requests|limits)\.|\.ephemeral-storage$")
    assert {key for key in ours ^ theirs if not free.search(key)} == set()


def leaves(values: Manifest, path: str = "") -> Iterator[str]:
    """Yields the path of every key."""
    for name, value in values.items():
        yield f"{path}{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{name}.")


def known(schema: Manifest, path: str = "") -> Iterator[str]:
    """Yields the path of every key that the schema names."""
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}"
        yield from known(part, f"{path}{name}.")


@EACH_WAY
def test_the_chart_passes_the_linter(values: Manifest) -> None:
    """`helm lint` finds nothing."""
    answer = run_helm("lint", values)
    assert answer.returncode == 0, answer.stdout
    assert "[WARNING]" not in answer.stdout
    assert "[ERROR]" not in answer.stdout


GIVEN: Manifest = {
    "secretKey": {"value": "k" * 50},
    "valkey": {"password": "theirs"},
    "postgresql": {"password": "theirs2"},
}


@pytest.mark.parametrize(
    "values",
    [EXTERNAL, GIVEN, {**EVERYTHING, **GIVEN}, IN_A_PROJECT],
    ids=["external", "given", "everything", "in a project"],
)
def test_a_rendering_is_the_same_every_time(values: Manifest) -> None:
    """With a cluster or without: nothing changes between two renderings, and upgrades roll nothing."""
    answers = [run_helm("template", values, options=options) for options in ((), (), ON_A_CLUSTER)]
    assert [answer.returncode for answer in answers] == [0, 0, 0], answers[0].stderr
    assert len({answer.stdout for answer in answers}) == 1


def test_no_rendering_without_a_cluster_makes_secrets() -> None:
    """Each would make others; what has to be set is named, all at once."""
    # What Argo CD passes: the kinds of the cluster that can be listed, but a look-up that finds nothing.
    for options in ((), ("--api-versions", "v1/Secret", "--api-versions", "v1/Pod")):
        said = complaint(NOTHING, options)
        assert "set secretKey.existingSecret and valkey.password and postgresql.password" in said
        assert "set postgresql.password," in complaint({**GIVEN, "postgresql": {}}, options)


@pytest.mark.parametrize("password", ["with/slash", "with space", "with'quote"])
def test_an_embedded_password_needs_no_encoding(password: str) -> None:
    """It stands in a URL, a configuration file and a statement; an own server may have any."""
    assert "/valkey/password" in complaint({"valkey": {"password": password}})
    assert "/postgresql/password" in complaint({"postgresql": {"password": password}})
