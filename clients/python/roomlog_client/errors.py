"""What the client raises.

RoomlogError
├── CommandError          the server refused a command: it is not stored
│   ├── InvalidToken, NotMember, NotFound, Forbidden, Muted, Archived, Banned
│   ├── BadValue, EmptyText, TextTooLong, UuidConflict
│   └── Unavailable, InternalError
├── Throttled             the api was asked too often; `retry_after_seconds` says how long to wait
├── Unreachable           the api did not answer, or something before it did
├── OutboxFull            too much waits already: the command was not taken
├── NotSent               the deadline passed before the command was sent: it is not stored
├── OutcomeUnknown        the deadline passed without an answer: repeat the same uuid
├── Disconnected          the client ended for good: closed, token invalid, or cut off
│   ├── SignedOut         raised by a program's token function: there is no token any more
│   └── CutOff            the server closed with 4401 or 4403; `code` says which
└── ProtocolError         the server sent what no release of Roomlog says
"""

from typing import Final

from roomlog_contract.errors import CloseCode, ErrorCode


class RoomlogError(Exception):
    """Root of what the client raises."""


class CommandError(RoomlogError):
    """The server refused a command; the subclass tells why, and so does `code`."""

    def __init__(self, code: str, message: str, uuid: str = "", room: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.uuid = uuid
        self.room = room


class InvalidToken(CommandError):
    """The token is not, or no longer, valid."""


class NotMember(CommandError):
    """The user is not a member of the room, or there is no such room."""


class NotFound(CommandError):
    """What the command names does not exist."""


class Forbidden(CommandError):
    """The user's role does not allow it."""


class Muted(CommandError):
    """The user is muted in the room."""


class Archived(CommandError):
    """The room is archived."""


class Banned(CommandError):
    """The user to invite is banned from the room."""


class BadValue(CommandError):
    """A value has the wrong type or range."""


class EmptyText(CommandError):
    """The text is empty."""


class TextTooLong(CommandError):
    """The text is longer than 4,000 code points."""


class UuidConflict(CommandError):
    """The uuid was used for another content."""


class Unavailable(CommandError):
    """The server has this switched off."""


class InternalError(CommandError):
    """The server failed; the command is not stored."""


class Throttled(RoomlogError):
    """The api was asked too often."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"asked too often; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class Unreachable(RoomlogError):
    """The api did not answer, or something before it did. Try again later, or with another address."""


class OutboxFull(RoomlogError):
    """As many commands as the outbox holds wait already."""


class NotSent(RoomlogError):
    """The deadline passed before there was a connection to send on."""


class OutcomeUnknown(RoomlogError):
    """The command was sent and not answered in time. Repeating `uuid` is always safe."""

    def __init__(self, uuid: str) -> None:
        super().__init__(f"no answer to {uuid}; it may be stored, repeat the same uuid")
        self.uuid = uuid


class Disconnected(RoomlogError):
    """The client has ended and will not reconnect."""


class SignedOut(Disconnected):
    """A token function raises it when nobody is signed in: the client ends instead of trying again."""


class CutOff(Disconnected):
    """The server does not want this user any more."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class ProtocolError(RoomlogError):
    """A frame that the client can't read; the connection is given up and made anew."""


RETRIED: Final = frozenset({ErrorCode.BUSY, ErrorCode.RATE_LIMITED, ErrorCode.NOT_AUTHENTICATED})
"""Refusals that certainly stored nothing and pass by themselves: the outbox repeats them."""

FINAL_CLOSES: Final = frozenset({CloseCode.UNAUTHENTICATED, CloseCode.REVOKED})
"""After these the client does not reconnect by itself."""

_BY_CODE: Final[dict[str, type[CommandError]]] = {
    ErrorCode.INVALID_TOKEN: InvalidToken,
    ErrorCode.NOT_MEMBER: NotMember,
    ErrorCode.NOT_FOUND: NotFound,
    ErrorCode.FORBIDDEN: Forbidden,
    ErrorCode.MUTED: Muted,
    ErrorCode.ARCHIVED: Archived,
    ErrorCode.BANNED: Banned,
    ErrorCode.BAD_VALUE: BadValue,
    ErrorCode.REQUIRED_KEYS: BadValue,
    ErrorCode.INVALID_ACTION: BadValue,
    ErrorCode.EMPTY_TEXT: EmptyText,
    ErrorCode.TEXT_TOO_LONG: TextTooLong,
    ErrorCode.UUID_CONFLICT: UuidConflict,
    ErrorCode.UNAVAILABLE: Unavailable,
    ErrorCode.INTERNAL: InternalError,
}


def error_of(code: str, message: str, uuid: str = "", room: str = "") -> CommandError:
    """Return the error of an answer; codes of a later release are plain `CommandError`."""
    return _BY_CODE.get(code, CommandError)(code, message, uuid, room)
