"""Files by HTTP: who may upload what, and who gets it."""

from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

from roomlog import file_store
from roomlog.configuration import FORM_BYTES
from roomlog.models import Attachment, ChatRoom, Membership
from roomlog.pictures import MAX_PIXELS
from roomlog.rest import attachments as views
from roomlog.uploading import STORING, visible_name
from roomlog_contract.commands import DeleteMessage, NewMessage, RemoveUser
from tests.harness.people import id_of, written

pytestmark = pytest.mark.django_db
UPLOADS = "/api/v1/attachments/"
EXIF_ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def files(settings: Settings, tmp_path: Path) -> Path:
    """A folder that is the storage."""
    storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path / "files")},
    }
    settings.STORAGES = {**settings.STORAGES, "roomlog": storage}
    return tmp_path / "files"


@pytest.fixture
def as_bob(bob: User) -> Client:
    """Bob, signed in."""
    client = Client()
    client.force_login(bob)
    return client


def picture(width: int = 60, height: int = 40, kind: str = "PNG", **options: Any) -> bytes:
    """Return an image."""
    made = BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, kind, **options)
    return made.getvalue()


def upload(
    client: Client, room: UUID | str, content: bytes = b"hello", name: str = "notes.txt", **more: str
) -> Any:
    """Upload a file."""
    file = SimpleUploadedFile(name, content)
    return client.post(UPLOADS, {"room": getattr(room, "hex", room), "file": file, **more})


def uploaded(client: Client, room: UUID, content: bytes = b"hello", name: str = "notes.txt") -> Any:
    """Upload a file that is taken."""
    answer = upload(client, room, content, name)
    assert answer.status_code == 201, answer.content
    return answer.json()


