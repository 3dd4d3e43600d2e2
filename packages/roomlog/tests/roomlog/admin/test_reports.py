"""The queue of reports in the admin: looked at, dismissed, or answered by a deletion, a mute or a ban."""

from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from roomlog.ban import FOREVER
from roomlog.models import Ban, ChatMessage, ChatRoom, Membership, MessageReport, PendingCommand
from roomlog_contract.commands import EditMessage
from tests.harness.accounts import Work
from tests.harness.people import id_of, written
from tests.roomlog.admin.test_members import choose, do
from tests.roomlog.admin.test_rooms import history

pytestmark = pytest.mark.django_db
REPORTS = "/admin/roomlog/messagereport/"
State = MessageReport.State


@pytest.fixture
def reported(lobby: UUID, alice: User, bob: User) -> MessageReport:
    """Bob's report of Alice's first message."""
    facts = {"room_id": lobby, "target": 2, "author_id": id_of(alice), "reason": "spam"}
    return MessageReport.objects.create(**facts, user_id=id_of(bob), comment="Look at this.")


def page(client: Client, query: str = "") -> str:
    """Return the list without filters and actions."""
    answer = client.get(f"{REPORTS}{query}")
    assert answer.status_code == 200
    return answer.content.decode().partition('id="result_list"')[2]


def resolved(report: MessageReport) -> tuple[int, str | None]:
    """Return the state, and the name of who resolved it."""
    report.refresh_from_db()
    assert (report.resolved_at is None) is (report.resolved_by is None)
    return report.state, report.resolved_by.name if report.resolved_by else None


def test_the_queue_shows_the_message_as_it_is_now(
    admin_client: Client,
    reported: MessageReport,
    lobby: UUID,
    alice: User,
    work: Work,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """Open ones first; its edit, and nothing of a deleted one; no query for each report."""
    message = ChatMessage.objects.get(room=lobby, seq=2)
    assert message.text in page(admin_client)
    written(EditMessage(uuid="e", room=lobby, message=message.pk, text="quite another"), id_of(alice))
    facts = {"room_id": lobby, "target": 3, "author_id": id_of(alice), "resolved_at": "2026-01-01T00:00Z"}
    for number in range(5):
        other = User.objects.create(username=f"other{number}")
        MessageReport.objects.create(**facts, user_id=id_of(other), state=State.DISMISSED)
    with django_assert_max_num_queries(12):
        shown = page(admin_client)
    assert shown.index("quite another") < shown.index("anybody here?")
    assert message.text not in shown
    assert "Look at this." not in page(admin_client, "?state__exact=1")
    assert "quite another" in page(admin_client, f"?of_room={lobby.hex}&reason__exact=spam")
    do(admin_client, "ask_to_delete", [reported.pk], REPORTS)
    assert work() == []
    shown = page(admin_client)
    assert "quite another" not in shown
    assert "Message deleted" in shown


def test_a_report_is_dismissed(admin_client: Client, reported: MessageReport) -> None:
    """After a question; nothing happens in the room, and a second time nothing at all."""
    assert "alice: Spam (lobby)" in choose(admin_client, "ask_to_dismiss", [reported.pk], REPORTS)
    assert resolved(reported) == (State.OPEN, None)
    assert "1 report dismissed." in do(admin_client, "ask_to_dismiss", [reported.pk], REPORTS)
    assert resolved(reported) == (State.DISMISSED, "root")
    assert "None of these reports is unresolved." in do(
        admin_client, "ask_to_dismiss", [reported.pk], REPORTS
    )
    assert not PendingCommand.objects.exists()
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Dismissed."]


def test_a_deletion_resolves_all_reports_of_the_message(
    admin_client: Client, reported: MessageReport, alice: User, lobby: UUID, work: Work
) -> None:
    """Also those that were not selected; a report of another message stays open. Archived rooms keep all."""
    facts = {"room_id": lobby, "author_id": id_of(alice), "user_id": id_of(alice)}
    same = MessageReport.objects.create(**facts, target=2)
    other = MessageReport.objects.create(**facts, target=3)
    ChatRoom.objects.filter(pk=lobby).update(archived_at="2026-01-01T00:00Z")
    assert "Restore the room first" in do(admin_client, "ask_to_delete", [reported.pk], REPORTS)
    assert resolved(reported) == (State.OPEN, None)
    ChatRoom.objects.filter(pk=lobby).update(archived_at=None)
    do(admin_client, "ask_to_delete", [reported.pk], REPORTS)
    assert work() == []
    message = ChatMessage.objects.get(room=lobby, seq=2)
    assert message.text == ""
    assert [resolved(one)[0] for one in (reported, same, other)] == [
        State.ACTED_ON,
        State.ACTED_ON,
        State.OPEN,
    ]
    assert history(lobby) == [f"Requested: delete message {message.pk}."]


def test_the_author_is_muted_or_banned(
    admin_client: Client, reported: MessageReport, alice: User, bob: User, lobby: UUID, work: Work
) -> None:
    """Not who has reported; one command for two reports; somebody who has left can only be banned."""
    facts = {"room_id": lobby, "target": 3, "author_id": id_of(alice), "user_id": id_of(bob)}
    rows = [reported.pk, MessageReport.objects.create(**facts).pk]
    assert "1 change requested" in do(admin_client, "ask_to_mute", rows, REPORTS)
    assert work() == []
    muted = Membership.objects.filter(room=lobby, muted_until=FOREVER).values_list("user", flat=True)
    assert list(muted) == [id_of(alice)]
    assert resolved(reported) == (State.ACTED_ON, "root")
    do(admin_client, "ask_to_ban", [reported.pk], REPORTS)
    assert work() == []
    assert [ban.user_id for ban in Ban.objects.all()] == [id_of(alice)]
    do(admin_client, "ask_to_mute", [reported.pk], REPORTS)
    assert not PendingCommand.objects.exists()
    person = id_of(alice)
    assert history(lobby) == [f"Requested: {what} person {person}." for what in ("mute", "ban")]


def test_each_action_needs_its_right(client: Client, reported: MessageReport, bob: User) -> None:
    """Who may only look is offered none, and carries none out."""
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="view_messagereport"))
    client.force_login(bob)
    assert "Look at this." in page(client)
    for action in ("ask_to_dismiss", "ask_to_delete", "ask_to_mute", "ask_to_ban"):
        do(client, action, [reported.pk], REPORTS)
    assert resolved(reported) == (State.OPEN, None)
    assert not PendingCommand.objects.exists()
    bob.user_permissions.add(Permission.objects.get(codename="change_messagereport"))
    do(client, "ask_to_dismiss", [reported.pk], REPORTS)
    assert resolved(reported) == (State.DISMISSED, "bob")
