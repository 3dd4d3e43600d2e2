"""Tokens of SimpleJWT, of knox and of a project's own function, on real sockets: renewed, ended, revoked."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
import pytest

from roomlog_client import Event, Observer, RoomlogClient
from roomlog_local.ports import LOOPBACK
from roomlog_local.valkey import valkey
from tests.harness.stack import User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire
from tests.host.project import Project
from tests.host.test_new_project import Ports, commands, running

SECRET: Final = "k" * 50
NOTICE_SECONDS: Final = 5.0
"""G10 says one second; the rest is a busy machine's, and far below the minute of a recheck by itself."""
LIFE_SECONDS: Final = 4.0
SETTINGS: Final = (
    f'SECRET_KEY = "{SECRET}"',
    'INSTALLED_APPS += ["knox"]',
    'SIMPLE_JWT = {"CHECK_REVOKE_TOKEN": True, "REVOKE_TOKEN_CLAIM": "password"}',
)
OWN: Final = """
from django.contrib.auth import get_user_model

def by_token(token):
    kind, _, rest = token.partition(":")
    name, _, end = rest.partition(":")
    user = get_user_model().objects.filter(username=name).first() if kind == "own" else None
    return user and (user, float(end))
"""
PREPARE: Final = """
import json
from django.contrib.auth import get_user_model
from knox.models import AuthToken
from rest_framework_simplejwt.utils import get_md5_hash_password
from roomlog.people import person_of
from roomlog.rooms import ensure_room
users = [get_user_model().objects.create_user(name, password="correct horse") for name in ("alice", "bob")]
ensure_room("orders", "orders", users)
print(json.dumps([
    {"pk": str(user.pk), "id": person_of(user).pk, "name": user.username,
     "knox": AuthToken.objects.create(user)[1], "password": get_md5_hash_password(user.password)}
    for user in users
]))
"""
OF_KNOX: Final = "from knox.models import AuthToken\n"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A user of the project's, and what signs them in."""

    pk: str
    id: int
    name: str
    knox: str
    password: str
    """What SimpleJWT puts into a token, so that it ends with the password."""

    def jwt(self, seconds: float) -> str:
        """Return an access token of this life, as SimpleJWT makes them."""
        now = time.time()
        claims = {
            **{"token_type": "access", "jti": f"{now}", "user_id": self.pk, "password": self.password},
            **{"iat": now, "exp": now + seconds},
        }
        return jwt.encode(claims, SECRET, "HS256")

    def own(self, seconds: float) -> str:
        """Return a token of the project's function."""
        return f"own:{self.name}:{time.time() + seconds}"


