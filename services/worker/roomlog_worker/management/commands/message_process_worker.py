"""`manage.py message_process_worker`: the worker process, put together."""

import gc
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import structlog
from django.core.management.base import BaseCommand, CommandError

from roomlog import checks, notices
from roomlog.databases import become_writer
from roomlog_contract.trail import Note, Step, all_of, pack
from roomlog_runtime.health import Checks, HealthServer
from roomlog_runtime.logs import configure_logs
from roomlog_runtime.settings import SettingError
from roomlog_runtime.shutdown import Shutdown
from roomlog_runtime.tracing import Tracing
from roomlog_runtime.trail import Trail
from roomlog_worker.beacon import BeaconThread, Pulse
from roomlog_worker.claim import Claim
from roomlog_worker.cluster_bus import bus_of
from roomlog_worker.config import Config, read_config
from roomlog_worker.consumer import Consumer
from roomlog_worker.crash_point import CrashPoint
from roomlog_worker.errors import Forgotten, LoginRefused
from roomlog_worker.indexer import Indexer
from roomlog_worker.lane import lanes_of
from roomlog_worker.leases import LeaseKeeper

log = structlog.get_logger()

COLLECTIONS: Final = (20_000, 10, 10)
"""Python's own but for the first: a full batch makes some thousand objects, which are all gone after it."""
SWITCH_SECONDS: Final = 0.0005


class Command(BaseCommand):
    """Takes commands from the streams of the shards it owns and writes the rooms' logs."""

    help = "Process commands until SIGTERM or SIGINT, then release the shards."
    requires_system_checks = (checks.TAG,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--ordinal`."""
        parser.add_argument("--ordinal", type=int, help="default: what the host name ends in, or 0")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until asked to stop."""
        configure_logs("worker")
        try:
            config = read_config(options["ordinal"])
        except SettingError as error:
            raise CommandError(str(error)) from error
        _favour_the_writer()
        run(config)


def run(config: Config) -> None:
    """Put the parts together and work until shutdown is requested."""
    become_writer()
    notices.disconnect()
    shutdown = Shutdown()
    shutdown.install()
    leases = LeaseKeeper(uuid4(), config.ordinal)
    bus = bus_of(config.redis_url, config.keyspace)
    lanes = lanes_of(config.redis_url, config.keyspace, shutdown)
    pulse = Pulse()
    trail = Trail(config.redis_url, config.keyspace.trail_key, pack, config.trail_mib)
    note, end_spans = _followers(config, trail)
    crash = CrashPoint(config.crash_point)
    consumer = Consumer(bus, leases, Claim(bus), shutdown, crash, lanes, pulse, note)
    checks = Checks(live=consumer.is_turning, ready=consumer.trouble)
    health = HealthServer(config.health_bind, checks)
    health.start()
    BeaconThread(config.redis_url, config.keyspace, leases.uuid.hex, pulse, shutdown).start()
    trail.start(f"worker {config.ordinal} on {socket.gethostname()}")
    Indexer(config.keyspace, pulse, shutdown).start()
    log.info("worker_started", ordinal=config.ordinal, worker=str(leases.uuid))
    try:
        consumer.run()
    except Forgotten:
        # Kubernetes, or the demo's supervisor, starts the successor.
        raise CommandError("Paused for too long: others removed this process's row. Restart it.") from None
    except LoginRefused as refused:
        raise CommandError(f"Login refused: {refused}. A new start reads the password again.") from None
    except SettingError as error:  # found only once the database answers
        raise CommandError(str(error)) from None
    finally:
        health.stop()
        trail.close()
        end_spans()
    if any(lane.has_failed for lane in lanes):
        raise CommandError("A read thread failed; see the log. Restart the worker.")
    log.info("worker_stopped", ordinal=config.ordinal)


def _favour_the_writer() -> None:
    """Let nothing stop the writer's thread that can wait."""
    # What the imports made stays: neither a collection nor the process's end goes through it again.
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    # Beside a thread that computes, the writer gets its turn after this and not after 5 ms.
    sys.setswitchinterval(SWITCH_SECONDS)


def _followers(config: Config, trail: Trail[Step]) -> tuple[Note, Callable[[], None]]:
    """Return what takes steps of commands, and what ends the spans."""
    notes: list[Note] = [trail.note] if config.trail_mib else []
    if not config.span_exporters:
        return all_of(notes), lambda: None
    from roomlog_worker.spans import Spans  # imports OpenTelemetry

    tracing = Tracing(config.span_exporters, "roomlog-worker")
    return all_of([*notes, Spans(tracing.tracer).note]), tracing.close
