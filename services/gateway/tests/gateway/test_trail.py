"""What a gateway notes of commands: who sent which, how the wait for it ended, and who got its event."""

from dataclasses import replace

import pytest

from roomlog_contract import limits
from roomlog_contract.commands import ListRooms, NewMessage
from roomlog_contract.envelope import Answered, encode
from roomlog_contract.errors import ErrorCode
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.trail import Ended, Note, Queued, Refused, Step, Written
from roomlog_gateway.rooms.pending_requests import PendingRequests
from roomlog_gateway.rooms.router import Router
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import GATEWAY, NO_SERVICES, ROOM, NoConnection, Stage, make_router

HI = NewMessage(uuid="u", room=ROOM, text="secret words")
QUEUED = Queued("u", "new_message", 0, 0, Keyspace().shard_of_room(ROOM))


def into(noted: list[Step]) -> Note:
    """Return what keeps each step in a list."""

    def note(step: Step, trace: object = None, /) -> None:
        noted.append(step)

    return note


@pytest.fixture
def noted(stage: Stage) -> list[Step]:
    """Return what the parts of the gateway note."""
    return []


@pytest.fixture
def requests(stage: Stage, noted: list[Step]) -> PendingRequests:
    return PendingRequests(GATEWAY, lambda: stage.now, into(noted))


@pytest.fixture
def router(stage: Stage, requests: PendingRequests, noted: list[Step]) -> Router:
    return make_router(stage, requests, into(noted))


def test_a_write_is_noted_until_its_reply(router: Router, session: Session, noted: list[Step]) -> None:
    """Reads are not: nobody looks for them."""
    router.forward(session, HI)
    router.forward(session, ListRooms(uuid="r"))
    router.on_replies(encode([Answered(1, b"{}"), Answered(2, b"{}")]))
    assert noted == [QUEUED, Ended("u", 0, "reply")]


def test_a_write_whose_event_comes(
    stage: Stage, router: Router, requests: PendingRequests, session: Session, noted: list[Step]
) -> None:
    """The event is its answer."""
    router.forward(session, HI)
    requests.take_answered(stage.append(request=1))
    assert noted == [QUEUED, Ended("u", 0, "event")]


def test_a_write_that_nobody_answers(
    stage: Stage, router: Router, requests: PendingRequests, session: Session, noted: list[Step]
) -> None:
    """It expires, and the trail says so."""
    router.forward(session, HI)
    requests.expire(stage.now + limits.UNANSWERED_SECONDS)
    assert noted == [QUEUED, Ended("u", 0, "expired")]


def test_each_error_answer_is_noted(stage: Stage, noted: list[Step]) -> None:
    """Of the gateway's own, without words of the client's; one without a uuid can't be looked for."""
    session = Session(NoConnection(), replace(NO_SERVICES, note=into(noted)), lambda: stage.now)
    session.refuse(ErrorCode.NOT_AUTHENTICATED, "u", "new_message")
    session.receive('{"uuid": "v", "action": "nonsense"}')
    session.refuse(ErrorCode.RATE_LIMITED, None, None)
    assert noted == [
        Refused("u", "new_message", 0, 0, "not_authenticated"),
        Refused("v", "?", 0, 0, "invalid_action"),
    ]


def test_an_event_s_readers_are_counted(stage: Stage, noted: list[Step]) -> None:
    """Once for each event that is passed on: those who are in the room at that moment."""
    stage.fanout._note = into(noted)
    for _ in range(2):
        stage.session()
    stage.commit()
    stage.publish(1)
    assert noted == [Written(ROOM, 1, 2)]
