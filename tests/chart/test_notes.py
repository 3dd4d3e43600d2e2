"""What `helm install` prints at its end: the way to the page that this install really has."""

from base64 import b64decode

import pytest

from tests.chart.render import IN_A_PROJECT, NOTHING, ROUTED, Manifest, find, render

pytestmark = pytest.mark.usefixtures("helm")

PRINTED = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "notes"},
    "data": {"text": '{{ include "roomlog/templates/NOTES.txt" . | b64enc }}'},
}
"""`helm template` prints no notes; an object of the owner can."""
FORWARD = "  kubectl port-forward --namespace default service/roomlog-"
LOOK = "  kubectl get --namespace default services --selector app.kubernetes.io/instance=roomlog"
UNNAMED = "The chart can't know these addresses"


def notes(values: Manifest) -> str:
    """The notes of a release."""
    printed = find(render({**values, "extraObjects": [PRINTED]}), "ConfigMap", "notes")
    return b64decode(printed["data"]["text"]).decode()


def exposed(kind: str, **more: Manifest) -> Manifest:
    """Both Services of that type, with some more values."""
    return {name: {"service": {"type": kind}, **more.get(name, {})} for name in ("gateway", "api")}


def test_without_a_route_two_ports_are_forwarded() -> None:
    """As the page's own address of the gateway expects."""
    said = notes(NOTHING)
    assert f"{FORWARD}gateway 8080:80 &" in said
    assert f"{FORWARD}api 8000:80 &" in said
    assert "http://localhost:8000/ (admin: http://localhost:8000/admin/)" in said
    assert UNNAMED not in said


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("NodePort", "any node's address, the port after the colon of PORT(S)"),
        ("LoadBalancer", "EXTERNAL-IP, port 80"),
    ],
)
def test_a_service_with_an_address_of_its_own_is_not_forwarded(kind: str, way: str) -> None:
    """The notes say where its address stands, and which values must name it before anybody can chat."""
    said = notes(exposed(kind))
    assert LOOK in said
    assert f"  roomlog-gateway: {way}" in said
    assert f"  roomlog-api: {way}" in said
    assert "localhost:8000" not in said
    for value in ("api.allowedHosts", "gateway.allowedOrigins", "api.websocketUrl"):
        assert f"{value}: the" in said.partition(UNNAMED)[2]
    assert "the page connects to ws://localhost:8080/ws now" in said


def test_what_has_been_named_is_not_asked_for_again() -> None:
    """A node port of the owner's is told, the other Service by a port-forward."""
    gateway = {"allowedOrigins": ["http://chat:30080"]}
    api = {"allowedHosts": ["chat"], "websocketUrl": "ws://chat:30081/ws"}
    said = notes(exposed("NodePort", gateway=gateway, api=api))
    assert UNNAMED not in said
    assert "The page connects to ws://chat:30081/ws (api.websocketUrl)." in said
    said = notes({"gateway": {"service": {"type": "NodePort", "nodePort": 30081}}})
    assert "  roomlog-gateway: any node's address, port 30081" in said
    assert f"{FORWARD}api 8000:80 &" in said
    assert f"{FORWARD}gateway" not in said
    assert "api.allowedHosts" not in said


@pytest.mark.parametrize("route", ROUTED)
def test_a_route_is_the_way(route: str) -> None:
    """Its hosts by https, and nothing about ports."""
    said = notes({route: ROUTED[route], "api": {"pathPrefix": "/team"}})
    address = "chat.example.org/team"
    assert f"https://{address}/ (admin: https://{address}/admin/, sockets: wss://{address}/ws)" in said
    assert "port-forward" not in said
    assert UNNAMED not in said


def test_a_plain_route_is_told_as_plain() -> None:
    """A project is told of the sockets alone."""
    said = notes({"ingress": ROUTED["ingress"], "api": {"secureCookies": False}})
    assert (
        "http://chat.example.org/ (admin: http://chat.example.org/admin/, sockets: ws://chat.example.org/ws)"
        in said
    )
    assert "wss://shop.example.org/chat/ws" in notes(IN_A_PROJECT)
    alone = {**IN_A_PROJECT, "ingress": {"enabled": False}, "httpRoute": {"enabled": False}}
    assert f"{FORWARD}gateway 8080:80 &" in notes(alone)
    balanced = notes({**alone, "gateway": {"service": {"type": "LoadBalancer"}}})
    assert "  roomlog-gateway: EXTERNAL-IP, port 80" in balanced
    assert "roomlog-api" not in balanced
