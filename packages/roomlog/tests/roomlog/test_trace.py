"""Where is my message? What the database and the trail say together, in values and in words."""

import json
import time
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from redis import ConnectionError as Away
from redis.exceptions import NoPermissionError

from roomlog import trace as tracing
from roomlog.models import DeadLetter
from roomlog.pending import request_command
from roomlog.trace import Fate, TrailState, trace
from roomlog.trace_text import lines, verdict
from roomlog_contract.commands import NewMessage
from roomlog_contract.trail import Decided, Ended, Queued, Refused, Step, Written, pack
from roomlog_runtime.trail import KEPT_SECONDS, TRAIL_FIELD
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
GATEWAY, WORKER = "gateway 1 on one", "worker 0 on two"
QUEUED = Queued("u", "new_message", 7, 3, 12)
Keep = Callable[..., None]


class FakeRedis:
    """Has a trail and nothing else."""

    def __init__(self) -> None:
        self.entries: list[tuple[bytes, dict[bytes, bytes]]] = []
        self.error: Exception | None = None

    def __enter__(self) -> "FakeRedis":
        return self

    def __exit__(self, *_: object) -> None: ...

    def xrange(self, key: str, min: str, count: int) -> list[Any]:  # noqa: A002 - redis-py's name
        """Return a page, as Redis does."""
        assert key == "roomlog:trail"
        if self.error:
            raise self.error
        after = int(min.lstrip("(").partition("-")[0]) + min.startswith("(")
        return [one for one in self.entries if int(one[0].partition(b"-")[0]) >= after][:count]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRedis:
    """A Redis whose trail is read in small pages."""
    stand_in = FakeRedis()
    monkeypatch.setattr(tracing, "client", lambda *_, **__: stand_in)
    monkeypatch.setattr(tracing, "PAGE_ENTRIES", 2)
    return stand_in


@pytest.fixture
def keep(fake: FakeRedis) -> Keep:
    """Put an entry into the trail; the entries are a millisecond apart."""
    now = time.time()

    def put(source: str, *steps: Step, at: float = now) -> None:
        number = len(fake.entries)
        fake.entries.append((
            f"{int(at * 1000) + number}-0".encode(),
            {TRAIL_FIELD: pack(source, [(at + number / 1000, step) for step in steps])},
        ))  # fmt: skip

    put(GATEWAY)
    return put


def told(uuid: str) -> list[str]:
    """Return the steps in words."""
    return [line.text for line in lines(trace(uuid))]


def test_a_stored_message_s_whole_way(lobby: UUID, keep: Keep) -> None:
    """From its sender's gateway to the connections of all, in the order of the times; nothing of others."""
    decided = Decided("hello-2", 7, 12, "1-0", "event", 1000, True, lobby, 3)
    keep(GATEWAY, Queued("hello-2", "new_message", 7, 3, 12), QUEUED)
    keep(WORKER, decided)
    keep(GATEWAY, Written(lobby, 3, 5), Written(lobby, 2, 5), Written(UUID(int=1), 3, 5))
    keep(GATEWAY, Ended("hello-2", 3, "event"))
    found = trace("hello-2")
    assert (found.fate, found.trail) == (Fate.STORED, TrailState.READ)
    assert verdict(found) == f"Stored in room {lobby.hex} at seq 3."
    assert [type(one.step) for one in found.steps] == [Queued, Decided, Written, Ended]
    assert [line.source for line in lines(found)][-2:] == [GATEWAY, GATEWAY]
    said = told("hello-2")
    for sentence in (
        "Received new_message of person 7 on connection 3; sent to shard 12.",
        "In the stream of shard 12 as 1-0.",
        "Committed at seq 3.",
        "Published.",
        "Handed seq 3 to the connections in the room: 5.",
        "Answered connection 3 with the event.",
        f"Stored in room {lobby.hex} at seq 3.",
    ):
        assert said.count(sentence) == 1


