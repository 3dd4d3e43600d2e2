"""OpenTelemetry through real processes: each sends its part of a message's trace to a collector."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.harness.collector import Collector, Origin
from tests.harness.stack import MakeStack
from tests.harness.stack_databases import POSTGRES_ONLY
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS
from tests.processes.stack.test_delivery import connect

EXPORT_MS = 100
WHOLE = Counter(
    {
        ("roomlog-gateway", "roomlog.command"): 1,
        ("roomlog-worker", "roomlog.queue"): 1,
        ("roomlog-worker", "roomlog.write"): 1,
        ("roomlog-worker", "roomlog.publish"): 1,
        ("roomlog-gateway", "roomlog.deliver"): 2,
    }
)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@POSTGRES_ONLY
async def test_a_message_is_one_trace_of_three_processes(make_stack: MakeStack, collector: Collector) -> None:
    """Its sender's gateway, the worker and both gateways tell of it; no word or name of it is in any span."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": str(EXPORT_MS),
    }
    stack = await asyncio.to_thread(make_stack, gateways=2, environ=environ)
    users = await asyncio.to_thread(stack.make_users, 2)
    (room,) = await asyncio.to_thread(stack.make_rooms, [users])
    async with AsyncExitStack() as group:
        sender, reader = [
            await connect(group, stack, user, gateway) for user, gateway in zip(users, (0, 1), strict=True)
        ]
        uuid = await sender.send("new_message", room=room.id, text="secret words")
        await eventually(lambda: reader.texts(room), SECONDS, "the message")
    await eventually(lambda: kinds_of(traced(collector, uuid)) == WHOLE, SECONDS, "all spans")
    spans = [span for _, span in traced(collector, uuid)]
    (root,) = [span for span in spans if not span.parent_span_id]
    assert {span.parent_span_id for span in spans if span is not root} == {root.span_id}
    assert all(root.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    assert len({origin["service.instance.id"] for origin, _ in traced(collector, uuid)}) == 3
    assert not [word for word in ("secret", users[0].token, users[0].name) if word in str(spans)]


def traced(collector: Collector, uuid: str) -> list[tuple[Origin, Any]]:
    """Return the spans of the trace in which the command of this uuid is."""
    spans = collector.spans()
    traces = {span.trace_id for _, span in spans if uuid in str(span.attributes)}
    return [(origin, span) for origin, span in spans if span.trace_id in traces]


def kinds_of(spans: list[tuple[Origin, Any]]) -> Counter[tuple[str, str]]:
    """Count the spans by service and name."""
    return Counter((origin["service.name"], span.name) for origin, span in spans)
