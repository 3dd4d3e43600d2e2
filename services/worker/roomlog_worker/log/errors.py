"""The log's errors.

LogError
├── RefusedWrite    the command can't become an event as things stand; its code goes to the sender
└── HeldElsewhere   another transaction decides something of the same person just now: try again later
"""

from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode


class LogError(Exception):
    """Root of the log's errors."""


class RefusedWrite(LogError):
    """A command that the present state of its room does not allow. Nothing was written for it."""

    def __init__(
        self, code: ErrorCode, message: str | None = None, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message or ERROR_MESSAGES[code]
        self.retry_after_ms = retry_after_ms


class HeldElsewhere(LogError):
    """A row that decides the command is locked by somebody else. Nothing was written for it."""
