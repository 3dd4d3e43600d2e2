"""The way in through the cluster's own controllers: an Ingress and an HTTPRoute, TLS ended by either.

Between the people and the Services. It finds out what the cluster has and knows no controller by name.
"""

import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.e2e.cluster import Cluster, Manifest, run, wait_while

SERVED_SECONDS: Final = 30.0
"""For a controller to serve what is new, on a busy machine."""
HTTPS: Final = 443
INGRESS_HOST: Final = "chat.example.org"
ROUTE_HOST: Final = "talk.example.org"
SECRET: Final = "chat-tls"
GATEWAY: Final = "front"
NETWORKING: Final = "/apis/networking.k8s.io/v1"
GATEWAY_API: Final = "/apis/gateway.networking.k8s.io/v1"


@dataclass(frozen=True)
class Controllers:
    """What serves routes on this cluster."""

    ingress_class: str
    """Empty: none."""
    gateway_class: str
    """Empty: none is accepted by a controller."""
    namespace: str
    """Of the pod that listens on a node's port 443, as controllers do on kind."""
    pod: str
    """Empty: nobody listens there."""

    @property
    def lack_of_ingress(self) -> str:
        """Say why no Ingress can be tried; empty if one can."""
        return self._lack("IngressClass", self.ingress_class)

    @property
    def lack_of_gateway(self) -> str:
        """Say why no HTTPRoute can be tried; empty if one can."""
        return self._lack("accepted GatewayClass", self.gateway_class)

    def _lack(self, kind: str, name: str) -> str:
        if not name:
            return f"the cluster has no {kind}"
        return "" if self.pod else "no pod listens on port 443 of its node"

    def values(self) -> dict[str, Any]:
        """Return the chart's values for a route of each kind that can be tried."""
        values: dict[str, Any] = {}
        if not self.lack_of_ingress:
            ours = {"host": INGRESS_HOST, "tlsSecretName": SECRET, "className": self.ingress_class}
            values["ingress"] = {"enabled": True, **ours}
        if not self.lack_of_gateway:
            parents = [{"name": GATEWAY}]
            values["httpRoute"] = {"enabled": True, "hostnames": [ROUTE_HOST], "parentRefs": parents}
        if values:
            theirs = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}}
            values["networkPolicy"] = {"clients": [theirs]}
        return values


async def find_controllers(cluster: Cluster) -> Controllers:
    """Look for classes, and for the pod behind port 443 of a node."""
    classes = await _items(cluster, f"{NETWORKING}/ingressclasses")
    gateways = [one for one in await _items(cluster, f"{GATEWAY_API}/gatewayclasses") if _is(one, "Accepted")]
    pods = [pod["metadata"] for pod in await _items(cluster, "/api/v1/pods") if _listens(pod)]
    ingress, gateway = (found[0]["metadata"]["name"] if found else "" for found in (classes, gateways))
    pod = pods[0] if pods else {"namespace": "", "name": ""}
    return Controllers(ingress, gateway, pod["namespace"], pod["name"])


async def _items(cluster: Cluster, path: str) -> list[Manifest]:
    try:
        items: list[Manifest] = json.loads(await cluster.read(path))["items"]
    except aiohttp.ClientResponseError as refusal:
        if refusal.status != 404:  # a kind that the cluster doesn't know
            raise
        return []
    return items


def _listens(pod: Manifest) -> bool:
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports", []))
    return any(port.get("hostPort") == HTTPS for port in ports) and _is(pod, "Ready")


def _is(thing: Manifest, condition: str) -> bool:
    found = thing.get("status", {}).get("conditions", [])
    return any(one["type"] == condition and one["status"] == "True" for one in found)


class Door:
    """A host that a controller serves on its port 443, with a certificate that is verified."""

    def __init__(self, host: str, context: ssl.SSLContext, address: str) -> None:
        """Take `127.0.0.1:PORT`, behind which the controller's port is."""
        self.host = host
        self.address = f"https://{host}"
        self.sockets = f"wss://{host}/ws"
        self._context = context
        self._port = int(address.rpartition(":")[2])

    def connector(self) -> aiohttp.TCPConnector:
        """Return what makes a client take this host's name for the controller."""
        return aiohttp.TCPConnector(ssl=self._context, resolver=_Resolver(self._port))


class _Resolver(AbstractResolver):
    """Every name is behind one local port."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self._port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def make_certificate(place: Cluster, folder: Path) -> ssl.SSLContext:
    """Make a certificate for both hosts and its Secret; return what trusts it alone."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    names = f"subjectAltName=DNS:{INGRESS_HOST},DNS:{ROUTE_HOST}"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ("-keyout", str(key), "-out", str(certificate))
    await run("openssl", "req", "-x509", *curve, "-subj", f"/CN={INGRESS_HOST}", "-addext", names, *files)
    pair = (f"--cert={certificate}", f"--key={key}")
    await place.kubectl("create", "secret", "tls", SECRET, *pair)
    return ssl.create_default_context(cafile=certificate)


async def make_gateway(place: Cluster, class_name: str) -> None:
    """Make a Gateway that ends TLS for the route's host."""
    tls = {"mode": "Terminate", "certificateRefs": [{"name": SECRET}]}
    listener = {"name": "https", "port": HTTPS, "protocol": "HTTPS", "hostname": ROUTE_HOST, "tls": tls}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY},
        "spec": {"gatewayClassName": class_name, "listeners": [listener]},
    }
    await place.kubectl("apply", "-f", "-", stdin=json.dumps(gateway))
    ready = ("--for=condition=Programmed", f"--timeout={SERVED_SECONDS:g}s")
    await place.kubectl("wait", f"gateway/{GATEWAY}", *ready)


async def wait_for_door(door: Door) -> None:
    """Wait until the controller serves the login page at the host, with the certificate."""

    async def complaint() -> str:
        async with aiohttp.ClientSession(connector=door.connector()) as http:
            try:
                async with http.get(f"{door.address}/login/") as answer:
                    return "" if answer.status == 200 else f"{door.host} answers {answer.status}"
            except aiohttp.ClientError as error:
                return f"{door.host}: {error}"

    await wait_while(complaint, SERVED_SECONDS)
