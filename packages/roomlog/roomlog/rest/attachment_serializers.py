"""The bodies of uploads and of what is told of files."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from roomlog_contract import limits

from .body import Body
from .fields import RoomIdField, UuidField


@extend_schema_field({"type": "string", "format": "binary"})
class ContentField(serializers.FileField):
    """A file of a form."""


class NewAttachmentSerializer(Body):
    """A file for a room."""

    room = RoomIdField()
    uuid = UuidField(required=False, max_length=limits.UUID_CODE_POINTS)
    file = ContentField()


class AttachmentSerializer(Body):
    """A file that a message brings."""

    example = {
        "id": "5d0f6a0c9b1e4c0f8a57a3e6f2b4c1d8",
        "name": "tea.png",
        "size": 48213,
        "type": "image/png",
        "width": 1280,
        "height": 960,
    }

    id = RoomIdField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    type = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)


class UploadedSerializer(AttachmentSerializer):
    """A file that is stored, for a message that will name its id."""

    example = {
        **AttachmentSerializer.example,
        "thumbnail": "/api/v1/attachments/5d0f6a0c9b1e4c0f8a57a3e6f2b4c1d8/thumbnail/",
    }

    thumbnail = serializers.CharField(allow_null=True)
    """The path of an image's small copy."""
