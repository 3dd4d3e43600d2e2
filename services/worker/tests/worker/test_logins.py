"""The project's own authenticators: what they know, and a slow or failing one is nobody else's matter."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from roomlog import authenticators
from roomlog_contract.commands import SelectRoom
from roomlog_contract.envelope import Envelope, Identified, Identify, KnownLogin, LoginsCompared
from roomlog_contract.events import User as Who
from roomlog_contract.fingerprint import fingerprint
from roomlog_worker import logins, questions
from roomlog_worker.entries import Entry
from tests.harness.people import People, make_room, make_token, message
from tests.worker.bench import DEADLINE_SECONDS, Bench, Heard, until


class Project:
    """A function of a project's that knows people by `own-<name>`, sleeps when told, or fails its query.

    `brief-<name>` ends a minute and a half later.
    """

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.threads: set[str] = set()
        self.tokens: list[str] = []

    def __call__(self, token: str) -> Any:
        """Return the account of a token."""
        self.threads.add(threading.current_thread().name)
        self.tokens.append(token)
        kind, _, name = token.partition("-")
        if kind == "slow":
            self.woken.wait(DEADLINE_SECONDS)
            return None
        if kind == "broken":
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM no_such_table")
        user = User.objects.filter(username=name).first()
        return (user, time.time() + 90) if kind == "brief" else user


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project that names DRF's tokens and a function."""
    made = Project()
    monkeypatch.setitem(settings.ROOMLOG, "AUTHENTICATORS", ["authtoken", "shop.by_token"])
    monkeypatch.setattr(authenticators, "import_string", lambda path: made)
    yield made
    made.woken.set()


def questions_left(bench: Bench) -> int:
    """Return how many entries wait in the streams of reads."""
    return sum(bench.redis.xlen(key) for key in bench.redis.keys("*:read"))


def test_all_are_known_by_the_first_who_knows_them(bench: Bench, people: People, project: Project) -> None:
    """DRF's tokens, the project's, and strangers; never in the writer's thread."""
    key = make_token(people.bob).key
    asked = [bench.ask(Identify(uuid="i", token=token)) for token in ("own-alice", key, "own-nobody")]
    heard = until(bench.turn, lambda heard: len(heard.replies) == len(asked))
    users = [heard.reply(request, Identified).user for request in asked]
    assert [user and user.id for user in users] == [people.alice, people.bob, None]
    assert all(name.startswith("authenticator") for name in project.threads)


def test_the_end_of_a_token_travels_along(bench: Bench, people: People) -> None:
    """A deactivated account is a stranger."""
    asked = [
        bench.ask(Identify(uuid="i", token=token)) for token in ("brief-alice", make_token(people.bob).key)
    ]
    heard = until(bench.turn, lambda heard: len(heard.replies) == len(asked))
    brief, endless = (heard.reply(request, Identified).expires_in_ms for request in asked)
    assert brief is not None
    assert 60_000 < brief <= 90_000
    assert endless is None
    User.objects.filter(username="alice").update(is_active=False)
    recheck = bench.ask(Identify(uuid="i", token="own-alice", is_recheck=True))
    heard = until(bench.turn, lambda heard: recheck in heard.replies)
    assert heard.reply(recheck, Identified).user is None


def test_many_logins_are_one_question(bench: Bench, people: People, project: Project) -> None:
    """Compared as any; where the project fails for one token, there is no answer."""
    alice = fingerprint(Who(people.alice, "alice"), [])
    logins = [KnownLogin(alice, token) for token in ("own-alice", "own-bob", "brief-alice", "own-nobody")]
    asked = bench.ask(Identify(uuid="i", logins=logins))
    heard = until(bench.turn, lambda heard: asked in heard.replies)
    unchanged = heard.reply(asked, LoginsCompared).unchanged
    assert unchanged.keys() == {0, 2}
    assert unchanged[0] is None
    assert (unchanged[2] or 0) > 60_000
    assert len(project.threads) == 1
    failed = bench.ask(Identify(uuid="i", logins=[*logins, KnownLogin(alice, "broken-alice")]))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while questions_left(bench):
        assert time.monotonic() < deadline
        assert failed not in bench.turn().replies


def test_a_slow_one_and_a_broken_one_harm_nobody_else(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others log in, read and write meanwhile; those two are not called strangers, and leave the stream."""
    room = make_room(people.alice, [people.bob])
    bad = [bench.ask(Identify(uuid="i", token=token)) for token in ("slow-alice", "broken-alice")]
    good = bench.ask(Identify(uuid="i", token="own-bob"))
    read = bench.ask(SelectRoom(uuid="s", room=room), people.bob)
    bench.send(message(room), people.bob)
    heard = until(bench.turn, lambda heard: {good, read} <= heard.replies.keys() and bool(heard.notices))
    user = heard.reply(good, Identified).user
    assert user is not None
    assert user.id == people.bob
    monkeypatch.setattr(questions, "DEADLINE_SECONDS", 0.0)
    late = bench.ask(Identify(uuid="i", token="slow-bob"))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while questions_left(bench):
        assert time.monotonic() < deadline
        heard.replies |= bench.turn().replies
    assert not {*bad, late} & heard.replies.keys()


def test_what_cannot_wait_is_repeated(bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the bound no thread is given and no answer, and the gateway comes back."""
    monkeypatch.setattr(questions, "WAITING", 1)
    slow = bench.ask(Identify(uuid="i", token="slow-alice"))
    over = bench.ask(Identify(uuid="i", token="own-bob"))
    deadline = time.monotonic() + DEADLINE_SECONDS
    heard = Heard()
    while questions_left(bench) > 1:
        assert time.monotonic() < deadline
        heard.replies |= bench.turn().replies
    assert not {slow, over} & heard.replies.keys()


def test_a_token_is_asked_about_once_though_a_read_leaves_it_out(bench: Bench, project: Project) -> None:
    """A read takes the oldest few of each stream: what it lacks comes again."""
    tokens = ["own-1", "own-2"]
    entries = [
        Entry(0, "{s00}:read", f"{token}-0", Envelope(command=Identify(uuid="i", token=token)))
        for token in tokens
    ]
    logins_of_a_lane = logins.Logins([project])
    logins_of_a_lane.sift(entries)
    for some in (entries[:1], entries[1:]):
        logins_of_a_lane.sift(some)
    ready: list[Entry] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(ready) < len(entries):
        assert time.monotonic() < deadline
        logins_of_a_lane.wait()
        ready, _ = logins_of_a_lane.sift(entries)
    logins_of_a_lane.close()
    assert sorted(project.tokens) == tokens
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("authenticator")]
