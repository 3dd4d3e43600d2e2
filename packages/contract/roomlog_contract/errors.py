"""What can go wrong on the wire: error codes, close codes, and the exceptions of the codec.

ContractError
├── MalformedFrame    the frame is no command at all; the socket is closed with 1003
└── RefusedCommand    a command with a uuid, answered with an error frame
"""

from enum import IntEnum, StrEnum
from typing import Final


class ErrorCode(StrEnum):
    """Stable codes of error answers; the README says when each is sent."""

    REQUIRED_KEYS = "required_keys"
    BAD_VALUE = "bad_value"
    INVALID_ACTION = "invalid_action"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - the name of an error
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_MEMBER = "not_member"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    MUTED = "muted"
    ARCHIVED = "archived"
    BANNED = "banned"
    EMPTY_TEXT = "empty_text"
    TEXT_TOO_LONG = "text_too_long"
    UUID_CONFLICT = "uuid_conflict"
    TOO_MANY_ROOMS = "too_many_rooms"
    TOO_MANY_REACTIONS = "too_many_reactions"
    TOO_MANY_PINS = "too_many_pins"
    TOO_MANY_BLOCKS = "too_many_blocks"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


NO_ANSWERED_MESSAGE: Final = "`reply_to` is not a message of this room."
NO_SUCH_ATTACHMENT: Final = (
    "`attachments` names a file that you have not uploaded to this room, or sent already."
)
NO_SUCH_MENTIONED: Final = "`mentions` names somebody who is not a member of this room."
NOT_THE_WHOLE_ROOM: Final = "In a room of more than 50 members only owners and admins may mention everybody."
NO_SUCH_MESSAGE: Final = "There is no such message in this room."
NOT_THE_AUTHOR: Final = "Only its author may edit a message."
REACTED_ALREADY: Final = "You have reacted with this emoji already."
NO_SUCH_REACTION: Final = "You have not reacted with this emoji."
PINNED_ALREADY: Final = "The message is pinned already."
NO_SUCH_PIN: Final = "The message is not pinned."
NO_SUCH_INVITATION: Final = "The invitation is not valid any more. Ask for a new one."
NO_SUCH_USER: Final = "There is no such user."
BLOCKED: Final = "One of you has blocked the other."
"""The same for both: who is blocked learns no more than that writing is refused."""
NOT_YOURSELF: Final = "Nobody can block themselves."
NOT_STAFF: Final = "Staff can't be blocked."
ERROR_MESSAGES: Final[dict[ErrorCode, str]] = {
    ErrorCode.REQUIRED_KEYS: "A required key is missing.",
    ErrorCode.BAD_VALUE: "A value has the wrong type or range.",
    ErrorCode.INVALID_ACTION: "There is no such action.",
    ErrorCode.INVALID_TOKEN: "The token or ticket is not valid.",
    ErrorCode.NOT_AUTHENTICATED: "Authenticate first.",
    ErrorCode.NOT_MEMBER: "You are not a member of this room.",
    ErrorCode.NOT_FOUND: "It does not exist.",
    ErrorCode.FORBIDDEN: "Your role does not allow this.",
    ErrorCode.MUTED: "You are muted in this room.",
    ErrorCode.ARCHIVED: "The room is archived.",
    ErrorCode.BANNED: "The user is banned from this room.",
    ErrorCode.EMPTY_TEXT: "The text is empty.",
    ErrorCode.TEXT_TOO_LONG: "The text is longer than 4,000 code points.",
    ErrorCode.UUID_CONFLICT: "This uuid was already used with different content.",
    ErrorCode.TOO_MANY_ROOMS: "The user is in the maximum number of rooms.",
    ErrorCode.TOO_MANY_REACTIONS: "The message has the maximum number of different reactions.",
    ErrorCode.TOO_MANY_PINS: "The room has the maximum number of pinned messages.",
    ErrorCode.TOO_MANY_BLOCKS: "You have blocked the maximum number of people.",
    ErrorCode.RATE_LIMITED: "Too many commands; slow down.",
    ErrorCode.TOO_MANY_CONNECTIONS: "Too many connections of this user.",
    ErrorCode.BUSY: "Not accepted; retry with the same uuid later.",
    ErrorCode.UNAVAILABLE: "This is switched off in this install.",
    ErrorCode.INTERNAL: "The command failed and was not stored.",
}
"""One sentence for people behind each code."""


class CloseCode(IntEnum):
    """WebSocket close codes that Roomlog sends (RFC 6455 section 7.4; 4xxx are ours)."""

    GOING_AWAY = 1001
    MALFORMED = 1003
    POLICY = 1008
    TOO_BIG = 1009
    RESTART = 1012
    OVERLOADED = 1013
    UNAUTHENTICATED = 4401
    EXPIRED = 4402
    REVOKED = 4403
    TOO_SLOW = 4408


class ContractError(Exception):
    """Root of what the codec raises."""


class MalformedFrame(ContractError):
    """The frame is no JSON object, or nests too deep: close 1003 with `reason` (at most 123 bytes)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RefusedCommand(ContractError):
    """A command that is answered with an error and goes no further.

    `uuid` and `action` are echoed where they could be read; `close` asks for 1003 after the answer,
    because a client that sends no uuid can't tell its answers apart. `retry_after_ms` goes with RATE_LIMITED.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        uuid: str | None = None,
        action: str | None = None,
        close: bool = False,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message or ERROR_MESSAGES[code]
        self.uuid = uuid
        self.action = action
        self.close = close
        self.retry_after_ms = retry_after_ms
