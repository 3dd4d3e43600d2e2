"""report_message: beside the log, a row for each reporter and message, heard of by nobody."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError

from roomlog.models import MessageReport, RoomEvent, RoomHead
from roomlog.reporting import store_report
from roomlog_contract.commands import DeleteMessage, GetHistory, ReportMessage
from roomlog_contract.limits import REPORTS_PER_MINUTE
from roomlog_worker import reports
from tests.harness.people import People, written
from tests.worker.bench import Bench
from tests.worker.test_reader import ask, room, say

__all__ = ["room"]


def report(room: UUID, message: int, uuid: str = "r", comment: str = "") -> ReportMessage:
    """Return a command."""
    return ReportMessage(uuid=uuid, room=room, message=message, reason="spam", comment=comment)


def said(room: UUID, people: People) -> int:
    """Return the id of a message of Alice's."""
    say(room, people.alice, 1)
    return RoomEvent.objects.latest("id").pk


def test_a_report_is_stored_and_nobody_hears_of_it(bench: Bench, people: People, room: UUID) -> None:
    """The answer is its reporter's alone; no seq, no row of the log, no notice."""
    message = said(room, people)
    before = RoomHead.objects.get(), RoomEvent.objects.count()
    request = bench.ask(report(room, message, comment="Look."), people.bob)
    heard = bench.turn()
    assert heard.frame(request) == {"action": "report_message", "uuid": "r", "status": "success"}
    assert (heard.users, heard.seqs()) == ([], [])
    assert (RoomHead.objects.get(), RoomEvent.objects.count()) == before
    one = MessageReport.objects.get()
    assert (one.room_id, one.target, one.author_id, one.user_id) == (room, 2, people.alice, people.bob)
    assert (one.reason, one.comment, one.state) == ("spam", "Look.", MessageReport.State.OPEN)


def test_a_second_report_changes_nothing(bench: Bench, people: People, room: UUID) -> None:
    """Whatever its uuid and content, and also after the message was deleted; another person's is another."""
    message = said(room, people)
    ask(bench, report(room, message), people.bob)
    assert ask(bench, report(room, message, "again", "More."), people.bob)["duplicate"] is True
    assert "duplicate" not in ask(bench, report(room, message), people.alice)
    written(DeleteMessage(uuid="d", room=room, message=message), people.alice)
    assert ask(bench, report(room, message), people.bob)["duplicate"] is True
    assert list(MessageReport.objects.order_by("id").values_list("user", "comment")) == [
        (people.bob, ""),
        (people.alice, ""),
    ]


def test_strangers_learn_nothing_and_the_gone_is_not_found(bench: Bench, people: People, room: UUID) -> None:
    """Strangers get one answer, whatever they name."""
    message = said(room, people)
    for where in (room, uuid4()):
        assert ask(bench, report(where, message), people.carol)["error_code"] == "not_member"
    event = RoomEvent.objects.get(seq=1).pk
    written(DeleteMessage(uuid="d", room=room, message=message), people.alice)
    for gone in (message, event, 999_999):
        assert ask(bench, report(room, gone), people.bob)["error_code"] == "not_found"
    assert not MessageReport.objects.exists()


def test_one_person_reports_so_many_a_minute(bench: Bench, people: People, room: UUID) -> None:
    """The next is told when to come; others are not concerned."""
    say(room, people.alice, REPORTS_PER_MINUTE + 1)
    ids = list(RoomEvent.objects.filter(kind="new_message").order_by("id").values_list("pk", flat=True))
    for number in ids[:-1]:
        store_report(report(room, number), people.bob)
    refusal = ask(bench, report(room, ids[-1]), people.bob)
    assert refusal["error_code"] == "rate_limited"
    assert 0 < refusal["retry_after_ms"] <= 60_000
    assert "error_code" not in ask(bench, report(room, ids[-1]), people.alice)
    earlier = MessageReport.objects.filter(user=people.bob, target=2)
    earlier.update(date_created=earlier.get().date_created - timedelta(minutes=1))
    assert "error_code" not in ask(bench, report(room, ids[-1]), people.bob)


def test_what_cannot_be_written_holds_up_no_history(
    bench: Bench, people: People, room: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a read-only database people read on; a report has no answer, and is repeated."""

    def fail(*_: object) -> Any:
        raise DatabaseError

    message = said(room, people)
    monkeypatch.setattr(reports, "store_report", fail)
    bench.ask(report(room, message), people.bob)
    read = bench.ask(GetHistory(uuid="h", room=room), people.bob)
    assert list(bench.drain().replies) == [read]
    monkeypatch.setattr(reports, "store_report", store_report)
    assert bench.drain().replies == {}
    assert ask(bench, report(room, message), people.bob)["status"] == "success"
