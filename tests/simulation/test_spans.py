"""OpenTelemetry's spans of real gateways, workers and clients, kept in memory: a message is one trace."""

from collections import defaultdict
from functools import partial
from unittest.mock import patch

from opentelemetry.sdk.trace import ReadableSpan

from roomlog_gateway.gateway import Gateway
from roomlog_gateway.rooms.spans import Spans as GatewaySpans
from roomlog_worker.spans import Spans as WorkerSpans
from tests.harness.spans import KeptSpans, facts_of, names_of, parent_of, trace_of
from tests.simulation import gateways, workers
from tests.simulation.seeds import Verdict, run_seed

SEED = 11
WHOLE = ["command", "deliver", "deliver", "publish", "queue", "write"]
FACTS = {"uuid", "action", "shard", "outcome", "room", "seq", "connections"}


def run_traced() -> tuple[Verdict, dict[str, list[ReadableSpan]]]:
    """Run a world whose gateways and workers make spans; return them by trace."""
    kept = KeptSpans()
    of_gateway, of_worker = GatewaySpans(kept.tracer), WorkerSpans(kept.tracer)
    gateway = partial(Gateway, note=of_gateway.note, begin=of_gateway.begin)
    consumer = partial(workers._Consumer, note=of_worker.note)
    with patch.object(gateways, "Gateway", gateway), patch.object(workers, "_Consumer", consumer):
        verdict = run_seed(SEED)
    traces: dict[str, list[ReadableSpan]] = defaultdict(list)
    for span in kept.ended():
        traces[trace_of(span)].append(span)
    return verdict, traces


def test_a_message_is_one_trace_through_gateway_worker_and_gateways() -> None:
    """Across the streams and channels, among faults, and its history is the one without spans."""
    verdict, traces = run_traced()
    assert verdict.history is not None
    assert verdict.digest == run_seed(SEED).digest
    whole = 0
    for spans in traces.values():
        roots = [span for span in spans if span.parent is None]
        if not roots:
            continue  # its gateway was killed before it had the answer
        (root,) = roots
        others = [span for span in spans if span is not root]
        assert {parent_of(span) for span in others} <= {f"{root.context.span_id:016x}"}
        whole += sorted(names_of(spans)) == WHOLE
    assert whole > len(verdict.history.rows) / 2
    assert {name for spans in traces.values() for span in spans for name in facts_of(span)} == FACTS
