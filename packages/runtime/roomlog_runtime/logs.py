"""One log for a process: every record, ours or a library's, is one line on standard output.

Beside the message's way. Services log with `structlog.get_logger()`: the event's name as the message, facts
as fields. No field may hold message text, a password or a token. Libraries may quote what a client sent:
their debug lines are never written, Django's lines about requests lose the path, and of an exception only its
class and its places in the code are written. docs/logs.md lists the events and their fields.
"""

import logging
import logging.config
import os
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from roomlog_runtime.settings import read_choice

LEVELS = ("debug", "info", "warning", "error", "critical")
FORMATS = ("json", "console")
CAPTURED_LOGGERS = ("gunicorn.error", "gunicorn.access", "django", "django.server")
"""Libraries that bring handlers of their own: theirs are taken away, their records come to ours."""

OWN_LOGGERS: Final = tuple(
    f"roomlog{part}" for part in ("", "_api", "_contract", "_gateway", "_runtime", "_worker")
)
"""The loggers that may write debug lines."""
REQUESTS: Final = {
    "gunicorn.access": "the api's own request log says more, without the path",
    "django.server": "the same, in development",
}
"""Libraries' logs of requests, which quote paths; kept out, with the reason."""
DEEPEST: Final = 8
"""Exceptions of one chain that are written."""
SERVER_ERROR = 500
"""HTTP statuses from here on are the server's fault."""
_OWN: Final = logging.getLogger(__name__)


def configure_logs(service: str, *, environ: Mapping[str, str] = os.environ) -> None:
    """Route structlog and the standard library's logging to standard output; the last call wins.

    Reads ROOMLOG_LOG_LEVEL (info) and ROOMLOG_LOG_FORMAT (json or console). Context variables bound with
    `structlog.contextvars` are on every line of their context.
    """
    level = _level(environ)
    logging.config.dictConfig(stdlib_config(service, environ=environ))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *_shared(service),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def is_debug() -> bool:
    """Return whether debug lines are written. On a message's path, ask once and make no line in vain."""
    return _OWN.isEnabledFor(logging.DEBUG)


def stdlib_config(service: str, *, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the standard library's half, for gunicorn's `logconfig_dict` and Django's `LOGGING`.

    gunicorn configures logging after it has read its own configuration file, and would otherwise undo ours.
    """
    captured = {"handlers": [], "propagate": True}
    level = _level(environ)
    loggers: dict[str, dict[str, Any]] = {name: dict(captured) for name in CAPTURED_LOGGERS}
    loggers |= {name: {**captured, "level": "WARNING"} for name in REQUESTS}
    loggers |= {name: {"level": level} for name in OWN_LOGGERS}
    formatter = _formatter(service, environ)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": lambda: formatter}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "line",
                "filters": ["refused"],
            }
        },
        "filters": {"refused": {"()": lambda: refused_without_traceback}},
        "root": {"level": max(level, logging.INFO), "handlers": ["stdout"]},
        "loggers": loggers,
    }


def refused_without_traceback(record: logging.LogRecord) -> bool:
    """Take the traceback from a record of a refused request: it is its sender's mistake, not ours.

    Django gives such records the answer's status.
    """
    if getattr(record, "status_code", SERVER_ERROR) < SERVER_ERROR:
        record.exc_info = record.exc_text = None
    return True


def _level(environ: Mapping[str, str]) -> int:
    return logging.getLevelNamesMapping()[
        read_choice("ROOMLOG_LOG_LEVEL", LEVELS, "info", environ=environ).upper()
    ]


def _shared(service: str) -> list[Processor]:
    """Return the processors of every record, whoever wrote it."""

    def add_service(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
    ]


def _formatter(service: str, environ: Mapping[str, str]) -> structlog.stdlib.ProcessorFormatter:
    renderers: list[Processor]
    if read_choice("ROOMLOG_LOG_FORMAT", FORMATS, "json", environ=environ) == "json":
        renderers = [_EXCEPTIONS, structlog.processors.JSONRenderer()]
    else:
        console = structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
        renderers = [_EXCEPTIONS, _escape_event, console, _escape_line]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, *_shared(service), _without_path],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )


def places_of(error: BaseException) -> str:
    """Return an exception's traceback without the words of any exception: they may quote a client.

    In a chain the cause comes first, as in Python's own.
    """
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and len(chain) < DEEPEST:
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\n".join(_places(each) for each in reversed(chain))


def _places(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    kind = type(error)
    inner = [places_of(each) for each in getattr(error, "exceptions", ())]
    return "\n".join(
        [f"Traceback (most recent call last):\n{frames}{kind.__module__}.{kind.__qualname__}", *inner]
    )


def _format_exception(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    return places_of(exc_info[1])


_EXCEPTIONS: Final = structlog.processors.ExceptionRenderer(_format_exception)


def _without_path(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Make an event of Django's line about a request: its own words quote the path, or the Host header."""
    record = event.get("_record")
    status = getattr(record, "status_code", None)
    if status is not None:
        event["event"] = "request_failed" if status >= SERVER_ERROR else "request_rejected"
        event["status"] = int(status)
        event["route"] = route_of(getattr(record, "request", None))
    return event


def route_of(request: Any) -> str | None:
    """Return the pattern of a Django request's path, as `api/v1/rooms/<uuid:room>/`; None if none fits."""
    match = getattr(request, "resolver_match", None)
    return None if match is None else str(match.route)


def _escape_event(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Keep a library's message on its line: a user agent with a line break must not forge a record."""
    event["event"] = str(event["event"]).replace("\r", "\\r").replace("\n", "\\n")
    return event


def _escape_line(logger: WrappedLogger, method: str, line: Any) -> str:
    return escaped(line)


def escaped(text: str) -> str:
    """Return lines that can't command a terminal: controls and overrides are shown as escapes."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1]
        for character in text
    )
