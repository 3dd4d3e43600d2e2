"""What has changed of all this: each change of a login or a head is seen, and nothing else is told."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User as DjangoUser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token

from roomlog.ban import FOREVER
from roomlog.epochs import new_epoch
from roomlog.models import ChatRoom, Membership, Person
from roomlog.tickets import make_ticket
from roomlog_contract.envelope import (
    Envelope,
    HeadsRead,
    Identified,
    Identify,
    KnownLogin,
    LoginsCompared,
    ReadHeads,
)
from roomlog_contract.fingerprint import ARCHIVED, MUTED, READER, fingerprint, membership_with_head
from roomlog_worker.entries import Entry
from roomlog_worker.reader import read
from tests.harness.databases import EPOCH
from tests.harness.people import People, make_room, make_token, message, write
from tests.worker.bench import GATEWAY, Bench
from tests.worker.test_reader import room

__all__ = ["room"]


def known(
    bench: Bench, token: str | None = None, ticket: str | None = None, *, has_heads: bool = False
) -> KnownLogin:
    """Return what a gateway knows that has asked for a login alone."""
    request = bench.ask(Identify(uuid="i", token=token, ticket=ticket))
    found = bench.turn().reply(request, Identified)
    assert found.user is not None
    letters = {
        one: (READER if one.id in found.readers else "")
        + (MUTED if one.id in found.muted else "")
        + (ARCHIVED if one.archived else "")
        for one in found.rooms
    }
    memberships = [
        membership_with_head(one, said) if has_heads else one.id.hex + said for one, said in letters.items()
    ]
    return KnownLogin(fingerprint(found.user, memberships), token, ticket)


def compare(bench: Bench, *logins: KnownLogin, has_heads: bool = False) -> dict[int, int | None]:
    """Return what a worker says of these."""
    request = bench.ask(Identify(uuid="i", logins=list(logins), has_heads=has_heads))
    return bench.turn().reply(request, LoginsCompared).unchanged


def revoke() -> None:
    """End all tokens."""
    Token.objects.all().delete()


def set_bob(**fields: object) -> Callable[[], int]:
    """Return what changes Bob's membership."""
    return lambda: Membership.objects.filter(user__name="bob").update(**fields)


CHANGES: dict[str, Callable[[], object]] = {
    "the token ends": revoke,
    "the account": lambda: DjangoUser.objects.update(is_active=False),
    "the name": lambda: Person.objects.filter(name="bob").update(name="robert"),
    "another room": lambda: make_room(
        Person.objects.get(name="alice").pk, [Person.objects.get(name="bob").pk]
    ),
    "no room": lambda: Membership.objects.filter(user__name="bob").delete(),
    "the role": set_bob(role="reader"),
    "a mute": set_bob(muted_until=FOREVER),
    "the archive": lambda: ChatRoom.objects.update(archived_at=timezone.now()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_of_a_login_is_seen(bench: Bench, people: People, room: UUID, change: str) -> None:
    """Of the token and of the ticket that came from it; before it nothing had changed."""
    token = make_token(people.bob)
    ticket = make_ticket(token.user, token=token.key)
    logins = known(bench, token.key), known(bench, ticket=ticket)
    assert compare(bench, *logins) == {0: None, 1: None}
    CHANGES[change]()
    assert compare(bench, *logins) == {}


UNTOLD: dict[str, Callable[[UUID, People], object]] = {
    "a message": lambda room, people: write((message(room), people.alice)),
    "the read mark": lambda room, people: set_bob(read_seq=1)(),
    "the level": lambda room, people: set_bob(notify="mentions")(),
    "the epoch": lambda room, people: new_epoch("another"),
}


@pytest.mark.parametrize("change", [*CHANGES, *UNTOLD])
def test_with_heads_each_change_of_what_was_read_is_seen(
    bench: Bench, people: People, room: UUID, change: str
) -> None:
    """A gateway that looks after its subscriptions has heard of nothing; no room is something too."""
    make_room(people.alice, [people.bob])
    bob, carol = (known(bench, make_token(one).key, has_heads=True) for one in (people.bob, people.carol))
    assert compare(bench, bob, carol, has_heads=True) == {0: None, 1: None}
    assert compare(bench, bob) == {}
    UNTOLD[change](room, people) if change in UNTOLD else CHANGES[change]()
    assert 0 not in compare(bench, bob, carol, has_heads=True)


def test_what_a_gateway_need_not_know_is_no_change(
    bench: Bench, people: People, room: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages, a mute that has ended, another role that may write, the age of the ticket."""
    token = make_token(people.bob)
    login = known(bench, ticket=make_ticket(token.user, token=token.key))
    write((message(room), people.alice))
    set_bob(role="admin", muted_until=timezone.now() - timedelta(seconds=1))()
    monkeypatch.setattr("roomlog.tickets.TICKET_SECONDS", -1)
    assert compare(bench, login) == {0: None}


def test_nothing_is_said_of_strangers_and_others(bench: Bench, people: People, room: UUID) -> None:
    """One that differs spoils no other; who is in no room has a fingerprint too."""
    bob, carol = known(bench, make_token(people.bob).key), known(bench, make_token(people.carol).key)
    stranger = KnownLogin(bob.fingerprint, "unknown")
    mixed_up = KnownLogin(bob.fingerprint, carol.token)
    assert compare(bench, stranger, bob, mixed_up, carol, KnownLogin(b"")) == {1: None, 3: None}


def test_many_logins_cost_as_many_queries_as_one(
    people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Tokens and memberships."""
    logins = [KnownLogin(b"", make_token(user).key) for user in (people.alice, people.bob, people.carol)]
    asked = Envelope(command=Identify(uuid="i", logins=logins), gateway=GATEWAY)
    with django_assert_num_queries(2):
        read([Entry(0, "", "", asked)])


def heads(bench: Bench, rooms: dict[UUID, int], epoch: str = EPOCH) -> HeadsRead:
    """Return what a worker says of these heads."""
    request = bench.ask(ReadHeads(uuid="h", rooms=list(rooms), epoch=epoch, seqs=list(rooms.values())))
    return bench.turn().reply(request, HeadsRead)


def test_only_heads_that_differ_are_told(bench: Bench, people: People, room: UUID) -> None:
    """All of another epoch; of strangers and other fingerprints nothing is said."""
    others = [make_room(people.alice) for _ in range(3)]
    write((message(others[0]), people.alice))
    same = dict.fromkeys([room, *others], 1)
    found = heads(bench, {uuid4(): 1, **same})
    assert (found.epoch, found.heads) == (EPOCH, {others[0]: 2})
    assert heads(bench, {**same, others[0]: 2}).heads == {}
    assert heads(bench, {others[0]: 3, room: -1}).heads == {others[0]: 2, room: 1}
    new_epoch("another")
    found = heads(bench, {room: 1})
    assert (found.epoch, found.heads) == ("another", {room: 1})