def get(client: Client, address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Download; return status, headers and bytes."""
    answer: Any = client.get(address, headers=headers)
    content = answer.getvalue()
    answer.close()
    return answer.status_code, dict(answer.headers), content


def claim(room: UUID, user: User, file: str) -> int:
    """Send a message with the file; return its id."""
    command = NewMessage(uuid=uuid4().hex, room=room, text="", attachments=[UUID(file)])
    return written(command, id_of(user)).event.id


def stored(files: Path) -> list[Path]:
    """Return what is in the storage."""
    return sorted(path for path in files.rglob("*") if path.is_file())


class TestUploading:
    """What is taken, from whom."""

    def test_a_file_is_stored_and_described(self, as_alice: Client, lobby: UUID, files: Path) -> None:
        """What has no pixels has neither sides nor thumbnail; no name in the storage tells anything."""
        body = uploaded(as_alice, lobby)
        assert body == {
            "id": body["id"],
            "name": "notes.txt",
            "size": 5,
            "type": "text/plain",
            "width": None,
            "height": None,
            "thumbnail": None,
        }
        (path,) = stored(files)
        assert path.read_bytes() == b"hello"
        assert body["id"] not in str(path)
        assert path.suffix == ""

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
    def test_an_image_is_known_by_its_content(self, as_alice: Client, lobby: UUID, kind: str) -> None:
        """Whatever its name says, and it gets a small copy of bounded size."""
        body = uploaded(as_alice, lobby, picture(900, 600, kind), "photo.txt")
        assert (body["type"], body["width"], body["height"]) == (f"image/{kind.lower()}", 900, 600)
        _, _, content = get(as_alice, body["thumbnail"])
        with Image.open(BytesIO(content)) as small:
            assert (small.format, small.size) == ("WEBP", (480, 320))

    def test_an_images_sides_are_those_that_people_see(self, as_alice: Client, lobby: UUID) -> None:
        """A phone's photo lies on its side and says so."""
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = 6
        body = uploaded(as_alice, lobby, picture(kind="JPEG", exif=exif), "p.jpg")
        assert (body["width"], body["height"]) == (40, 60)

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (b"", "empty.txt"),
            (b"<script>", "page.html"),
            (b"<svg/>", "drawing.svg"),
            (b"MZ", "setup.exe"),
            (b"not an image", "photo.png"),
            (picture()[:60], "cut.png"),
        ],
    )
    def test_what_is_refused(
        self, as_alice: Client, lobby: UUID, files: Path, content: bytes, name: str
    ) -> None:
        """Neither row nor file is left, and the answer names the field."""
        answer = upload(as_alice, lobby, content, name)
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["file"]
        assert not Attachment.objects.exists()
        assert stored(files) == []

    def test_an_image_that_would_fill_the_memory_is_not_decoded(
        self, as_alice: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A few kilobytes may claim to be gigapixels: the head alone decides."""
        header = b"IHDR" + (MAX_PIXELS // 1000).to_bytes(4) + (1001).to_bytes(4) + b"\x08\x02\0\0\0"
        content = picture(1, 1)
        content = content[:12] + header + crc32(header).to_bytes(4) + content[33:]
        monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
        answer = upload(as_alice, lobby, content, "bomb.png")
        assert (answer.status_code, "pixels" in answer.json()["detail"]) == (400, True)

    def test_too_large_a_file_is_refused_before_it_is_read(
        self, as_alice: Client, lobby: UUID, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the length of the request; one just above the limit by its own."""
        settings.ROOMLOG = {**settings.ROOMLOG, "ATTACHMENT_BYTES": 1000}
        assert upload(as_alice, lobby, bytes(1001)).status_code == 400
        monkeypatch.setattr(views, "take", lambda _: pytest.fail("read"))
        assert upload(as_alice, lobby, bytes(1000 + FORM_BYTES)).status_code == 413

    def test_a_day_has_so_many_bytes(self, as_alice: Client, lobby: UUID, settings: Settings) -> None:
        """What was dropped counts too; the answer says when to come again."""
        settings.ROOMLOG = {**settings.ROOMLOG, "ATTACHMENT_BYTES_PER_DAY": 10}
        uploaded(as_alice, lobby)
        Attachment.objects.update(dropped_at="2026-01-01T00:00Z")
        uploaded(as_alice, lobby)
        answer = upload(as_alice, lobby, b"x")
        assert answer.status_code == 429
        assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400

    def test_a_stranger_cannot_tell_whether_there_is_the_room(self, as_bob: Client, lobby: UUID) -> None:
        """Byte for byte."""
        Membership.objects.filter(user__user__username="bob").delete()
        answers = [upload(as_bob, room) for room in (lobby, uuid4())]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        assert upload(Client(), lobby).status_code == 401

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"role": "reader"}, 403, "forbidden"),
            ({"muted_until": "9999-01-01T00:00Z"}, 403, "muted"),
            ({"muted_until": "2020-01-01T00:00Z"}, 201, None),
        ],
    )
    def test_who_may_not_write_may_not_upload(
        self, as_alice: Client, lobby: UUID, change: dict[str, str], status: int, code: str | None
    ) -> None:
        """As the worker would decide of the message."""
        Membership.objects.filter(user__user__username="alice").update(**change)
        answer = upload(as_alice, lobby)
        assert (answer.status_code, answer.json().get("error_code")) == (status, code)

    def test_nothing_enters_an_archived_room(self, as_alice: Client, lobby: UUID) -> None:
        """As no message does."""
        ChatRoom.objects.filter(pk=lobby).update(archived_at="2026-01-01T00:00Z")
        assert upload(as_alice, lobby).json()["error_code"] == "archived"

    def test_without_storage_none_is_taken(self, as_alice: Client, lobby: UUID, settings: Settings) -> None:
        """Django's default storage without a folder would be wherever the process runs."""
        settings.STORAGES = {name: one for name, one in settings.STORAGES.items() if name != "roomlog"}
        answer = upload(as_alice, lobby)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "unavailable")

    def test_a_repeat_is_the_same_file(self, as_alice: Client, lobby: UUID, files: Path) -> None:
        """By the client's uuid; another content is a conflict."""
        first, again = (upload(as_alice, lobby, uuid="u") for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert len(stored(files)) == 1
        assert upload(as_alice, lobby, b"other", uuid="u").status_code == 409

    def test_a_session_needs_its_csrf_token(self, alice: User, lobby: UUID, files: Path) -> None:
        """Another site's form uploads nothing."""
        client = Client(enforce_csrf_checks=True)
        client.force_login(alice)
        assert upload(client, lobby).status_code == 403
        assert stored(files) == []


class TestStorageTrouble:
    """A storage that fails, and a process that dies between the row and the file."""

    def test_an_upload_that_failed_can_be_repeated_at_once(
        self, as_alice: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody gets it meanwhile, and no message claims it."""
        with monkeypatch.context() as broken:
            broken.setattr(storages["roomlog"], "save", lambda *_: 1 / 0)
            answer = upload(as_alice, lobby, uuid="u")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        row = Attachment.objects.get()
        assert get(as_alice, f"{UPLOADS}{row.pk.hex}/")[0] == 404
        assert upload(as_alice, lobby, uuid="u").json()["id"] == row.pk.hex
        assert get(as_alice, f"{UPLOADS}{row.pk.hex}/")[2] == b"hello"

    def test_of_two_uploads_with_one_uuid_one_waits(self, as_alice: Client, lobby: UUID) -> None:
        """Until the other one must have ended."""
        uploaded_row = Attachment.objects.get(pk=UUID(upload(as_alice, lobby, uuid="u").json()["id"]))
        Attachment.objects.update(is_stored=False)
        assert upload(as_alice, lobby, uuid="u").status_code == 503
        Attachment.objects.update(date_created=uploaded_row.date_created - STORING)
        assert upload(as_alice, lobby, uuid="u").status_code == 201

    def test_a_download_says_that_the_storage_is_away(
        self, as_alice: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And not that there is no such file."""
        body = uploaded(as_alice, lobby)
        monkeypatch.setattr(storages["roomlog"], "open", lambda *_: 1 / 0)
        assert get(as_alice, f"{UPLOADS}{body['id']}/")[0] == 503


class TestDownloading:
    """Who gets the bytes, and how."""

    def test_members_get_it_once_a_message_claims_it(
        self, as_alice: Client, as_bob: Client, alice: User, lobby: UUID, bob: User
    ) -> None:
        """Until then its uploader alone does; after the membership nobody."""
        body = uploaded(as_alice, lobby, picture(), "a.png")
        addresses = [f"{UPLOADS}{body['id']}/", body["thumbnail"]]
        assert [get(as_bob, one)[0] for one in addresses] == [404, 404]
        assert [get(as_alice, one)[0] for one in addresses] == [200, 200]
        claim(lobby, alice, body["id"])
        assert [get(as_bob, one)[0] for one in addresses] == [200, 200]
        written(RemoveUser(uuid="r", room=lobby, user=id_of(bob)), id_of(alice))
        assert [get(as_bob, one)[0] for one in addresses] == [404, 404]
        assert [get(Client(), one)[0] for one in addresses] == [401, 401]

    def test_a_moderator_of_the_admin_sees_what_was_sent(
        self, as_alice: Client, alice: User, lobby: UUID, admin_user: User
    ) -> None:
        """Beside the message, and no member; staff without the right, and what waits, see nothing."""
        sent, waiting = (uploaded(as_alice, lobby, picture(), name)["id"] for name in ("a.png", "b.png"))
        claim(lobby, alice, sent)
        staff, moderator = Client(), Client()
        staff.force_login(User.objects.create(username="clerk", is_staff=True))
        moderator.force_login(admin_user)
        assert get(moderator, f"{UPLOADS}{sent}/")[0] == 200
        assert get(moderator, f"{UPLOADS}{waiting}/")[0] == 404
        assert get(staff, f"{UPLOADS}{sent}/")[0] == 404
        page = moderator.get(f"/admin/roomlog/chatmessage/room/{lobby}/")
        assert f"{UPLOADS}{sent}/" in page.content.decode()

    def test_nobody_gets_what_was_deleted(self, as_alice: Client, alice: User, lobby: UUID) -> None:
        """From the commit on, though the file may be there still."""
        body = uploaded(as_alice, lobby)
        number = claim(lobby, alice, body["id"])
        written(DeleteMessage(uuid="d", room=lobby, message=number), id_of(alice))
        assert get(as_alice, f"{UPLOADS}{body['id']}/")[0] == 404

    @pytest.mark.parametrize(
        ("content", "name", "disposition"),
        [
            (picture(), "a.png", 'inline; filename="a.png"'),
            (b"%PDF-1.7", "a b.pdf", 'attachment; filename="a b.pdf"'),
            (b"<script>", "x.txt", 'attachment; filename="x.txt"'),
        ],
    )
    def test_no_file_runs_in_a_browser(
        self, as_alice: Client, lobby: UUID, content: bytes, name: str, disposition: str
    ) -> None:
        """Images alone are shown; all else is saved, nothing is guessed and nothing runs."""
        _, headers, _ = get(as_alice, f"{UPLOADS}{uploaded(as_alice, lobby, content, name)['id']}/")
        assert headers["Content-Disposition"] == disposition
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["Cache-Control"] == "private, no-cache"

    def test_a_browser_that_has_it_is_only_asked_who_looks(self, as_alice: Client, lobby: UUID) -> None:
        """304 without the bytes, by the tag."""
        address = f"{UPLOADS}{uploaded(as_alice, lobby)['id']}/"
        tag = get(as_alice, address)[1]["ETag"]
        assert get(as_alice, address, if_none_match=tag)[0] == 304
        assert get(Client(), address, if_none_match=tag)[0] == 401

    def test_an_image_element_may_ask(self, as_alice: Client, lobby: UUID) -> None:
        """It accepts images alone."""
        body = uploaded(as_alice, lobby, picture(), "a.png")
        assert get(as_alice, body["thumbnail"], accept="image/webp")[0] == 200

    def test_the_storages_own_address_is_used_where_it_is_wanted(
        self, as_alice: Client, lobby: UUID, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With type and disposition in its signature; membership is asked before."""
        settings.ROOMLOG = {**settings.ROOMLOG, "ATTACHMENT_REDIRECT": True}
        body = uploaded(as_alice, lobby)
        asked: dict[str, Any] = {}

        def address(name: str, headers: dict[str, str]) -> str:
            asked.update(headers)
            return "https://s3.example.org/signed"

        monkeypatch.setattr(file_store, "signed_address", address)
        answer = as_alice.get(f"{UPLOADS}{body['id']}/")
        assert (answer.status_code, answer.headers["Location"]) == (302, "https://s3.example.org/signed")
        assert asked["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("\x00\n", "file"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("x." + "y" * 300, "x." + "y" * 118),
    ],
)
def test_a_name_is_what_people_can_see(name: str, shown: str) -> None:
    """No path, nothing invisible, and at most 120 code points with its end."""
    assert visible_name(name) == shown


def test_a_storage_keeps_the_name_that_it_was_given(files: Path) -> None:
    """A second try replaces what the first one left."""
    name = file_store.new_name()
    for content in (b"half", b"whole"):
        file_store.put(name, ContentFile(content))
    assert [path.read_bytes() for path in stored(files)] == [b"whole"]
