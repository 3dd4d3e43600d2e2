"""A session guards its own state: the other modules ask it by its methods."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import roomlog_gateway
from roomlog_gateway.sockets.session import Session, SessionState
from roomlog_gateway.sockets.token_bucket import TokenBucket
from tests.gateway.insides import NO_SERVICES, ROOM, NoConnection

PACKAGE = Path(roomlog_gateway.__file__).parent


def set_from_outside(code: str) -> Iterator[str]:
    """Yield each attribute of something called `session` that this code assigns or deletes."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if name == "session":
                yield node.attr


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_nobody_else_sets_the_state_of_a_session(path: Path) -> None:
    """What others may change, a method says."""
    assert list(set_from_outside(path.read_text())) == []


@pytest.mark.parametrize(
    "code",
    [
        "session.user = 1",
        "request.session.unanswered -= 1",
        "session.user, session.bucket = 0, None",
        "del session.rooms",
    ],
)
def test_what_is_set_from_outside_is_found(code: str) -> None:
    """Alone, in a tuple, in place, by another name in front."""
    assert set(set_from_outside(code))


def test_a_session_knows_its_user_its_outages_and_what_was_announced() -> None:
    """Its own bucket counts when the user has left; outages and announced rooms are told once."""
    session = Session(NoConnection(), NO_SERVICES, lambda: 0.0)
    session.attach(7, TokenBucket(1.0, 0.0, 0.0))
    assert not session.receive_ping()
    session.detach()
    assert session.user == 0
    assert session.receive_ping()
    session = Session(NoConnection(), NO_SERVICES, lambda: 0.0)
    assert not session.hear_of(1)
    session.activate()
    assert session.state is SessionState.ACTIVE
    assert [session.hear_of(1), session.hear_of(1), session.hear_of(2)] == [True, False, True]
    session = Session(NoConnection(), NO_SERVICES, lambda: 0.0)
    session.announce(ROOM)
    assert session.take_announced() == {ROOM}
    assert session.take_announced() == set()
