"""Spans of OpenTelemetry from the gateway's own notes: a write until its answer, and each event's fan-out.

Beside the message's way, in memory only; docs/traces.md lists the spans. Imports OpenTelemetry: it must be
imported only where that is on.
"""

from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context

from roomlog_contract.trail import Ended, Refused, Step, Written
from roomlog_runtime.trace_context import context_of, traceparent_of

from .pending_requests import Request

_NO_PARENT: Final = Context()


class Spans:
    """Begins and ends the spans of one gateway."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, request: Request) -> str:
        """Begin the span of a write that is about to be sent; return the context that goes with it."""
        facts: dict[str, str | int] = {
            "roomlog.uuid": request.uuid,
            "roomlog.action": request.action,
            "roomlog.shard": request.shard,
        }
        if request.room is not None:
            facts["roomlog.room"] = str(request.room)
        span = self._tracer.start_span("roomlog.command", _NO_PARENT, SpanKind.SERVER, facts)
        request.span = span
        return traceparent_of(set_span_in_context(span, _NO_PARENT))

    def note(self, step: Step, trace: object = None, /) -> None:
        """Take a step: of an end the command's span, of an event its trace context.

        The span of a write that was refused in the end is dropped: the refusal is a span of its own.
        """
        match step:
            case Ended(how=how) if isinstance(trace, Span):
                trace.set_attribute("roomlog.outcome", how)
                if how == "expired":
                    trace.set_status(StatusCode.ERROR)
                trace.end()
            case Written() if isinstance(trace, str) and trace:
                self._deliver(step, trace)
            case Refused(uuid=uuid, action=action, code=code):
                facts = {"roomlog.uuid": uuid, "roomlog.action": action, "roomlog.outcome": code}
                self._tracer.start_span("roomlog.refuse", _NO_PARENT, SpanKind.SERVER, facts).end()

    def _deliver(self, step: Written, traceparent: str) -> None:
        context = context_of(traceparent)
        if context is not None:
            facts: dict[str, str | int] = {
                "roomlog.room": str(step.room),
                "roomlog.seq": step.seq,
                "roomlog.connections": step.connections,
            }
            self._tracer.start_span("roomlog.deliver", context, SpanKind.CONSUMER, facts).end()