@pytest.mark.parametrize(
    ("steps", "fate", "sentence"),
    [
        ([(GATEWAY, Refused("u", "new_message", 7, 3, "busy"))], Fate.REFUSED, "Refused: busy, by gateway 1"),
        (
            [(GATEWAY, QUEUED), (WORKER, Decided("u", 7, 12, "1-0", "muted", 0))],
            Fate.REFUSED,
            "Refused: muted, by worker 0 on two.",
        ),
        ([(GATEWAY, QUEUED)], Fate.UNDER_WAY, "no worker has decided it"),
        ([(GATEWAY, QUEUED), (GATEWAY, Ended("u", 3, "expired"))], Fate.UNDER_WAY, "run roomlog doctor"),
        (
            [(WORKER, Decided("u", 7, 12, "1-0", "event", 1000, False, UUID(int=1), 4))],
            Fate.GONE,
            "Was a backup restored?",
        ),
        ([(GATEWAY, Queued("v", "new_message", 7, 3, 12))], Fate.UNSEEN, "Never arrived: no gateway has"),
    ],
)
def test_in_no_room(db: None, keep: Keep, steps: list[tuple[str, Step]], fate: Fate, sentence: str) -> None:
    """Who refused it, who has it, or that nobody has seen it."""
    for source, step in steps:
        keep(source, step)
    found = trace("u")
    assert (found.fate, sentence in verdict(found)) == (fate, True), verdict(found)
    assert len(told("u")) >= len(found.steps)


def test_the_rows_without_a_trail(lobby: UUID, alice: User, keep: Keep, db: None, fake: FakeRedis) -> None:
    """What waits or was given up is certain; what can't be read is passed over."""
    request_command(NewMessage(uuid="waits", room=lobby, text="secret words"), id_of(alice))
    DeadLetter.objects.create(shard=1, entry="1-0", uuid="dead", room=lobby, error="OSError", envelope=b"")
    assert verdict(trace("waits")) == f"Waiting for the worker of room {lobby.hex}."
    assert verdict(trace("dead")) == "Given up after five failures (OSError); see the dead letter."
    keep(GATEWAY, QUEUED, at=time.time() - KEPT_SECONDS - 60)
    fake.entries.append((f"{int(time.time() * 1000)}-0".encode(), {TRAIL_FIELD: b"?"}))
    assert trace("u").fate is Fate.UNSEEN


@pytest.mark.parametrize(
    ("error", "state", "sentence"),
    [
        (None, TrailState.EMPTY, "Is ROOMLOG_TRAIL_MIB 0"),
        (NoPermissionError(), TrailState.FORBIDDEN, "Give it +xrange"),
        (Away(), TrailState.UNREACHABLE, "does not answer"),
    ],
)
def test_without_a_trail_nothing_is_guessed(
    db: None, fake: FakeRedis, error: Exception | None, state: TrailState, sentence: str
) -> None:
    """Whether it was refused or never arrived is then unknown."""
    fake.error = error
    found = trace("u")
    assert (found.fate, found.trail, sentence in verdict(found)) == (Fate.UNKNOWN, state, True)


def test_the_command_prints_and_fails_where_no_room_has_it(lobby: UUID, keep: Keep) -> None:
    """A table for people, an object for programs."""
    out = StringIO()
    call_command("roomlog", "trace", "hello-2", stdout=out)
    assert out.getvalue().startswith(f"Stored in room {lobby.hex} at seq 3.\n")
    keep("gateway\x1b[2J", QUEUED)
    for words in ([], ["--json"]):
        out = StringIO()
        with pytest.raises(CommandError, match="No room has it"):
            call_command("roomlog", "trace", "u", *words, stdout=out)
        assert "\x1b" not in out.getvalue()
    body = json.loads(out.getvalue())
    assert (body["fate"], body["trail"], body["places"]) == ("under_way", "read", [])
    assert body["steps"][0] | {"step": "queued", "uuid": "u", "shard": 12} == body["steps"][0]


def test_the_admin_shows_the_way(admin_client: Client, alice: User, lobby: UUID, keep: Keep) -> None:
    """From the search for a uuid to the page of its steps, for those who may see the log."""
    keep(GATEWAY, Refused("<u>", "new_message", 7, 3, "busy"))
    address = "/admin/roomlog/roomevent/trace/"
    assert (
        f"{address}?uuid=hello-2" in admin_client.get("/admin/roomlog/roomevent/?q=hello-2").content.decode()
    )
    page = admin_client.get(address, {"uuid": "<u>"}).content.decode()
    assert "Refused new_message of person 7 on connection 3: busy." in page
    assert "<u>" not in page
    assert "Refused: busy, by gateway 1 on one." in page
    assert admin_client.get(address).status_code == 200
    stranger = Client()
    stranger.force_login(alice)
    assert stranger.get(address).status_code == 302
    alice.is_staff = True
    alice.save()
    assert stranger.get(address).status_code == 403
