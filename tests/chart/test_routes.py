"""Who reaches what from outside: Services, Ingress, HTTPRoute and network policies."""

from ipaddress import ip_address, ip_network

import pytest

from tests.chart.render import (
    CHORES,
    EVERYTHING,
    EXTERNAL,
    NOTHING,
    ROUTED,
    Manifest,
    complaint,
    environment,
    find,
    of_kind,
    pod_specs,
    render,
)

pytestmark = pytest.mark.usefixtures("helm")

HEALTH_PORTS = {"gateway": 9080, "worker": 9081, "api": 9082, "chores": 9084}
API_PATHS = ["/", "/api", "/admin", "/static"]
BELOW = ["/team/chat/ws", "/team/chat", "/team/chat/api", "/team/chat/admin", "/team/chat/static"]
COMPONENT = "app.kubernetes.io/component"


@pytest.mark.parametrize("values", [NOTHING, EVERYTHING], ids=["nothing", "everything"])
def test_no_service_reaches_a_health_port(values: Manifest) -> None:
    """Probes and metrics are on a port that no Service, so no route, leads to."""
    for service in of_kind(render(values), "Service"):
        for port in service["spec"].get("ports", []):
            assert port["targetPort"] in ("websocket", "http", "redis", "postgresql")


@pytest.mark.parametrize("component", HEALTH_PORTS)
def test_every_service_has_its_health_port(component: str) -> None:
    """The port's name is the same everywhere, so that one monitor finds all."""
    (container,) = pod_specs(render(CHORES))[component]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports["health"] == HEALTH_PORTS[component]


def test_services_select_the_pods_that_they_name() -> None:
    """Metrics are for the own namespace unless others are named."""
    manifests = render(NOTHING)
    pods = pod_specs(manifests)
    for component in ("gateway", "api", "valkey", "postgresql"):
        service = find(manifests, "Service", f"roomlog-{component}")
        assert service["spec"]["selector"].items() <= pods[component]["metadata"]["labels"].items()
        (container,) = pods[component]["spec"]["containers"]
        assert service["spec"]["ports"][0]["targetPort"] in [port["name"] for port in container["ports"]]
    for values, peers in ((NOTHING, [[{"podSelector": {}}]]), ({"networkPolicy": {"scrapers": []}}, [])):
        for component, port in (("gateway", 9080), ("worker", 9081), ("api", 9082)):
            rules = find(render(values), "NetworkPolicy", f"roomlog-{component}")["spec"].get("ingress", [])
            scrapes = [rule for rule in rules if {"port": port} in rule["ports"]]
            assert [rule.get("from") for rule in scrapes] == peers


@pytest.mark.parametrize("component", ["gateway", "api"])
def test_a_node_port_can_be_chosen(component: str) -> None:
    """Without a load balancer the nodes themselves can be the way in."""
    values: Manifest = {component: {"service": {"type": "NodePort", "nodePort": 30080}}}
    spec = find(render(values), "Service", f"roomlog-{component}")["spec"]
    assert spec["type"] == "NodePort"
    assert spec["ports"][0]["nodePort"] == 30080


def test_the_ingress_sends_sockets_to_the_gateway_and_pages_to_the_api() -> None:
    """One host, /ws and nothing else; the longest path counts for every controller."""
    spec = find(render(ROUTED), "Ingress", "roomlog")["spec"]
    (rule,) = spec["rules"]
    backends = {path["path"]: path["backend"]["service"] for path in rule["http"]["paths"]}
    assert backends.pop("/ws") == {"name": "roomlog-gateway", "port": {"name": "websocket"}}
    assert list(backends) == API_PATHS
    assert all(backend == {"name": "roomlog-api", "port": {"name": "http"}} for backend in backends.values())
    assert spec["tls"] == [{"hosts": ["chat.example.org"], "secretName": "chat-tls"}]
    (rule,) = find(render(ROUTED), "Ingress", "roomlog")["spec"]["rules"]
    assert {path["pathType"] for path in rule["http"]["paths"]} == {"Prefix"}


def test_the_http_route_says_the_same_and_never_ends_a_socket() -> None:
    """Unless the owner chooses a limit; other routes have none."""
    spec = find(render(ROUTED), "HTTPRoute", "roomlog")["spec"]
    sockets, pages = spec["rules"]
    assert [match["path"]["value"] for match in sockets["matches"]] == ["/ws"]
    assert sockets["backendRefs"] == [{"name": "roomlog-gateway", "port": 80}]
    assert sockets["timeouts"] == {"request": "0s"}
    assert [match["path"]["value"] for match in pages["matches"]] == API_PATHS
    assert pages["backendRefs"] == [{"name": "roomlog-api", "port": 80}]
    assert spec["hostnames"] == ["chat.example.org", "talk.example.org"]
    for said, expected in (("24h", {"request": "24h"}), ("", None)):
        values = {"httpRoute": {**ROUTED["httpRoute"], "requestTimeout": said}}
        sockets, pages = find(render(values), "HTTPRoute", "roomlog")["spec"]["rules"]
        assert sockets.get("timeouts") == expected
        assert "timeouts" not in pages


@pytest.mark.parametrize(
    ("api", "paths"),
    [
        pytest.param({"paths": ["/api"]}, ["/ws", "/api"], id="the admin kept inside"),
        pytest.param({"pathPrefix": "/team/chat"}, BELOW, id="a shared host"),
    ],
)
def test_both_routes_have_what_is_asked_for(api: Manifest, paths: list[str]) -> None:
    """Some paths alone, or all of them below a prefix: nothing lies beside it."""
    manifests = render({**ROUTED, "api": api})
    (rule,) = find(manifests, "Ingress", "roomlog")["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == paths
    sockets, pages = find(manifests, "HTTPRoute", "roomlog")["spec"]["rules"]
    assert [match["path"]["value"] for match in [*sockets["matches"], *pages["matches"]]] == paths


def test_the_api_knows_its_prefix() -> None:
    """Its probes stay where they are."""
    container = pod_specs(render({"api": {"pathPrefix": "/team/chat"}}))["api"]["spec"]["containers"][0]
    assert environment(container)["ROOMLOG_PATH_PREFIX"]["value"] == "/team/chat"
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}


