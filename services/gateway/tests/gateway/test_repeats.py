"""A write that is sent again while its first sending is under way: the last one's answer counts."""

from uuid import UUID

import pytest

from roomlog_contract.commands import NewMessage, SelectRoom
from roomlog_contract.envelope import Answered, encode
from roomlog_gateway.rooms.pending_requests import PendingRequests
from roomlog_gateway.rooms.router import Router
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import GATEWAY, ROOM, Stage, make_router, read


@pytest.fixture
def router(stage: Stage) -> Router:
    """A router whose commands wait for a Redis that never comes."""
    return make_router(stage, PendingRequests(GATEWAY, lambda: stage.now))


def say(router: Router, session: Session, uuid: str) -> None:
    """Forward a message."""
    router.forward(session, NewMessage(uuid=uuid, room=ROOM, text="hi"))


def reply(router: Router, request: int) -> None:
    """Let a worker answer."""
    router.on_replies(encode([Answered(request, b'{"action": "%d"}' % request)]))


def answers(session: Session) -> list[str]:
    """Return which requests were answered."""
    return [frame["action"] for frame in read(session)]


def test_a_refused_first_sending_says_nothing_of_the_second(router: Router, session: Session) -> None:
    """Between the two the sender may have become a member: the second is stored, and no error is true."""
    say(router, session, "u")
    say(router, session, "u")
    reply(router, 1)
    assert answers(session) == []
    reply(router, 2)
    assert answers(session) == ["2"]
    assert session.unanswered == 0


def test_other_commands_are_answered_each(stage: Stage, router: Router, session: Session) -> None:
    """Another uuid, another connection, or a repeat after the answer."""
    other = stage.session()
    say(router, session, "u")
    say(router, session, "v")
    say(router, other, "u")
    for request in (1, 2, 3):
        reply(router, request)
    say(router, session, "u")
    reply(router, 4)
    assert answers(session) == ["1", "2", "4"]
    assert answers(other) == ["3"]


def test_a_sending_that_expired_is_forgotten(router: Router, session: Session) -> None:
    """Its repeat is one command in flight like any other."""
    say(router, session, "u")
    router._requests.expire(100.0)
    say(router, session, "u")
    assert session.unanswered == 1
    reply(router, 2)
    assert answers(session) == ["2"]


def test_a_repeated_reading_keeps_its_hold(router: Router, session: Session) -> None:
    """Each select_room holds the room's events until its own answer: only writes can be stored twice."""
    for _ in range(2):
        router.forward(session, SelectRoom(uuid="s", room=ROOM))
    assert session.unanswered == 2


def test_a_uuid_names_a_command_of_its_room(router: Router, session: Session) -> None:
    """The same uuid in two rooms is two commands: neither overtakes the other, and each is answered."""
    for room in (ROOM, UUID(int=8)):
        router.forward(session, NewMessage(uuid="u", room=room, text="hi"))
    reply(router, 1)
    reply(router, 2)
    assert answers(session) == ["1", "2"]
