"""The values that commands are made of, each with its bounds; a command of `commands` names what it takes."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from . import limits

Uuid = Annotated[str, Meta(min_length=1, max_length=limits.UUID_CODE_POINTS)]
"""The client's name of a command: unique for ever per sender and room, echoed verbatim."""
Seq = Annotated[int, Meta(ge=0, lt=limits.EXACT_INTEGER)]
"""The position of an event in its room's log: 1, 2, 3 …; 0 is before the first."""
UserNumber = Annotated[int, Meta(ge=1, lt=limits.EXACT_INTEGER)]
Role = Literal["reader", "member", "admin", "owner"]
Until = Annotated[int, Meta(ge=1, lt=limits.UNTIL_SECONDS)]
"""When something ends, in seconds since 1970."""
MessageId = Annotated[int, Meta(ge=1, lt=limits.EXACT_INTEGER)]
"""The `id` of a message."""
Text = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": limits.TEXT_CODE_POINTS})]
"""What a message says; `_check_text` counts."""
Reason = Literal["spam", "abuse", "other"]
"""Why somebody reports a message."""
Notify = Literal["all", "mentions", "none"]
"""Of which messages of a room somebody wants to be told."""
Mentions = Annotated[list[UserNumber], Meta(max_length=limits.MENTIONS_PER_MESSAGE)]
"""The members whom a message mentions; normalized: in ascending order, each once."""
Attachments = Annotated[list[UUID], Meta(max_length=limits.ATTACHMENTS_PER_MESSAGE)]
Emoji = Annotated[str, Meta(min_length=1, max_length=limits.EMOJI_CODE_POINTS)]
"""One emoji, perhaps of several code points; compared as it was sent."""
Invitation = Annotated[str, Meta(min_length=1, max_length=limits.INVITATION_CODE_POINTS)]
"""The token of an invitation to a room."""
RoomName = Annotated[str, Meta(max_length=limits.NAME_CODE_POINTS)]
"""The name that people give a room; compared in one form (NFKC)."""


class Cursor(Struct, frozen=True):
    """How far a client has read a room."""

    epoch: Annotated[str, Meta(max_length=32)]
    seq: Seq
