"""Search by HTTP: what the selector finds, as messages and pages."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from roomlog.models import Membership
from roomlog.rest.search import MessageSearchThrottle
from roomlog.search.index import index
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db


def ask(client: Client, query: str) -> Any:
    """Return the answer's body."""
    return client.get(f"/api/v1/search/?{query}").json()


def test_messages_are_found_page_by_page(as_alice: Client, alice: User, lobby: UUID) -> None:
    """Who is no member finds nothing."""
    index([lobby])
    first = ask(as_alice, f"room={lobby.hex}&author={id_of(alice)}&after=1&before=253402214400&limit=1")
    (found,) = first["messages"]
    assert (found["text"], found["room"], found["user"]["username"]) == ("anybody here?", lobby.hex, "alice")
    second = ask(as_alice, f"limit=1&cursor={first['next']}")
    assert [one["text"] for one in second["messages"]] == ["hello"]
    assert second["next"] is None
    assert ask(as_alice, "text=HELLO")["messages"] == second["messages"]
    index([lobby])
    Membership.objects.filter(user=id_of(alice)).delete()
    nothing: Any = {"messages": [], "next": None}
    assert ask(as_alice, "text=hello") == ask(as_alice, f"room={lobby.hex}") == nothing
    assert ask(as_alice, f"room={UUID(int=7).hex}") == nothing
    assert Client().get("/api/v1/search/?text=hello").status_code == 401


@pytest.mark.parametrize(
    "query", ["room=x", "author=0", "after=-1", "before=x", "cursor=-1", "limit=0", "limit=101", "text=%00"]
)
def test_a_wrong_value_is_named(as_alice: Client, query: str) -> None:
    """By its field."""
    answer = as_alice.get(f"/api/v1/search/?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [query.split("=", maxsplit=1)[0]])


def test_searches_are_paced(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apart from what else a person may ask."""
    assert MessageSearchThrottle.rate == "60/min"
    monkeypatch.setattr(MessageSearchThrottle, "rate", "1/min")
    assert [as_alice.get("/api/v1/search/").status_code for _ in range(2)] == [200, 429]
    assert as_alice.get("/api/v1/rooms/").status_code == 200
