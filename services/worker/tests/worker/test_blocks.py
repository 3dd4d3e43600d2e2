"""block_user, unblock_user and list_blocks: beside all logs, told to the blocker's own connections alone."""

from typing import Any

import pytest
from django.db import DatabaseError

from roomlog.models import Block, RoomEvent
from roomlog_contract import limits
from roomlog_contract.commands import BlockUser, ListBlocks, UnblockUser
from roomlog_contract.envelope import Blocked
from roomlog_contract.events import User
from roomlog_worker import blocks
from tests.harness.people import People
from tests.worker.bench import Bench
from tests.worker.test_reader import ask


def test_only_the_blocker_hears_of_a_block(bench: Bench, people: People) -> None:
    """By the answer and on their channel, of a repeat too; the list has it until it ends."""
    before, bob = RoomEvent.objects.count(), {"id": people.bob, "username": "bob"}
    for command, is_blocked in ((BlockUser, True), (BlockUser, True), (UnblockUser, False)):
        request = bench.ask(command(uuid="b", user=people.bob), people.alice)
        heard = bench.turn()
        assert heard.frame(request)["user"] == bob
        assert heard.users == [(people.alice, Blocked(User(people.bob, "bob"), is_blocked))]
        assert heard.seqs() == []
        listed = ask(bench, ListBlocks(uuid="l"), people.alice)
        assert (listed["users"], listed["more"]) == ([bob] if is_blocked else [], False)
    assert RoomEvent.objects.count() == before


def test_what_can_not_be_blocked_is_an_error(bench: Bench, people: People) -> None:
    """With its code and sentence; nothing is told."""
    request = bench.ask(BlockUser(uuid="b", user=people.alice), people.alice)
    heard = bench.turn()
    assert (heard.frame(request)["error_code"], heard.users) == ("bad_value", [])
    assert heard.frame(request)["error_message"] == "Nobody can block themselves."


def test_a_list_has_pages(bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the ids, each from where the last one ended."""
    monkeypatch.setattr(limits, "PAGE_BLOCKS", 1)
    for other in (people.carol, people.bob):
        Block.objects.create(blocker_id=people.alice, blocked_id=other)
    first = ask(bench, ListBlocks(uuid="1"), people.alice)
    assert ([user["id"] for user in first["users"]], first["more"]) == ([people.bob], True)
    second = ask(bench, ListBlocks(uuid="2", after=people.bob), people.alice)
    assert ([user["id"] for user in second["users"]], second["more"]) == ([people.carol], False)


def test_one_that_can_not_be_written_is_given_up(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unanswered, so that its client repeats it; what waits behind it is answered."""

    def refuse(*_: Any) -> User:
        raise DatabaseError("read-only")

    monkeypatch.setattr(blocks, "block", refuse)
    bench.ask(BlockUser(uuid="b", user=people.bob), people.alice)
    listed = bench.ask(ListBlocks(uuid="l"), people.alice)
    assert list(bench.drain().replies) == [listed]
