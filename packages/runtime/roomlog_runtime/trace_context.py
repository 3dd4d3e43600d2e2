"""The W3C trace context as text, which travels with a message, and as OpenTelemetry's objects.

Beside the message's way. Imports OpenTelemetry: only a service's `spans.py` may import it.
"""

from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER: Final = "traceparent"
_propagator: Final = TraceContextTextMapPropagator()


def traceparent_of(context: Context) -> str:
    """Return the context of a span as text."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, context)
    return carrier[HEADER]


def context_of(traceparent: str) -> Context | None:
    """Return the context in which a message's next span belongs; None if the text is none."""
    context = _propagator.extract({HEADER: traceparent}, Context())
    return context if get_current_span(context).get_span_context().is_valid else None
