"""The fields of requests and answers: the wire's values, with their bounds in the description.

A field that commands use only describes: `command_body` reads it by the wire's own rules.
"""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from msgspec import UNSET
from rest_framework import serializers

from roomlog_contract import limits

NO_NUL: Final = r"^[^\u0000]*$"
"""The pattern of every text: PostgreSQL stores no NUL."""
_SPACE: Final = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
SAID: Final = rf"^[^\u0000]*[^\u0000{_SPACE}][^\u0000]*$"
"""The pattern of what a message says: not only white space."""
SEARCH_CODE_POINTS: Final = 200
MAX_ID: Final = limits.EXACT_INTEGER - 1


class IdField(serializers.IntegerField):
    """The id of a person or a message."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class MentionsField(serializers.ListField):
    """The members whom a message mentions."""

    def __init__(self) -> None:
        super().__init__(child=IdField(), max_length=limits.MENTIONS_PER_MESSAGE, default=list)


class AttachmentsField(serializers.ListField):
    """The files that a message brings."""

    def __init__(self) -> None:
        super().__init__(child=RoomIdField(), max_length=limits.ATTACHMENTS_PER_MESSAGE, default=list)


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": limits.UUID_CODE_POINTS, "pattern": NO_NUL}
)
class UuidField(serializers.CharField):
    """The client's name of a command."""


@extend_schema_field({"type": "string", "maxLength": limits.NAME_CODE_POINTS, "pattern": NO_NUL})
class NameField(serializers.CharField):
    """A room's name; may be empty."""


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": limits.INVITATION_CODE_POINTS, "pattern": NO_NUL}
)
class InvitationField(serializers.CharField):
    """The token of an invitation to a room."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=limits.INVITATION_CODE_POINTS, **options)


@extend_schema_field({"type": "string", "maxLength": limits.TOPIC_CODE_POINTS, "pattern": NO_NUL})
class TopicField(serializers.CharField):
    """What a room is about; may be empty."""


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": limits.TEXT_CODE_POINTS, "pattern": SAID}
)
class TextField(serializers.CharField):
    """What a message says."""


@extend_schema_field({"type": "string", "maxLength": limits.REPORT_COMMENT_CODE_POINTS, "pattern": NO_NUL})
class CommentField(serializers.CharField):
    """What somebody adds to a report; may be empty."""


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": limits.EMOJI_CODE_POINTS, "pattern": NO_NUL}
)
class EmojiField(serializers.CharField):
    """An emoji; which texts are one, the contract says."""


@extend_schema_field({"type": "string", "maxLength": SEARCH_CODE_POINTS, "pattern": NO_NUL})
class SearchField(serializers.CharField):
    """What somebody looks for; nothing looks for everything."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False, max_length=SEARCH_CODE_POINTS, **options)


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 254, "pattern": SAID})
class LoginNameField(serializers.CharField):
    """The name that somebody signs in with."""


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 4096, "pattern": NO_NUL})
class PasswordField(serializers.CharField):
    """A password; white space counts."""


@extend_schema_field({"type": "string", "pattern": "^[0-9a-f]{32}$"})
class RoomIdField(serializers.UUIDField):
    """32 hex digits, as on the wire."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="hex", **options)


class _Optional:
    """Is left out where the struct has nothing."""

    def get_attribute(self, instance: Any) -> Any:
        """Return the struct's value."""
        value: Any = super().get_attribute(instance)  # type: ignore[misc] # a field's
        if value is UNSET:
            raise serializers.SkipField
        return value


class OptionalField(_Optional, serializers.DictField):
    """An object, where there is one."""


class OptionalFlag(_Optional, serializers.BooleanField):
    """True, or left out."""
