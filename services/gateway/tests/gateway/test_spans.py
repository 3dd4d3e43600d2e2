"""What a gateway's spans tell: each write until its answer, what it refuses, and where an event went."""

from dataclasses import replace

import msgspec
import pytest

from roomlog_contract import limits
from roomlog_contract.commands import ListRooms, NewMessage
from roomlog_contract.envelope import Answered, encode
from roomlog_contract.errors import ErrorCode
from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.rooms.pending_requests import PendingRequests
from roomlog_gateway.rooms.router import Router
from roomlog_gateway.rooms.spans import Spans
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import GATEWAY, NO_SERVICES, ROOM, NoConnection, Stage, make_router
from tests.harness.spans import KeptSpans, facts_of, names_of, parent_of, trace_of

HI = NewMessage(uuid="u", room=ROOM, text="secret words")
COMMAND = {"uuid": "u", "action": "new_message", "shard": Keyspace().shard_of_room(ROOM), "room": str(ROOM)}


@pytest.fixture
def kept(stage: Stage) -> KeptSpans:
    """The spans of the gateway's parts."""
    return KeptSpans()


@pytest.fixture
def spans(kept: KeptSpans) -> Spans:
    return Spans(kept.tracer)


@pytest.fixture
def requests(stage: Stage, spans: Spans) -> PendingRequests:
    return PendingRequests(GATEWAY, lambda: stage.now, spans.note)


@pytest.fixture
def router(stage: Stage, requests: PendingRequests, spans: Spans) -> Router:
    return make_router(stage, requests, spans.note, spans.begin)


def test_a_write_s_span_ends_with_its_answer(
    router: Router, requests: PendingRequests, session: Session, kept: KeptSpans
) -> None:
    """Reads have none, and none holds a word of the message."""
    router.forward(session, HI)
    router.forward(session, ListRooms(uuid="r"))
    assert [request.span is None for request in requests._clients.values()] == [False, True]
    assert kept.ended() == ()
    router.on_replies(encode([Answered(2, b"{}"), Answered(1, b"{}")]))
    (span,) = kept.ended()
    assert (span.name, span.parent) == ("roomlog.command", None)
    assert facts_of(span) == {**COMMAND, "outcome": "reply"}


def test_a_write_that_nobody_answers_is_an_error(
    stage: Stage, router: Router, requests: PendingRequests, session: Session, kept: KeptSpans
) -> None:
    """Its outcome is unknown, and somebody should look."""
    router.forward(session, HI)
    requests.expire(stage.now + limits.UNANSWERED_SECONDS)
    (span,) = kept.ended()
    assert (facts_of(span)["outcome"], span.status.is_ok) == ("expired", False)


def test_a_refusal_is_a_span_of_its_own(stage: Stage, spans: Spans, kept: KeptSpans) -> None:
    """Without words of the client's."""
    session = Session(NoConnection(), replace(NO_SERVICES, note=spans.note), lambda: stage.now)
    session.refuse(ErrorCode.NOT_AUTHENTICATED, "u", "new_message")
    session.receive('{"uuid": "v", "action": "nonsense"}')
    assert names_of(kept.ended()) == ["refuse", "refuse"]
    assert [facts_of(span) for span in kept.ended()] == [
        {"uuid": "u", "action": "new_message", "outcome": "not_authenticated"},
        {"uuid": "v", "action": "?", "outcome": "invalid_action"},
    ]


def test_an_event_s_way_out_is_of_its_notice_s_trace(stage: Stage, spans: Spans, kept: KeptSpans) -> None:
    """An event that came without a context, or with a malformed one, has no span; all are delivered."""
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    stage.fanout._note = spans.note
    stage.session()
    for traceparent in ("", "nonsense", f"00-{trace}-{parent}-01"):
        notice = stage.append()
        stage.incoming.take_event(stage.room, msgspec.structs.replace(notice, traceparent=traceparent))
    assert stage.room.seq == 3
    (span,) = kept.ended()
    assert (span.name, trace_of(span), parent_of(span)) == ("roomlog.deliver", trace, parent)
    assert facts_of(span) == {"room": str(ROOM), "seq": 3, "connections": 1}
