"""What a webhook's address can reach: the Internet, and nothing of the network that the process runs in."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from roomlog.hooks.addresses import AddressRefused, refuse_private
from roomlog.hooks.sender import NO_HTTPS, Sender
from tests.harness.hook_receiver import Receiver, listening

SECONDS = 20.0
PRIVATE = "a private address"
UNREADABLE = "InvalidUrlClientError"
NOT_URLS = ("2130706433", "127.1")
"""Refused by the HTTP client before any name is looked up."""
REFUSED = [
    *("127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("100.100.100.200", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0"),
    *("fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe"),
    *("2002:7f00:1::", "no address"),
]


@pytest.fixture
def public() -> Iterator[Sender]:
    """A sender that may reach the Internet alone."""
    sender = Sender(allows_private=False)
    yield sender
    sender.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody on loopback, who must not be reached."""
    with listening(Receiver()) as one:
        yield one


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_of_no_use_on_the_internet_are_refused(address: str) -> None:
    """Private, shared, local and reserved ones, also inside of an IPv6 address."""
    with pytest.raises(AddressRefused):
        refuse_private(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"])
def test_addresses_of_the_internet_are_allowed(address: str) -> None:
    """Of both kinds, also behind NAT64."""
    refuse_private(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]", "inside"],
)
def test_no_spelling_of_loopback_is_connected_to(
    public: Sender, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """The address is judged that a name has led to, at the moment of the connection."""
    resolve = socket.getaddrinfo

    def resolved(name: Any, *args: Any, **facts: Any) -> Any:
        return resolve("127.0.0.1" if name == "inside" else name, *args, **facts)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    answer = public.post(f"https://{host}:{receiver.address[1]}/", b"{}", {}).result(SECONDS)
    assert answer == (UNREADABLE if host in NOT_URLS else PRIVATE)
    assert receiver.forged == 0


def test_without_https_nothing_is_sent(public: Sender) -> None:
    """Where the address may be anybody's."""
    assert public.post("http://example.org/", b"{}", {}).result(SECONDS) == NO_HTTPS


def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    """It could lead into the network, and a POST would become a GET."""
    sender = Sender(allows_private=True)
    receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
    try:
        headers = {"webhook-id": "a", "webhook-timestamp": "0", "webhook-signature": "v1,"}
        assert sender.post(receiver.url, b"{}", headers).result(SECONDS) == 401
        receiver.receive = lambda *_: 307  # type: ignore[method-assign]
        assert sender.post(receiver.url, b"{}", headers).result(SECONDS) == 307
    finally:
        sender.close()
    assert receiver.forged == 1


def test_an_answer_of_any_length_ends(receiver: Receiver) -> None:
    """Its first bytes are read, and no more."""
    sender = Sender(allows_private=True)
    receiver.body = b"x" * 50_000_000
    try:
        headers = {"webhook-id": "a", "webhook-timestamp": "0", "webhook-signature": "v1,"}
        assert sender.post(receiver.url, b"{}", headers).result(SECONDS) == 401
    finally:
        sender.close()


def test_what_does_not_answer_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class of the error alone."""
    sender = Sender(allows_private=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        assert sender.post(f"http://127.0.0.1:{port}/", b"{}", {}).result(SECONDS) == "ClientConnectorError"
    finally:
        sender.close()
