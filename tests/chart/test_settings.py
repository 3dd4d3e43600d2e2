"""Settings that the chart computes: the way to stop, secrets, origins and hosts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from roomlog_runtime.trail import DEFAULT_MIB
from tests.chart.render import (
    CHORES,
    EVERYTHING,
    EXTERNAL,
    NOTHING,
    ON_A_CLUSTER,
    ROUTED,
    Manifest,
    containers,
    environment,
    find,
    manifests_of,
    of_kind,
    pod_specs,
    render,
    run_helm,
)

pytestmark = pytest.mark.usefixtures("helm")

SECRET_VARIABLES = {
    "ROOMLOG_REDIS_URL": ("my-redis", "redis-url", "roomlog-valkey", "url"),
    "ROOMLOG_DATABASE_URL": ("my-database", "database-url", "roomlog-postgresql", "url"),
    "ROOMLOG_SECRET_KEY": ("my-key", "django", "roomlog", "secret-key"),
    "ROOMLOG_SECRET_KEY_FALLBACKS": ("my-key", "secret-key-fallbacks", "roomlog", "secret-key-fallbacks"),
}
MAY_BE_MISSING = {"ROOMLOG_SECRET_KEY_FALLBACKS"}
NEEDED_SECRETS = {
    "gateway": {"ROOMLOG_REDIS_URL"},
    "worker": set(SECRET_VARIABLES),
    "chores": set(SECRET_VARIABLES),
    "api": set(SECRET_VARIABLES),
    "migrate": set(SECRET_VARIABLES),
}


def variables_of(component: str, values: Manifest) -> dict[str, str]:
    """The plain values of a component's main container."""
    container = pod_specs(render(values))[component]["spec"]["containers"][0]
    return {name: v["value"] for name, v in environment(container).items() if "value" in v}


