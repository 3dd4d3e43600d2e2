"""The trace context as text: what is one comes back, anything else is none."""

import pytest
from opentelemetry.trace import get_current_span

from roomlog_runtime.trace_context import context_of, traceparent_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_context_survives_the_way(flags: str) -> None:
    """With the flag that says whether it is sampled."""
    text = f"00-{TRACE}-{SPAN}-{flags}"
    context = context_of(text)
    assert context is not None
    assert traceparent_of(context) == text
    assert get_current_span(context).get_span_context().is_remote


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="none"),
        pytest.param("nonsense", id="words"),
        pytest.param(f"00-{TRACE}-{SPAN}", id="cut"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="no trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="no span"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="no version"),
        pytest.param(f"00-{TRACE}-{SPAN}-0g", id="no flags"),
        pytest.param(f"00-{TRACE}-{SPAN}-01\n\0ü" * 1000, id="long"),
    ],
)
def test_a_malformed_context_is_none(text: str) -> None:
    """It is never an error: the message goes on without it."""
    assert context_of(text) is None
