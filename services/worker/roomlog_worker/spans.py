"""Spans of OpenTelemetry from the worker's own notes: how long a command waited, was written, was published.

Beside the message's way, in memory only; docs/traces.md lists the spans. Each command of a batch has spans of
its own, with the times of the batch. Imports OpenTelemetry: it must be imported only where that is on.
"""

import time
from collections.abc import Iterator
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode, Tracer, set_span_in_context

from roomlog_contract.trail import Decided, Step
from roomlog_runtime.trace_context import context_of

from .steps import Origin

_NS_PER_MS: Final = 1_000_000
Stage = tuple[str, int, int]
"""A span's name, its begin and its end, in ns since 1970."""


class Spans:
    """Makes the spans of one worker: all of a command's at once, when it is published."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def note(self, step: Step, trace: object = None, /) -> None:
        """Take what became of a command, with its origin."""
        if isinstance(step, Decided) and isinstance(trace, Origin):
            self._make_spans(step, trace, list(_stages(step, trace)))

    def _make_spans(self, step: Decided, origin: Origin, stages: list[Stage]) -> None:
        facts, root = _facts(step, origin), None
        context = context_of(origin.entry.envelope.traceparent)
        if context is None:
            # The api's, or of a gateway that does not trace, or illegible: the trace begins here.
            begin = stages[0][1]
            root = self._tracer.start_span("roomlog.command", Context(), SpanKind.CONSUMER, facts, (), begin)
            context = set_span_in_context(root, Context())
        for name, begin, end in stages:
            span = self._tracer.start_span(name, context, SpanKind.CONSUMER, facts, (), begin)
            if not span.is_recording():
                return  # the sampler's word counts for the whole trace
            if name == "roomlog.publish" and not step.is_published:
                span.set_status(StatusCode.ERROR)
            span.end(end)
        if root is not None:
            root.end(stages[-1][2])


def _stages(step: Decided, origin: Origin) -> Iterator[Stage]:
    clock, _, _ = step.entry.partition("-")
    if clock.isdecimal():  # Redis' clock, in ms; a pending command has none
        yield "roomlog.queue", min(int(clock) * _NS_PER_MS, origin.began_ns), origin.began_ns
    yield "roomlog.write", origin.began_ns, origin.decided_ns
    yield "roomlog.publish", origin.decided_ns, time.time_ns()


def _facts(step: Decided, origin: Origin) -> dict[str, str | int]:
    facts: dict[str, str | int] = {
        "roomlog.uuid": step.uuid,
        "roomlog.action": origin.entry.action,
        "roomlog.shard": step.shard,
        "roomlog.outcome": step.result,
    }
    if step.room is not None:
        facts |= {"roomlog.room": str(step.room), "roomlog.seq": step.seq}
    return facts
