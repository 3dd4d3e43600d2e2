"""Files by HTTP: uploads, and downloads for those who may read the message that brings them.

Where a file may enter, and the only place that hands one out. Every request asks anew whether its sender is
a member: an address of a file opens nothing by itself.
"""

from typing import Any, Final
from uuid import UUID, uuid4

from django.db.models import Q
from django.http import FileResponse, Http404, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from roomlog import file_store, selectors
from roomlog.configuration import configuration
from roomlog.file_types import IMAGES
from roomlog.models import Attachment
from roomlog.people import person_of
from roomlog.pictures import THUMBNAIL_TYPE
from roomlog.uploading import Upload, require_a_writer, take
from roomlog_contract.errors import ErrorCode, RefusedCommand

from .attachment_serializers import AttachmentSerializer, NewAttachmentSerializer, UploadedSerializer
from .operations import describe
from .view import Negotiation, PersonThrottle, RestView, TooLarge

_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # Nobody's shared cache; the browser's own asks each time whether it is still a member who looks.
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie, Authorization",
}
"""Whatever a file is, a browser that opens it runs nothing of it."""


class StoreAway(APIException):
    """The storage does not answer."""

    status_code = 503
    default_detail = _("Files can't be reached right now. Try again in a moment.")


class UploadThrottle(PersonThrottle):
    """How often one person may upload: a few albums a minute."""

    scope = "upload"
    rate = "60/min"


class DownloadThrottle(PersonThrottle):
    """How often one person may download: a page of pictures at once, and again as one scrolls."""

    scope = "download"
    rate = "50/s"


class TakesAnything(Negotiation):
    """For answers that are files: an `<img>` accepts images alone, and errors are JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return JSON, for problems."""
        return JSONRenderer(), JSONRenderer.media_type


class AttachmentsView(RestView):
    """Where files are uploaded."""

    parser_classes = [MultiPartParser]
    throttle_classes = [UploadThrottle]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what is too large before anybody reads it: the check of a session reads the form."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > configuration().upload_bytes:
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
            raise TooLarge(_("The file is larger than %s bytes.") % configuration().attachment_bytes)
        super().initial(request, *args, **kwargs)

    @describe(
        request={"multipart/form-data": NewAttachmentSerializer},
        responses={201: UploadedSerializer, 200: UploadedSerializer},
        problems=frozenset({404, 409}),
    )
    def post(self, request: Request) -> Response:
        """Upload a file to a room, for a message that will claim it. A repeated uuid is the same file."""
        body = NewAttachmentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        said, person = body.validated_data, person_of(request.user).pk
        _require_a_writer(said["room"], person)
        upload = Upload(
            room=said["room"],
            person=person,
            uuid=said.get("uuid") or uuid4().hex,
            name=said["file"].name,
            file=said["file"],
        )
        try:
            row, is_new = take(upload)
        except file_store.StoreUnavailable as error:
            raise StoreAway from error
        return Response(_shown(row), status=201 if is_new else 200)


class AttachmentView(RestView):
    """One file."""

    content_negotiation_class = TakesAnything
    throttle_classes = [DownloadThrottle]

    @describe(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, attachment: UUID) -> HttpResponseBase:
        """Download the file. For the members of its room; until a message claims it, for its uploader."""
        row = _readable(attachment, request)
        return _answer(request, row, row.file, row.type)


class ThumbnailView(RestView):
    """The small copy of one image."""

    content_negotiation_class = TakesAnything
    throttle_classes = [DownloadThrottle]

    @describe(responses={(200, THUMBNAIL_TYPE): OpenApiTypes.BINARY})
    def get(self, request: Request, attachment: UUID) -> HttpResponseBase:
        """Download the small copy of an image: 480 pixels at most. For whom the file is."""
        row = _readable(attachment, request)
        if not row.thumbnail:
            raise Http404
        return _answer(request, row, row.thumbnail, THUMBNAIL_TYPE)


def _require_a_writer(room: UUID, person: int) -> None:
    """Answer 404 to strangers, as everywhere: they are not even told that there is such a room."""
    try:
        require_a_writer(room, person)
    except RefusedCommand as refused:
        if refused.code == ErrorCode.NOT_MEMBER:
            raise Http404 from None
        raise


def _readable(attachment: UUID, request: Request) -> Attachment:
    """Return a file that the asker may have; whatever is amiss, the answer is the same."""
    person = person_of(request.user).pk
    own_or_claimed = Q(seq__isnull=False) | Q(user=person)
    rows = Attachment.objects.filter(own_or_claimed, pk=attachment, is_stored=True, dropped_at=None)
    row = rows.first()
    if row is None or not (selectors.is_member(row.room_id, person) or _may_moderate(request, row)):
        raise Http404
    return row


def _may_moderate(request: Request, row: Attachment) -> bool:
    """Tell whether the asker sees the message in the admin, and so its files."""
    user = request.user
    return row.seq is not None and user.is_staff and user.has_perm("roomlog.view_chatmessage")


def _answer(request: Request, row: Attachment, file: str, type_: str) -> HttpResponseBase:
    is_shown = type_ in IMAGES.values()
    disposition = content_disposition_header(not is_shown, row.name) or "attachment"
    etag = f'"{file.rpartition("/")[2]}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse | FileResponse | HttpResponseNotModified = HttpResponseNotModified()
    else:
        try:
            response = _bytes_of(file, {"Content-Type": type_, "Content-Disposition": disposition})
        except file_store.StoreUnavailable as error:
            raise StoreAway from error
    for name, value in (_SAFE | {"ETag": etag}).items():
        response.headers[name] = value
    return response


def _bytes_of(file: str, headers: dict[str, str]) -> HttpResponse | FileResponse:
    """Return the bytes, or the way to them.

    Raises:
        StoreUnavailable
    """
    address = file_store.signed_address(file, headers) if configuration().attachment_redirect else None
    if address is not None:
        return HttpResponseRedirect(address)
    content = file_store.fetch(file)
    if content is None:
        raise Http404
    response = FileResponse(content)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def _shown(row: Attachment) -> dict[str, Any]:
    address = reverse("roomlog:attachment-thumbnail", args=[row.pk]) if row.thumbnail else None
    return {**AttachmentSerializer(row).data, "thumbnail": address}
