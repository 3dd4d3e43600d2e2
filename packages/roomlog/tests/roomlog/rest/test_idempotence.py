"""Every write by REST takes a uuid: what is sent twice is done once."""

from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from roomlog.models import ChatMessage, RoomEvent
from tests.harness.accounts import Work
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
JSON = "application/json"
WRITES = [
    ("patch", "/", '"name": "hall", '),
    ("post", "/archive/", ""),
    ("put", "/discoverable/", '"discoverable": true, '),
    ("post", "/messages/", '"text": "hi", '),
    ("patch", "/messages/{message}/", '"text": "hi", '),
    ("delete", "/messages/{message}/", ""),
    ("post", "/messages/{message}/reactions/", '"emoji": "👍", '),
    ("put", "/messages/{message}/pin/", ""),
    ("post", "/bans/", '"user": {bob}, '),
    ("patch", "/members/{bob}/", '"role": "reader", '),
    ("delete", "/members/{bob}/", ""),
    ("post", "/members/{bob}/mute/", ""),
]
"""Method, path below the room, and what the body says beside its uuid."""


@pytest.mark.parametrize(("method", "path", "said"), WRITES)
def test_a_write_that_is_sent_again_is_done_once(
    as_alice: Client, lobby: UUID, bob: User, work: Work, method: str, path: str, said: str
) -> None:
    """Before its worker has seen it and after; each answer repeats the uuid."""
    message = ChatMessage.objects.filter(room=lobby).order_by("pk")[0].pk
    where = f"/api/v1/rooms/{lobby.hex}" + path.format(message=message, bob=id_of(bob))
    body = "{" + said.replace("{bob}", str(id_of(bob))) + '"uuid": "once"}'
    for _ in range(2):
        for _ in range(2):
            answer = as_alice.generic(method.upper(), where, body, content_type=JSON)
            assert (answer.status_code, answer.json()) == (202, {"uuid": "once", "room": lobby.hex})
        assert work() == []
    assert RoomEvent.objects.filter(uuid="once").count() == 1
