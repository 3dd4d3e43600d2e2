"""Spans of OpenTelemetry as tests read them: kept in memory, by their names and parents."""

import random
from collections.abc import Iterable

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Tracer


class Ids(IdGenerator):
    """Draws ids from dice of its own: others may have seeded the common ones."""

    def __init__(self) -> None:
        self._dice = random.Random(0)

    def generate_span_id(self) -> int:
        return self._dice.randrange(1, 2**64)

    def generate_trace_id(self) -> int:
        return self._dice.randrange(1, 2**128)


class KeptSpans:
    """A tracer, and what it has made."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False, id_generator=Ids())
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer: Tracer = provider.get_tracer("test")

    def ended(self) -> tuple[ReadableSpan, ...]:
        """Return the spans that have ended, in the order of their ends."""
        return self._exporter.get_finished_spans()


def trace_of(span: ReadableSpan) -> str:
    """Return the trace's id as it stands in a traceparent."""
    return f"{span.context.trace_id:032x}"


def parent_of(span: ReadableSpan) -> str | None:
    """Return the parent's id as it stands in a traceparent."""
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def facts_of(span: ReadableSpan) -> dict[str, object]:
    """Return the attributes, without the prefix that all have."""
    return {name.removeprefix("roomlog."): value for name, value in (span.attributes or {}).items()}


def names_of(spans: Iterable[ReadableSpan]) -> list[str]:
    """Return the names, without the prefix that all have."""
    return [span.name.removeprefix("roomlog.") for span in spans]
