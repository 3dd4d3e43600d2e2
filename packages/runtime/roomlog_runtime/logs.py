"""One log for a process: every record, ours or a library's, is one line on standard output.

Beside the message's way. Services log with `structlog.get_logger()`: the event's name as the message, facts
as fields. It must not see message text, passwords or tokens: nobody filters them out here.
"""

import logging
import logging.config
import os
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from roomlog_runtime.settings import read_choice

LEVELS = ("debug", "info", "warning", "error", "critical")
FORMATS = ("json", "console")
CAPTURED_LOGGERS = ("gunicorn.error", "gunicorn.access", "django", "django.server")
"""Libraries that bring handlers of their own: theirs are taken away, their records come to ours."""

SERVER_ERROR = 500
"""HTTP statuses from here on are the server's fault."""


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


def stdlib_config(service: str, *, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the standard library's half, for gunicorn's `logconfig_dict` and Django's `LOGGING`.

    gunicorn configures logging after it has read its own configuration file, and would otherwise undo ours.
    """
    captured = {"handlers": [], "propagate": True}
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
        "root": {"level": _level(environ), "handlers": ["stdout"]},
        "loggers": dict.fromkeys(CAPTURED_LOGGERS, captured),
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
        renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # A plain traceback: boxes and local variables would put message text on the console.
        plain = structlog.dev.plain_traceback
        console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)
        renderers = [_escape_event, console, _escape_line]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, *_shared(service)],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )


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
