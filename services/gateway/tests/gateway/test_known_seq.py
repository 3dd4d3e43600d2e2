"""With get_history goes what its asker may know of the room: no replica may answer from before it."""

import pytest

from roomlog_contract.commands import Command, GetHistory, ListPins
from roomlog_contract.envelope import Answered, Envelope, decode_envelope, encode
from roomlog_gateway.redis.command_writer import CommandWriter
from roomlog_gateway.rooms.pending_requests import PendingRequests
from roomlog_gateway.rooms.router import Router
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import GATEWAY, NO_SERVICES, ROOM, NoConnection, Stage, make_router


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Envelope]:
    """The envelopes that went off."""
    envelopes: list[Envelope] = []
    monkeypatch.setattr(
        CommandWriter, "add", lambda self, stream, data, number: envelopes.append(decode_envelope(data))
    )
    return envelopes


@pytest.fixture
def router(stage: Stage) -> Router:
    """A router of the stage's room."""
    return make_router(stage, PendingRequests(GATEWAY, lambda: stage.now))


def known(router: Router, session: Session, sent: list[Envelope], command: Command) -> tuple[str, int]:
    """Return what goes with a command."""
    router.forward(session, command)  # type: ignore[arg-type]
    return sent[-1].known_epoch, sent[-1].known_seq


def history() -> GetHistory:
    """Return a command."""
    return GetHistory(uuid="g", room=ROOM)


def test_all_events_that_were_heard_of_are_known(
    stage: Stage, session: Session, router: Router, sent: list[Envelope]
) -> None:
    """Also one that came before its predecessor; other commands say nothing, for the primary answers them."""
    stage.commit(3)
    assert known(router, session, sent, history()) == (stage.log.epoch, 3)
    stage.append()
    stage.publish(stage.append().seq)
    assert known(router, session, sent, history()) == (stage.log.epoch, 5)
    assert known(router, session, sent, ListPins(uuid="l", room=ROOM)) == ("", 0)


def test_what_an_answer_has_shown_is_known(
    stage: Stage, session: Session, router: Router, sent: list[Envelope]
) -> None:
    """Before the events of it come; they are looked for as any other gap."""
    stage.commit(3)
    known(router, session, sent, history())
    router.on_replies(encode([Answered(1, b"{}", stage.log.epoch, 7)]))
    assert known(router, session, sent, history()) == (stage.log.epoch, 7)
    assert stage.gaps.watched == 1
    router.on_replies(encode([Answered(2, b"{}", stage.log.epoch, 2)]))
    assert known(router, session, sent, history()) == (stage.log.epoch, 7)


def test_of_a_stranger_nothing_is_known(stage: Stage, router: Router, sent: list[Envelope]) -> None:
    """Another gateway may have told the asker anything."""
    stage.commit(3)
    stranger = Session(NoConnection(), NO_SERVICES, lambda: stage.now)
    stranger.activate()
    assert known(router, stranger, sent, history()) == ("", 0)
