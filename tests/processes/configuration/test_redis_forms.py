"""Every form of ROOMLOG_REDIS_URL against a real server, by what each service connects with."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from redis.exceptions import ConnectionError as RedisGone

from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.redis.link import RedisLink, pack
from roomlog_runtime.redis_address import client
from roomlog_runtime.redis_url import check_tls_files, parse_redis_url
from roomlog_worker.bus import Bus
from tests.harness.sentinels import RedisGroup
from tests.processes.configuration.servers import PASSWORD, USER, has_ipv6, server, tls_server

KEYSPACE = Keyspace()
LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
SECONDS = {"socket_timeout": 5.0, "socket_connect_timeout": 5.0, "protocol": 2}
FORMS = {
    "user and password": "redis://{login}@127.0.0.1:{plain}/0",
    "a name and a database": "redis://{login}@localhost:{plain}/7",
    "IPv6": "redis://{login}@[::1]:{plain}/1",
    "a socket file": "unix://{login}@{folder}/s?db=2",
    "TLS": "rediss://{login}@127.0.0.1:{tls}/0?ssl_ca_certs={folder}/ca.crt",
    "TLS by name": "rediss://{login}@localhost:{tls}/3?ssl_ca_certs={folder}/ca.crt",
    "TLS with a client's certificate": (
        "rediss://{login}@127.0.0.1:{tls}/0?ssl_ca_certs={folder}/ca.crt"
        "&ssl_certfile={folder}/client.crt&ssl_keyfile={folder}/client.key"
    ),
    "TLS that trusts anybody": "rediss://{login}@127.0.0.1:{tls}/0?ssl_cert_reqs=none",
    "TLS without the name": "rediss://{login}@[::1]:{tls}/0?ssl_ca_certs={folder}/ca.crt&ssl_check_hostname=false",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the forms are filled with, of a server that runs meanwhile."""
    binary = tls_server()
    folder = tmp_path_factory.mktemp("redis")
    with server(folder, binary) as ports:
        yield {**ports, "folder": folder, "login": LOGIN}


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_carries_commands_of_every_service(places: dict[str, Any], form: str) -> None:
    """The gateway's link, the worker's bus and the api's client all speak by it."""
    if "[::1]" in FORMS[form] and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    url = FORMS[form].format_map(places)
    address = parse_redis_url(url)
    check_tls_files(address)
    await speaks_everywhere(url, address.server["db"])


async def test_sentinels_carry_commands_of_every_service(redis_group: RedisGroup) -> None:
    """The same by three Sentinels."""
    await speaks_everywhere(redis_group.url(4), 4)


@pytest.mark.parametrize(
    "url",
    ["rediss://{login}@127.0.0.1:{tls}/0", "rediss://{login}@[::1]:{tls}/0?ssl_ca_certs={folder}/ca.crt"],
)
def test_an_unknown_authority_or_name_is_no_server(places: dict[str, Any], url: str) -> None:
    """TLS proves both unless the URL says otherwise."""
    with (
        client(url.format_map(places), **SECONDS) as redis,
        pytest.raises(RedisGone, match="certificate"),
    ):
        redis.ping()


async def speaks_everywhere(url: str, database: int) -> None:
    """Write by the api's client, read by the worker's bus, ask by the gateway's link."""
    with client(url, **SECONDS) as redis:
        assert redis.client_info()["db"] == database
        redis.delete(KEYSPACE.in_stream(7))
        redis.xadd(KEYSPACE.in_stream(7), {b"e": b"x"})
        entries = await asyncio.to_thread(Bus(url, KEYSPACE).read, {7})
        assert [value for _, _, value in entries] == [b"x"]
    speaker = Asking()
    link = RedisLink(url, speaker, asyncio.get_running_loop().time)
    speaker.link = link
    running = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(10):
            assert await speaker.answer == 1
    finally:
        link.cut()
        async with asyncio.timeout(10):
            await speaker.down.wait()  # the socket is closed by then, and not some time after the test
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Asking:
    """Asks for a stream's length as soon as there is a link."""

    name = "test"

    def __init__(self) -> None:
        self.link: RedisLink | None = None
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.down = asyncio.Event()

    def link_up(self) -> None:
        assert self.link is not None
        self.link.write(pack("XLEN", KEYSPACE.in_stream(7)))

    def link_reply(self, reply: Any) -> None:
        if not self.answer.done():
            self.answer.set_result(reply)

    def link_silent(self) -> None: ...

    def link_writable(self) -> None: ...

    def link_down(self) -> None:
        self.down.set()