@dataclass(frozen=True, slots=True)
class Shop:
    """A running project."""

    project: Project
    url: str
    alice: Somebody
    bob: Somebody


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A project with its worker and gateway, two users and their room."""
    folder, ports = tmp_path_factory.mktemp("shop"), Ports()
    project = Project(folder / "project")
    project.set(*SETTINGS)
    project.add_roomlog()
    project.write("shop/tokens.py", OWN)
    names = ["knox", "simplejwt", "shop.tokens.by_token"]
    project.set(f"ROOMLOG = {{'REDIS_URL': '{ports.redis_url}', 'AUTHENTICATORS': {names}}}")
    project.manage("migrate")
    assert "no issues" in project.manage("check")
    with running([valkey(ports.redis, folder), *commands(project, ports)[:2]], folder):
        alice, bob = (Somebody(**one) for one in json.loads(project.shell(PREPARE).splitlines()[-1]))
        yield Shop(project, f"ws://{LOOPBACK}:{ports.gateway}/ws", alice, bob)
        _assert_silent(folder)


def _assert_silent(folder: Path) -> None:
    """No traceback, and no token, in what the processes printed."""
    for path in folder.glob("*.log"):
        text = path.read_text(errors="replace")
        assert "Traceback" not in text, text[-3000:]
        assert "own:" not in text
        assert "eyJ" not in text


@asynccontextmanager
async def opened(shop: Shop, token: str) -> AsyncIterator[Wire]:
    """Give a socket that has authenticated."""
    async with Wire(shop.url, User(0, "", token)) as wire:
        await wire.authenticate()
        yield wire


def told(wire: Wire) -> list[dict[str, Any]]:
    """Return what a socket was told of its end."""
    return [frame for frame in wire.frames if frame["action"] == "expiring"]


async def knox_token(shop: Shop, seconds: int) -> str:
    """Make a token of knox for Alice with this life."""
    make = "from django.contrib.auth import get_user_model\nfrom datetime import timedelta\n"
    make += "user = get_user_model().objects.get(username='alice')\n"
    make += f"print(AuthToken.objects.create(user, expiry=timedelta(seconds={seconds}))[1])"
    return (await asyncio.to_thread(shop.project.shell, OF_KNOX + make)).split()[-1]


async def closed(wire: Wire, seconds: float) -> int | None:
    """Wait for the end of a socket and return its code."""
    await eventually(lambda: wire.close_code is not None, seconds, "the socket is closed")
    return wire.close_code


class Cuts(Observer):
    """Counts connections that were lost."""

    def __init__(self) -> None:
        self.number = 0

    def disconnected(self, connection: int, close_code: int | None) -> None:
        """Count."""
        self.number += 1


async def test_a_client_outlives_its_tokens_on_one_socket(shop: Shop) -> None:
    """Tokens of seconds, renewed again and again: each message comes once, and no connection is lost."""
    asked: list[float] = []
    cuts = Cuts()

    async def token() -> str:
        asked.append(time.monotonic())
        return shop.alice.jwt(LIFE_SECONDS)

    async with (
        RoomlogClient(shop.url, token, observer=cuts) as reader,
        RoomlogClient(shop.url, shop.bob.knox) as sender,
    ):
        await asyncio.gather(reader.ready(), sender.ready())
        (room,) = (room.id for room in sender.rooms())
        seqs: list[int] = []

        async def read() -> None:
            async for item in reader.events():
                if isinstance(item, Event):
                    seqs.append(item.seq)

        reading = asyncio.create_task(read())
        first = last = (await sender.send(room, "first")).seq
        while len(asked) < 4:
            assert time.monotonic() - asked[0] < SECONDS + 4 * LIFE_SECONDS
            last = (await sender.send(room, "and on")).seq
        await eventually(lambda: bool(seqs) and seqs[-1] == last, SECONDS, "all has come")
        reading.cancel()
    assert seqs == list(range(first, last + 1))
    assert cuts.number == 1, "its own goodbye"


@pytest.mark.parametrize("kind", ["jwt", "own"])
async def test_whoever_does_not_renew_is_closed_at_the_end(shop: Shop, kind: str) -> None:
    """Told once, closed with the code after which clients come back, and the token is nobody's afterwards."""
    token: str = getattr(shop.alice, kind)(LIFE_SECONDS)
    async with opened(shop, token) as wire:
        assert await closed(wire, LIFE_SECONDS + NOTICE_SECONDS) == 4402
        (notice,) = told(wire)
        assert 0 < notice["expires_in_ms"] <= LIFE_SECONDS * 1000 / 2
    async with Wire(shop.url, User(0, "", token)) as wire:
        assert (await wire.ask("authenticate", token=token))["error_code"] == "invalid_token"


async def test_one_kind_of_token_renews_another(shop: Shop) -> None:
    """If it is the same person's; another's is refused, and the connection goes on with its own."""
    async with opened(shop, shop.alice.own(LIFE_SECONDS)) as wire:
        assert (await wire.ask("authenticate", token=shop.bob.knox))["error_code"] == "forbidden"
        await eventually(lambda: bool(told(wire)), LIFE_SECONDS + NOTICE_SECONDS, "it is told of its end")
        answer = await wire.ask("authenticate", token=shop.alice.jwt(3_600))
        assert (answer["user"]["id"], answer["rooms"]) == (shop.alice.id, [])
        await asyncio.sleep(LIFE_SECONDS)
        assert (await wire.ask("ping"))["status"] == "success"


async def test_a_deleted_knox_token_takes_its_sockets_along(shop: Shop) -> None:
    """Within a second, by logout or any other code of the project's; the owner's other tokens stay."""
    key = await knox_token(shop, 3_600)
    async with opened(shop, key) as wire, opened(shop, shop.alice.knox) as other:
        delete = f"AuthToken.objects.filter(token_key={key[:15]!r}).delete()"
        await asyncio.to_thread(shop.project.shell, OF_KNOX + delete)
        assert await closed(wire, NOTICE_SECONDS) == 4403
        assert (await other.ask("ping"))["status"] == "success"


async def test_a_knox_token_is_told_of_its_end(shop: Shop) -> None:
    """Its row says when; a longer one of the same person renews."""
    key = await knox_token(shop, 20)
    async with opened(shop, key) as wire:
        await eventually(lambda: bool(told(wire)), SECONDS, "it is told of its end")
        assert (await wire.ask("authenticate", token=shop.alice.knox))["status"] == "success"
        assert told(wire)[0]["expires_in_ms"] <= 10_000


async def test_a_changed_password_ends_tokens_that_hold_it(shop: Shop) -> None:
    """Within a second, as SimpleJWT's CHECK_REVOKE_TOKEN promises; knox's tokens don't depend on it."""
    change = "from django.contrib.auth import get_user_model\n"
    change += "bob = get_user_model().objects.get(username='bob'); bob.set_password('another'); bob.save()"
    async with opened(shop, shop.bob.jwt(3_600)) as wire, opened(shop, shop.bob.knox) as other:
        await asyncio.to_thread(shop.project.shell, change)
        assert await closed(wire, NOTICE_SECONDS) == 4403
        assert (await other.ask("ping"))["status"] == "success"