@pytest.mark.parametrize("prefix", ["chat", "/chat/", "/", "/a b", "https://example.org/chat"])
def test_a_prefix_that_is_no_path_is_refused(prefix: str) -> None:
    """With the value's name."""
    assert "pathPrefix" in complaint({"api": {"pathPrefix": prefix}})


def flows(values: Manifest, direction: str) -> dict[str, set[tuple[int, str]]]:
    """Returns for each component its allowed (port, peer) pairs; a peer of another kind is `*`."""
    found: dict[str, set[tuple[int, str]]] = {}
    side = {"ingress": "from", "egress": "to"}[direction]
    for policy in of_kind(render(values), "NetworkPolicy"):
        component = policy["spec"]["podSelector"]["matchLabels"].get(COMPONENT, "all")
        found[component] = {
            (port["port"], peer.get("podSelector", {}).get("matchLabels", {}).get(COMPONENT, "*"))
            for rule in policy["spec"].get(direction, [])
            for port in rule["ports"]
            for peer in rule.get(side, [{}])
        }
    return found


def test_nothing_passes_that_is_not_named() -> None:
    """The release's pods are denied everything; the policies beside it name every flow, and no other."""
    dns, redis, database = (53, "*"), (6379, "valkey"), (5432, "postgresql")
    assert flows(NOTHING, "egress") == {
        "all": set(),
        "gateway": {dns, redis},
        "worker": {dns, redis, database},
        "api": {dns, redis, database},
        "migrate": {dns, database},
        "test": {dns, database, (8080, "gateway")},
        "valkey": set(),
        "postgresql": set(),
    }
    assert flows(NOTHING, "ingress") == {
        "all": set(),
        "gateway": {(8080, "*"), (9080, "*")},
        "worker": {(9081, "*")},
        "api": {(8000, "*"), (9082, "*")},
        "migrate": set(),
        "test": set(),
        "valkey": {(6379, "gateway"), (6379, "worker"), (6379, "api")},
        "postgresql": {(5432, "worker"), (5432, "api"), (5432, "migrate"), (5432, "test")},
    }


@pytest.mark.parametrize("to", ["off", "public", "private"])
def test_webhooks_open_their_ports_and_no_private_network(to: str) -> None:
    """Nothing while they are off; any network only where that was asked for."""
    values = {"chores": {"enabled": True, "webhooks": {"to": to, "ports": [443, 8443]}}}
    if to == "off":
        values = CHORES
    policy = find(render(values), "NetworkPolicy", "roomlog-chores")
    rules = [rule for rule in policy["spec"]["egress"] if {"port": 443} in rule["ports"]]
    if to == "off":
        assert rules == []
        return
    (rule,) = rules
    assert rule["ports"] == [{"port": 443}, {"port": 8443}]
    blocks = [peer["ipBlock"] for peer in rule.get("to", [])]
    assert [block["cidr"] for block in blocks] == ([] if to == "private" else ["0.0.0.0/0", "2000::/3"])
    for address in ("10.1.2.3", "127.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "172.31.0.1"):
        for block in blocks[:1]:
            assert any(ip_address(address) in ip_network(one) for one in block["except"])


def test_chores_reach_what_a_worker_reaches() -> None:
    """External servers are reached on their ports."""
    egress, ingress = flows(CHORES, "egress"), flows(CHORES, "ingress")
    assert egress["chores"] == egress["worker"]
    assert ingress["chores"] == {(9084, "*")}
    assert (6379, "chores") in ingress["valkey"]
    assert (5432, "chores") in ingress["postgresql"]
    values = {
        **EXTERNAL,
        "redis": {"existingSecret": "r", "ports": [6390, 26379]},
        "database": {"existingSecret": "d", "port": 6432},
    }
    assert flows(values, "egress")["worker"] == {(53, "*"), (6390, "*"), (26379, "*"), (6432, "*")}
    assert "valkey" not in flows(values, "ingress")


def test_both_directions_are_denied_first() -> None:
    """What is not listed is closed; clusters with policies of their own get none of ours."""
    for policy in of_kind(render(NOTHING), "NetworkPolicy"):
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert of_kind(render({"networkPolicy": {"enabled": False}}), "NetworkPolicy") == []


def test_only_named_peers_come_in_where_some_are_named() -> None:
    """To gateway, api and metrics; the pod of `helm test` comes in past every edge."""
    edge = {"namespaceSelector": {"matchLabels": {"name": "edge"}}}
    watch = {"namespaceSelector": {"matchLabels": {"name": "watch"}}}
    manifests = render({"networkPolicy": {"clients": [edge], "scrapers": [watch]}})
    rules = find(manifests, "NetworkPolicy", "roomlog-gateway")["spec"]["ingress"]
    clients, scrapers = rules
    assert clients["ports"] == [{"port": 8080}]
    assert clients["from"][:-1] == [edge]
    assert scrapers == {"ports": [{"port": 9080}], "from": [watch]}
    edge = {"namespaceSelector": {"matchLabels": {"name": "edge"}}}
    ingress = flows({"networkPolicy": {"clients": [edge]}}, "ingress")
    assert ingress["gateway"] == {(8080, "*"), (8080, "test"), (9080, "*")}
    assert ingress["api"] == {(8000, "*"), (9082, "*")}