@pytest.mark.parametrize(
    ("connections", "rate", "pre_stop", "graceful", "grace"),
    [(10_000, 200, 10, 62, 75), (1, 200, 10, 13, 26), (1001, 100, 30, 23, 56), (2000, 200, 1, 22, 26)],
)
def test_the_grace_period_follows_from_connections_and_rate(
    connections: int, rate: int, pre_stop: int, graceful: int, grace: int
) -> None:
    """A full gateway can send everybody away at the allowed rate before it is killed."""
    values: Manifest = {
        "gateway": {
            "maxConnections": connections,
            "maxReconnectsPerSecond": rate,
            "preStopSeconds": pre_stop,
        }
    }
    spec = pod_specs(render(values))["gateway"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == grace
    variables = variables_of("gateway", values)
    assert variables["GUNICORN_CMD_ARGS"] == f"--graceful-timeout={graceful}"
    assert variables["ROOMLOG_MAX_CONNECTIONS"] == str(connections)
    assert variables["ROOMLOG_MAX_RECONNECTS_PER_SECOND"] == str(rate)


def test_the_gateway_drains_within_what_the_chart_grants() -> None:
    """The process that drains and the chart that grants it the time agree."""
    config = pytest.importorskip("roomlog_gateway.config").read_config(variables_of("gateway", NOTHING))
    granted = variables_of("gateway", NOTHING)["GUNICORN_CMD_ARGS"].removeprefix("--graceful-timeout=")
    assert config.drain_seconds < int(granted) <= config.drain_seconds + 5
    assert config.prestop_seconds == 0, "the kubelet waits already"


@pytest.mark.parametrize("component", NEEDED_SECRETS)
@pytest.mark.parametrize(
    ("values", "prefix"), [(NOTHING, "default/roomlog"), ({"redis": {"prefix": "shop"}}, "shop")]
)
def test_all_speak_of_the_same_keys(component: str, values: Manifest, prefix: str) -> None:
    """Two releases on one Redis have different prefixes without being told, the parts of one the same."""
    assert variables_of(component, {**CHORES, **values})["ROOMLOG_REDIS_PREFIX"] == prefix


@pytest.mark.parametrize("component", NEEDED_SECRETS)
@pytest.mark.parametrize(("values", "shards"), [(NOTHING, "64"), ({"shards": 256}, "256")])
def test_all_count_the_same_shards(component: str, values: Manifest, shards: str) -> None:
    """Who counts others refuses to serve; the migration writes the number down."""
    assert variables_of(component, {**CHORES, **values})["ROOMLOG_SHARDS"] == shards


@pytest.mark.parametrize(("values", "mib"), [(NOTHING, DEFAULT_MIB), ({"redis": {"trailMib": 0}}, 0)])
def test_those_who_note_know_how_much(values: Manifest, mib: int) -> None:
    """Gateway and worker have the same bound, by default the services' own; nobody else notes anything."""
    told = {part: variables_of(part, {**CHORES, **values}) for part in NEEDED_SECRETS}
    bounds = {part: said["ROOMLOG_TRAIL_MIB"] for part, said in told.items() if "ROOMLOG_TRAIL_MIB" in said}
    assert bounds == {"gateway": str(mib), "worker": str(mib)}


@pytest.mark.parametrize(("values", "days"), [(NOTHING, None), ({"worker": {"retentionDays": 365}}, "365")])
def test_workers_know_how_long_events_are_kept(values: Manifest, days: str | None) -> None:
    """Nobody else prunes; without a value for ever, as a worker itself has it."""
    told = {part: variables_of(part, {**CHORES, **values}) for part in NEEDED_SECRETS}
    known = {part: said.get("ROOMLOG_RETENTION_DAYS") for part, said in told.items()}
    assert known == dict.fromkeys(NEEDED_SECRETS) | {"worker": days}


@pytest.mark.parametrize(("values", "count"), [(NOTHING, "0"), ({"database": {"partitions": 16}}, "16")])
def test_whoever_makes_the_tables_knows_the_partitions(values: Manifest, count: str) -> None:
    """And the api, whose doctor compares them."""
    told = {part: variables_of(part, {**CHORES, **values}) for part in NEEDED_SECRETS}
    known = {part: said["ROOMLOG_PARTITIONS"] for part, said in told.items() if "ROOMLOG_PARTITIONS" in said}
    assert known == {"api": count, "migrate": count}


@pytest.mark.parametrize("component", NEEDED_SECRETS)
def test_a_replica_is_known_to_those_who_read_there(component: str) -> None:
    """By a Secret, like the primary's address; nobody else reads history or searches."""
    values = {**EXTERNAL, **CHORES}
    values["database"] = {**values["database"], "replica": {"existingSecret": "mine", "key": "address"}}
    variables = environment(pod_specs(render(values))[component]["spec"]["containers"][0])
    found = variables.get("ROOMLOG_REPLICA_URL", {}).get("valueFrom")
    is_reader = component in ("worker", "api")
    assert found == ({"secretKeyRef": {"name": "mine", "key": "address"}} if is_reader else None)


@pytest.mark.parametrize("component", NEEDED_SECRETS)
def test_secrets_come_from_secrets_and_from_existing_ones_where_named(component: str) -> None:
    """No URL, key or password stands in a manifest; each can be the cluster owner's own Secret."""
    for values, own in (({**EXTERNAL, **CHORES}, True), (CHORES, False)):
        for container in containers(pod_specs(render(values))[component]):
            variables = environment(container)
            assert NEEDED_SECRETS[component] == SECRET_VARIABLES.keys() & variables.keys()
            for name in NEEDED_SECRETS[component]:
                theirs, their_key, ours, our_key = SECRET_VARIABLES[name]
                reference: Manifest = {"name": theirs if own else ours, "key": their_key if own else our_key}
                if name in MAY_BE_MISSING:
                    reference["optional"] = True
                assert variables[name] == {"name": name, "valueFrom": {"secretKeyRef": reference}}


def test_generated_secrets_fit_together() -> None:
    """Each URL carries its server's own password; existing secrets leave none to be made."""
    for name, user in (("roomlog-valkey", ""), ("roomlog-postgresql", "roomlog")):
        secret = find(render(NOTHING), "Secret", name)["stringData"]
        assert len(secret["password"]) == 32
        assert f"//{user}:{secret['password']}@{name}:" in secret["url"]
    assert of_kind(render(EXTERNAL), "Secret") == []


def test_without_a_route_the_page_and_the_gateway_fit_the_lines_of_the_notes() -> None:
    """A port-forward of both Services is enough to chat: addresses, origins and cookies agree."""
    assert variables_of("api", NOTHING)["ROOMLOG_WEBSOCKET_URL"] == "ws://localhost:8080/ws"
    assert variables_of("api", NOTHING)["ROOMLOG_SECURE_COOKIES"] == "0"
    assert variables_of("api", NOTHING)["ROOMLOG_PROXIES"] == "0"
    origins = "http://localhost:8000,http://127.0.0.1:8000"
    assert variables_of("gateway", NOTHING)["ROOMLOG_ALLOWED_ORIGINS"] == origins


def test_with_a_route_everything_follows_from_its_hosts() -> None:
    """The host is named once; http:// is trusted only where cookies travel by it."""
    api = variables_of("api", ROUTED)
    assert api["ROOMLOG_WEBSOCKET_URL"] == ""
    assert api["ROOMLOG_SECURE_COOKIES"] == "1"
    assert api["ROOMLOG_PROXIES"] == "1"
    assert {"chat.example.org", "talk.example.org"} <= set(api["ROOMLOG_ALLOWED_HOSTS"].split(","))
    origins = "https://chat.example.org,https://talk.example.org"
    assert api["ROOMLOG_CSRF_TRUSTED_ORIGINS"] == origins
    assert variables_of("gateway", ROUTED)["ROOMLOG_ALLOWED_ORIGINS"] == ""
    api = variables_of("api", {**ROUTED, "api": {"secureCookies": False}})
    assert "http://chat.example.org" in api["ROOMLOG_CSRF_TRUSTED_ORIGINS"].split(",")


def test_said_settings_win_over_computed_ones() -> None:
    """Wildcard hosts reach Django in its own words."""
    values = {
        **ROUTED,
        "api": {
            "websocketUrl": "wss://ws.example.org/ws",
            "secureCookies": False,
            "trustedProxies": 0,
            "allowedHosts": ["internal"],
            "csrfTrustedOrigins": ["https://internal"],
        },
        "gateway": {"allowedOrigins": ["https://a.example.org", "https://b.example.org"]},
    }
    api = variables_of("api", values)
    assert api["ROOMLOG_WEBSOCKET_URL"] == "wss://ws.example.org/ws"
    assert api["ROOMLOG_SECURE_COOKIES"] == "0"
    assert api["ROOMLOG_PROXIES"] == "0"
    assert "internal" in api["ROOMLOG_ALLOWED_HOSTS"].split(",")
    assert "https://internal" in api["ROOMLOG_CSRF_TRUSTED_ORIGINS"].split(",")
    gateway = variables_of("gateway", values)
    assert gateway["ROOMLOG_ALLOWED_ORIGINS"] == "https://a.example.org,https://b.example.org"
    route = {**ROUTED["httpRoute"], "hostnames": ["*.example.org", "chat.example.com"]}
    values = {"httpRoute": route, "api": {"allowedHosts": ["*.internal", "*"]}}
    hosts = variables_of("api", values)["ROOMLOG_ALLOWED_HOSTS"].split(",")
    assert hosts[-4:] == [".example.org", "chat.example.com", ".internal", "*"]
    assert "https://*.example.org" in variables_of("api", values)["ROOMLOG_CSRF_TRUSTED_ORIGINS"]


@pytest.mark.parametrize("component", ["gateway", "worker", "api", "chores"])
def test_every_port_listens_on_both_families(component: str) -> None:
    """On a cluster of IPv6 alone 0.0.0.0 is reached by nobody."""
    binds = {name: v for name, v in variables_of(component, CHORES).items() if name.endswith("BIND")}
    assert binds
    assert {value.rpartition(":")[0] for value in binds.values()} == {"[::]"}


@pytest.mark.parametrize("release", ["7", "1e5", "0x1f", "2024-11-25", "1roomlog"])
def test_a_release_of_digits_makes_names_that_are_texts(release: str) -> None:
    """YAML would read 7 as a number, and a Service's name begins with a letter."""
    answer = run_helm("template", NOTHING, release=release, options=(*ON_A_CLUSTER, "--namespace", "12"))
    assert answer.returncode == 0, answer.stderr
    for manifest in manifests_of(answer.stdout):
        names = manifest["metadata"]
        assert re.fullmatch("[a-z][a-z0-9-]*", names["name"]), names["name"]
        assert names["namespace"] == "12"
        assert {type(text) for text in texts_of(manifest)} <= {str}


def texts_of(manifest: Any) -> Iterator[Any]:
    """Yields what must be text wherever it stands: labels, names, variables' values."""
    if isinstance(manifest, list):
        for item in manifest:
            yield from texts_of(item)
    elif isinstance(manifest, dict):
        for key, value in manifest.items():
            if key in ("labels", "matchLabels", "annotations", "stringData", "data"):
                yield from (value or {}).values()
            elif key in ("value", "namespace", "key") or key.lower().endswith("name"):
                yield value
            else:
                yield from texts_of(value)


def test_long_release_names_still_make_valid_names() -> None:
    """The longest name leaves room for the suffixes that Kubernetes adds."""
    manifests = render({**EVERYTHING, "fullnameOverride": "x" * 60})
    assert max(len(manifest["metadata"]["name"]) for manifest in manifests) <= 57
