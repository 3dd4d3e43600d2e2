"""The chores delete files: those of deleted messages at once, those of no message after a day."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import OperationalError
from django.utils import timezone

from roomlog import file_store
from roomlog.attachment import DAY
from roomlog.chores import collecting
from roomlog.chores.collecting import PAUSE_SECONDS, TROUBLE_SECONDS, UNCLAIMED, Collector, collect
from roomlog.models import Attachment
from roomlog_contract.commands import DeleteMessage, NewMessage
from roomlog_runtime.shutdown import Shutdown
from tests.harness.files import uploaded
from tests.harness.people import People, make_room, written

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the storage."""
    backend = "django.core.files.storage.FileSystemStorage"
    ours = {"BACKEND": backend, "OPTIONS": {"location": str(tmp_path)}}
    monkeypatch.setattr(settings, "STORAGES", {**settings.STORAGES, "roomlog": ours})
    monkeypatch.delitem(storages.__dict__, "backends", raising=False)
    monkeypatch.setattr(storages, "_backends", None)
    monkeypatch.setattr(storages, "_storages", {})
    return tmp_path


def with_bytes(room: UUID, person: int, *, age: timedelta = timedelta(), **facts: Any) -> Attachment:
    """Return a file that is in the storage, with a thumbnail."""
    names = {"file": file_store.new_name(), "thumbnail": file_store.new_name()}
    for name in names.values():
        file_store.put(name, ContentFile(b"bytes"))
    number = uploaded(room, person, "notes.txt", **names, **facts)
    Attachment.objects.filter(pk=number).update(date_created=timezone.now() - age)
    return Attachment.objects.get(pk=number)


def stored(files: Path) -> set[str]:
    """Return the names of what is in the storage."""
    return {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}


def test_a_deleted_messages_files_go_and_others_stay(people: People, files: Path) -> None:
    """Its row stays for a day, because it counts for the day's quota, and says nothing of the file."""
    room = make_room(people.alice)
    gone, kept = with_bytes(room, people.alice), with_bytes(room, people.alice)
    for number, file in enumerate((gone, kept)):
        command = NewMessage(uuid=f"m{number}", room=room, text="", attachments=[file.pk])
        event = written(command, people.alice).event
        if file is gone:
            written(DeleteMessage(uuid="d", room=room, message=event.id), people.alice)
    assert collect() == 1
    assert stored(files) == {kept.file, kept.thumbnail}
    row = Attachment.objects.get(pk=gone.pk)
    assert (row.file, row.thumbnail, row.name) == ("", "", "")
    Attachment.objects.update(date_created=timezone.now() - DAY - MINUTE)
    assert collect() == 0
    assert [one.pk for one in Attachment.objects.all()] == [kept.pk]


def test_what_no_message_claims_goes_after_a_day(people: People, files: Path) -> None:
    """Claimed ones of any age stay, and so does what is new."""
    room = make_room(people.alice)
    old = with_bytes(room, people.alice, age=UNCLAIMED + MINUTE)
    claimed = with_bytes(room, people.alice, age=UNCLAIMED + MINUTE, seq=1)
    new = with_bytes(room, people.alice, age=UNCLAIMED - MINUTE)
    assert collect() == 1
    assert stored(files) == {name for one in (claimed, new) for name in (one.file, one.thumbnail)}
    assert not Attachment.objects.filter(pk=old.pk).exists()


def test_what_was_never_stored_goes_too(people: People, files: Path) -> None:
    """A process died between the row and the file, or half-way through the file."""
    room = make_room(people.alice)
    with_bytes(room, people.alice, age=UNCLAIMED + MINUTE, is_stored=False)
    uploaded(room, people.alice, is_stored=False)
    assert collect() == 1
    assert stored(files) == set()
    assert Attachment.objects.count() == 1


def test_a_failing_store_is_asked_again(people: People, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not deleted is still known; nothing is logged but the class of the error."""
    with_bytes(make_room(people.alice), people.alice, age=UNCLAIMED + MINUTE)
    collector = Collector(Shutdown(), lambda: True)
    with monkeypatch.context() as broken:
        broken.setattr(storages["roomlog"], "delete", lambda _: 1 / 0)
        assert collector.turn() == TROUBLE_SECONDS
    assert len(stored(files)) == 2
    assert collector.turn() == PAUSE_SECONDS
    assert stored(files) == set()


def test_nothing_is_collected_by_who_does_not_do_the_chores(
    people: People, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process does; nor while the database is away."""
    with_bytes(make_room(people.alice), people.alice, age=UNCLAIMED + MINUTE)
    assert Collector(Shutdown(), lambda: False).turn() == PAUSE_SECONDS

    def away() -> int:
        raise OperationalError

    monkeypatch.setattr(collecting, "collect", away)
    assert Collector(Shutdown(), lambda: True).turn() == TROUBLE_SECONDS
    assert len(stored(files)) == 2
