"""Takes a file that somebody uploads: who may, how much, of which type; its row, then its bytes.

Between the view and the storage. The row is there before the file and says so (`is_stored`), so that no file
is ever without a row, whatever ends the process. A message claims it later.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.db import IntegrityError, transaction
from django.db.models import Min, Sum
from django.utils import timezone

from roomlog_contract.errors import ErrorCode, RefusedCommand
from roomlog_contract.limits import ATTACHMENT_NAME_CODE_POINTS

from . import file_store
from .attachment import DAY
from .configuration import configuration
from .file_types import type_by_name
from .models import Attachment, Membership
from .pictures import TOO_MANY_PIXELS, Picture, TooManyPixels, picture_in

STORING: Final = timedelta(minutes=2)
"""After this whoever stored it is dead: a process that serves people is stopped long before."""
NAMELESS: Final = "file"
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Upload:
    """What somebody sends."""

    room: UUID
    person: int
    uuid: str
    name: str
    file: "File[bytes]"


def require_a_writer(room: UUID, person: int) -> None:
    """Refuse whoever could not send the file, as the worker would; strangers whether there is a room or not.

    Raises:
        RefusedCommand
    """
    rows = Membership.objects.filter(room=room, user=person)
    found = rows.values_list("role", "muted_until", "room__archived_at").first()
    if found is None:
        raise RefusedCommand(ErrorCode.NOT_MEMBER)
    role, muted_until, archived_at = found
    if archived_at is not None:
        raise RefusedCommand(ErrorCode.ARCHIVED)
    if muted_until is not None and muted_until > timezone.now():
        raise RefusedCommand(ErrorCode.MUTED)
    if role == Membership.Role.READER:
        raise RefusedCommand(ErrorCode.FORBIDDEN)


def take(upload: Upload) -> tuple[Attachment, bool]:
    """Store the file and return its row, and whether it is new; a repeat of the uuid is the same file.

    The caller has asked `require_a_writer`, and holds no transaction open.

    Raises:
        RefusedCommand: too large, too much for a day, of a type not taken, or the uuid is another file's.
        StoreUnavailable: try again with the same uuid.
    """
    if file_store.store() is None:
        raise RefusedCommand(ErrorCode.UNAVAILABLE)
    _check_size(upload.file.size)
    digest = _digest(upload.file)
    known = Attachment.objects.filter(uuid=upload.uuid, room=upload.room, user=upload.person).first()
    if known is not None and known.is_stored:
        return _same(known, digest), False
    picture = _picture(upload.file)
    row = _reserved(upload, digest, picture) if known is None else _taken_over(_same(known, digest))
    _put(row, upload.file, picture)
    Attachment.objects.filter(pk=row.pk).update(is_stored=True)
    return row, True


def visible_name(name: str) -> str:
    """Return a file's name without what can't be seen or misleads; if it is too long, its end stays."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(sign for sign in last if sign.isprintable()).strip(" .") or NAMELESS
    stem, dot, end = seen.rpartition(".")
    if len(seen) <= ATTACHMENT_NAME_CODE_POINTS or not stem or len(end) > ATTACHMENT_NAME_CODE_POINTS // 2:
        return seen[:ATTACHMENT_NAME_CODE_POINTS]
    return stem[: ATTACHMENT_NAME_CODE_POINTS - len(dot + end)] + dot + end


def _check_size(size: int) -> None:
    most = configuration().attachment_bytes
    if size == 0:
        raise _wrong("The file is empty.")
    if size > most:
        raise _wrong(f"The file is larger than {most} bytes.")


def _wrong(sentence: str) -> RefusedCommand:
    return RefusedCommand(ErrorCode.BAD_VALUE, f"`file`: {sentence}")


def _digest(file: "File[bytes]") -> str:
    file.seek(0)
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    return digest.hexdigest()


def _same(known: Attachment, digest: str) -> Attachment:
    if known.digest != digest:
        raise RefusedCommand(ErrorCode.UUID_CONFLICT)
    if known.dropped_at is not None:
        raise RefusedCommand(ErrorCode.NOT_FOUND)
    return known


def _picture(file: "File[bytes]") -> Picture | None:
    try:
        return picture_in(file)
    except TooManyPixels:
        raise _wrong(TOO_MANY_PIXELS) from None


def _reserved(upload: Upload, digest: str, picture: Picture | None) -> Attachment:
    """Store the row alone: from here on the collector knows of the file."""
    row = Attachment(
        room_id=upload.room,
        user_id=upload.person,
        uuid=upload.uuid,
        digest=digest,
        name=visible_name(upload.name),
        size=upload.file.size,
        type=_type(upload.name, picture),
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        file=file_store.new_name(),
        thumbnail=file_store.new_name() if picture else "",
    )
    _check_quota(upload.person, row.size)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # the same upload came twice at once, and the other one stores it
        raise RefusedCommand(ErrorCode.BUSY) from None
    return row


def _type(name: str, picture: Picture | None) -> str:
    found = picture.type if picture else type_by_name(name)
    if found is None:
        raise _wrong("The image can't be read.")
    if found not in configuration().attachment_types:
        raise _wrong("Files of this type are not taken here.")
    return found


def _check_quota(person: int, size: int) -> None:
    """Refuse what is too much for a day; what was deleted since counts too."""
    now = timezone.now()
    lately = Attachment.objects.filter(user=person, date_created__gt=now - DAY)
    facts = lately.aggregate(sum=Sum("size"), first=Min("date_created"))
    if (facts["sum"] or 0) + size > configuration().attachment_bytes_per_day:
        wait = (facts["first"] or now) + DAY - now
        sentence = "You have uploaded as much as one person may in a day."
        raise RefusedCommand(ErrorCode.RATE_LIMITED, sentence, retry_after_ms=wait // _MILLISECOND)


def _taken_over(known: Attachment) -> Attachment:
    """Let this upload store what an earlier one with the same content has not: it failed, or died.

    Raises:
        RefusedCommand: it may be at it still.
    """
    now = timezone.now()
    given_up = Attachment.objects.filter(pk=known.pk, is_stored=False, date_created__lte=now - STORING)
    if not given_up.update(date_created=now):
        raise RefusedCommand(ErrorCode.BUSY)
    return known


def _put(row: Attachment, file: "File[bytes]", picture: Picture | None) -> None:
    """Store the bytes; after a failure the next upload need not wait."""
    file.seek(0)
    try:
        file_store.put(row.file, file)
        if picture is not None:
            file_store.put(row.thumbnail, ContentFile(picture.thumbnail))
    except file_store.StoreUnavailable:
        Attachment.objects.filter(pk=row.pk).update(date_created=timezone.now() - STORING)
        raise
