"""Blocks by HTTP: at once, and told to the asker's own connections."""

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from roomlog.blocking import block_changed
from roomlog.models import Block, Person
from tests.harness.people import People


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_block_is_set_and_ended_at_once(
    people: People, method: str, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """The answer says who it is; after the commit the asker's sockets hear of it."""
    heard: list[tuple[int, int, bool]] = []

    def hear(blocker: int, is_blocked: bool, **facts: object) -> None:
        heard.append((blocker, people.bob, is_blocked))

    client = APIClient()
    client.force_authenticate(Person.objects.get(pk=people.alice).user)
    Block.objects.create(blocker_id=people.alice, blocked_id=people.carol)
    block_changed.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            answer = getattr(client, method)(f"/api/v1/blocks/{people.bob}/", {}, format="json")
    finally:
        block_changed.disconnect(hear)
    assert (answer.status_code, answer.json()) == (200, {"id": people.bob, "username": "bob"})
    assert heard == [(people.alice, people.bob, method == "put")]
    listed = client.get("/api/v1/blocks/").json()
    expected = [people.carol, people.bob] if method == "put" else [people.carol]
    assert [user["id"] for user in listed] == sorted(expected)
    after = client.get("/api/v1/blocks/", {"after": max(people.bob, people.carol)})
    assert after.json() == []


def test_what_can_not_be_blocked_is_a_problem(people: People) -> None:
    """By the wire's own codes."""
    client = APIClient()
    client.force_authenticate(Person.objects.get(pk=people.alice).user)
    codes = [
        client.put(f"/api/v1/blocks/{user}/", {}, format="json").json()["error_code"]
        for user in (people.alice, 999_999)
    ]
    assert codes == ["bad_value", "not_found"]
