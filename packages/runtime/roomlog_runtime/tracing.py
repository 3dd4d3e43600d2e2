"""OpenTelemetry's traces, where an operator asks for them by OpenTelemetry's own variables.

Beside the message's way. While it is off, nothing of OpenTelemetry is imported. Each service says in its
`spans.py` which spans there are; a thread of the SDK exports them, and drops what it can't. The SDK itself
reads sampling, resource, queues and addresses. It must not know of chat.
"""

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from .errors import SettingError
from .settings import read_choice, read_list

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

DISABLED: Final = "OTEL_SDK_DISABLED"
EXPORTER: Final = "OTEL_TRACES_EXPORTER"
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
OTLP: Final = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
"""The exporter of each protocol, by the name of its entry point; the first is the default."""
GROUP: Final = "opentelemetry_traces_exporter"
"""The entry points by which packages offer exporters; `console` is the SDK's own."""
CLOSE_SECONDS: Final = 1.0
"""For the last spans, at the end of the process."""


def read_exporters(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the entry points of the exporters that OpenTelemetry's variables ask for; none: it is off.

    Raises:
        SettingError: an exporter is asked for and not installed.
    """
    asked = [name for name in (EXPORTER, *ENDPOINTS) if environ.get(name)]
    if not asked or environ.get(DISABLED, "").lower() == "true":
        return ()
    wanted = [name for name in read_list(EXPORTER, ("otlp",), environ=environ) if name != "none"]
    names = tuple(_otlp(environ) if name == "otlp" else name for name in wanted)
    for name in names:
        if not entry_points(group=GROUP, name=name):
            raise SettingError(
                asked[0],
                f"asks for traces by {name!r}, which is not installed; install roomlog-runtime[otel], "
                "or the package of that exporter",
            )
    return names


def _otlp(environ: Mapping[str, str]) -> str:
    name = next((name for name in PROTOCOLS if environ.get(name)), PROTOCOLS[-1])
    return OTLP[read_choice(name, tuple(OTLP), next(iter(OTLP)), environ=environ)]


class Tracing:
    """The SDK in one process, with a tracer for its spans."""

    def __init__(self, exporters: Sequence[str], service: str) -> None:
        """Export nothing yet. `service` names the spans' origin where the operator's variables don't."""
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        origin = {"service.name": service, "service.instance.id": f"{socket.gethostname()}-{os.getpid()}"}
        resource = Resource.create({**origin, **OTELResourceDetector().detect().attributes})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        for exporter in exporters:
            found = next(iter(entry_points(group=GROUP, name=exporter)))
            self._provider.add_span_processor(BatchSpanProcessor(found.load()()))
        self.tracer: Tracer = self._provider.get_tracer("roomlog")

    def close(self) -> None:
        """Export what is left, if that is possible at once."""
        thread = threading.Thread(target=self._provider.shutdown, name="tracing", daemon=True)
        thread.start()
        thread.join(CLOSE_SECONDS)
