"""A collector of OpenTelemetry: takes spans over OTLP by HTTP from real processes, or is mute."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from roomlog_local.ports import LOOPBACK

Origin = dict[str, str]
"""The attributes of a span's resource."""


class Collector:
    """Listens from `with` to its end."""

    def __init__(self, *, is_mute: bool = False) -> None:
        self._bodies: list[bytes] = []
        self.asked = Event()
        """Somebody has sent spans."""
        self._is_over = Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                collector._bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                collector.asked.set()
                if is_mute:
                    collector._is_over.wait()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Say nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def spans(self) -> list[tuple[Origin, Any]]:
        """Return all spans that came, each with its origin."""
        found = []
        for body in list(self._bodies):
            for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
                origin = {one.key: one.value.string_value for one in sent.resource.attributes}
                found += [(origin, span) for scope in sent.scope_spans for span in scope.spans]
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
