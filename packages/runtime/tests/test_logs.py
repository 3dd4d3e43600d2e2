"""One log for a process: one line a record, whoever wrote it.

Each case is a process of its own, as the services are: logging is set up once for a whole process.
"""

import json
from typing import Any

import pytest

from tests.harness.manage import run_python

DEADLINE_SECONDS = 20.0


def output_of(program: str, **environ: str) -> str:
    """What a small program writes to standard output after `configure_logs("worker")`."""
    setup = "import logging, structlog\nfrom roomlog_runtime.logs import *\nconfigure_logs('worker')\n"
    done = run_python("-c", setup + program, environ=environ, seconds=DEADLINE_SECONDS)
    assert done.stderr == ""
    return done.stdout


def records_of(program: str, **environ: str) -> list[dict[str, Any]]:
    """The same, as JSON records."""
    return [json.loads(line) for line in output_of(program, **environ).splitlines()]


def test_a_record_has_event_facts_and_origin() -> None:
    """Whoever wrote it: a library's looks the same."""
    (record,) = records_of("structlog.get_logger('leases').info('lease_taken', shard=7)")
    assert record.pop("timestamp").endswith("Z")
    facts = {"event": "lease_taken", "shard": 7, "level": "info"}
    assert record == {**facts, "logger": "leases", "service": "worker"}
    (record,) = records_of("logging.getLogger('redis').warning('lost %s', 'link')")
    assert (record["event"], record["level"], record["service"]) == ("lost link", "warning", "worker")


def test_bound_context_is_on_every_line_of_its_context() -> None:
    """What the hop binds (the uuid, say) is on our lines and on the libraries' lines."""
    program = (
        "structlog.contextvars.bind_contextvars(uuid='u1')\n"
        "structlog.get_logger().info('a')\nlogging.getLogger('x').info('b')"
    )
    assert [record["uuid"] for record in records_of(program)] == ["u1", "u1"]


def test_an_exception_is_one_line_that_says_where_and_not_what() -> None:
    """A traceback stays inside its record; its words may quote a client."""
    program = "try:\n 1/0\nexcept ZeroDivisionError:\n structlog.get_logger().exception('step_failed')"
    (record,) = records_of(program)
    assert "ZeroDivisionError" in record["exception"]
    program = "try:\n try:\n  raise KeyError('secret')\n except KeyError as error:\n"
    program += "  raise ValueError('secret') from error\n"
    program += "except ValueError:\n structlog.get_logger().exception('failed')"
    (record,) = records_of(program)
    assert "KeyError" in record["exception"]
    assert "ValueError" in record["exception"]
    assert "secret" not in record["exception"].replace("raise KeyError('secret')", "")


def test_below_its_level_nothing_is_written() -> None:
    """Ours or a library's; libraries write no debug lines at all."""
    program = "structlog.get_logger().info('a')\nlogging.getLogger('x').info('b')"
    assert output_of(program, ROOMLOG_LOG_LEVEL="warning") == ""
    program = "logging.getLogger('library').debug('quoted')\n"
    program += "structlog.get_logger('roomlog_worker.x').debug('ours')"
    assert [record["event"] for record in records_of(program, ROOMLOG_LOG_LEVEL="debug")] == ["ours"]


def test_console_lines_can_not_be_forged_and_command_no_terminal() -> None:
    """A line break starts no record; escapes and overrides are shown, not obeyed."""
    program = "logging.getLogger('x').warning('agent\\nforged')"
    assert len(output_of(program, ROOMLOG_LOG_FORMAT="console").splitlines()) == 1
    evil = "\\x1b[31m\\x9b\\u202e"
    program = f"log = structlog.get_logger()\nlog.info('{evil}', name='{evil}')\n"
    program += f"try:\n raise ValueError('{evil}')\nexcept ValueError:\n log.exception('failed')"
    said = output_of(program, ROOMLOG_LOG_FORMAT="console")
    assert said.count("\\x1b[31m\\x9b\\u202e") == 2
    assert {character for character in said if not character.isprintable()} <= {"\n", "\t"}


def test_handlers_of_gunicorn_are_replaced() -> None:
    """gunicorn's own handler goes when it applies our half, so its lines come once and look alike."""
    program = (
        "gunicorn = logging.getLogger('gunicorn.error')\n"
        "gunicorn.propagate = False\ngunicorn.addHandler(logging.StreamHandler())\n"
        "import logging.config\nlogging.config.dictConfig(stdlib_config('gateway'))\n"
        "gunicorn.warning('Worker exiting')"
    )
    (record,) = records_of(program)
    assert (record["event"], record["service"]) == ("Worker exiting", "gateway")


@pytest.mark.parametrize("variable", ["ROOMLOG_LOG_LEVEL", "ROOMLOG_LOG_FORMAT"])
def test_a_wrong_setting_names_its_variable(variable: str) -> None:
    """A typing mistake ends the start with the variable's name."""
    program = "import os\nfrom roomlog_runtime.errors import SettingError\n"
    program += f"os.environ['{variable}'] = 'loud'\n"
    program += "try:\n configure_logs('worker')\nexcept SettingError as error:\n print(error.name)"
    assert output_of(program) == f"{variable}\n"
