"""OpenTelemetry by its own variables: when it is on, where spans go, and what a missing package says."""

import time

import pytest

from roomlog_runtime.errors import SettingError
from roomlog_runtime.tracing import CLOSE_SECONDS, Tracing, read_exporters
from tests.harness.collector import Collector

ENDPOINT = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    ("environ", "exporters"),
    [
        ({}, ()),
        ({"OTEL_SERVICE_NAME": "chat", "OTEL_TRACES_SAMPLER": "always_on"}, ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT}, ("otlp_proto_http",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ENDPOINT}, ("otlp_proto_http",)),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ("console", "otlp_proto_http")),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT}, ()),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "absent"}, ()),
    ],
)
def test_spans_go_where_the_variables_say(environ: dict[str, str], exporters: tuple[str, ...]) -> None:
    """An exporter, or an address for the default one, switches spans on."""
    assert read_exporters(environ) == exporters


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "absent"}, r"^OTEL_TRACES_EXPORTER .* 'absent', which is not installed"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            r"^OTEL_EXPORTER_OTLP_ENDPOINT .* 'otlp_proto_grpc', .*roomlog-runtime\[otel\]",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
            "^OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is 'http/json'",
        ),
    ],
)
def test_what_is_not_installed_is_refused_at_start(environ: dict[str, str], said: str) -> None:
    """One sentence names the variable and what is missing."""
    with pytest.raises(SettingError, match=said):
        read_exporters(environ)


def test_spans_are_exported_with_their_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the SDK, which reads its own variables: one that names the service wins over ours."""
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        for name in ("", "chat"):
            monkeypatch.setenv("OTEL_SERVICE_NAME", name)
            tracing = Tracing(read_exporters(), "roomlog-gateway")
            tracing.tracer.start_span("hello").end()
            tracing.close()
        assert [(origin["service.name"], span.name) for origin, span in collector.spans()] == [
            ("roomlog-gateway", "hello"),
            ("chat", "hello"),
        ]


def test_an_end_does_not_wait_for_a_mute_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not take at once is lost; the SDK by itself would wait for ten seconds."""
    with Collector(is_mute=True) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        tracing = Tracing(read_exporters(), "roomlog-gateway")
        tracing.tracer.start_span("hello").end()
        began = time.monotonic()
        tracing.close()
        assert time.monotonic() - began < 4 * CLOSE_SECONDS
        assert collector.asked.is_set()
