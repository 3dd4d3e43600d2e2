"""What a worker's spans tell: how long a command waited, was written and published, in its trace."""

import pytest

from roomlog_contract.keyspace import Keyspace
from roomlog_worker.spans import Spans
from tests.harness.people import People, make_room, message
from tests.harness.spans import KeptSpans, facts_of, names_of, parent_of, trace_of
from tests.worker.bench import Bench

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STAGES = ["queue", "write", "publish"]


@pytest.fixture
def kept(bench: Bench) -> KeptSpans:
    """The spans of the bench's worker."""
    kept = KeptSpans()
    bench.worker.consumer._note = Spans(kept.tracer).note
    return kept


def test_a_command_s_stages_are_of_its_gateway_s_span(bench: Bench, people: People, kept: KeptSpans) -> None:
    """Each begins where the one before it ended, and the notice takes the context on."""
    room = make_room(people.alice)
    traceparent = f"00-{TRACE}-{PARENT}-01"
    bench.send(message(room, uuid="u"), people.alice, traceparent=traceparent)
    notices = bench.drain().notices
    spans = kept.ended()
    assert names_of(spans) == STAGES
    assert {(trace_of(span), parent_of(span)) for span in spans} == {(TRACE, PARENT)}
    assert [span.end_time for span in spans[:2]] == [span.start_time for span in spans[1:]]
    assert [notice.traceparent for notice in notices] == [traceparent]
    assert facts_of(spans[1]) == {
        "uuid": "u",
        "action": "new_message",
        "shard": Keyspace().shard_of_room(room),
        "outcome": "event",
        "room": str(room),
        "seq": 2,
    }


def test_what_was_not_sampled_has_no_spans(bench: Bench, people: People, kept: KeptSpans) -> None:
    """The gateway decides for all by the flag, as the SDK's samplers do."""
    room = make_room(people.alice)
    bench.send(message(room), people.alice, traceparent=f"00-{TRACE}-{PARENT}-00")
    assert len(bench.drain().notices) == 1
    assert kept.ended() == ()


@pytest.mark.parametrize("traceparent", ["", f"00-{TRACE}-{PARENT}"])
def test_without_a_context_the_trace_begins_here(
    bench: Bench, people: People, kept: KeptSpans, traceparent: str
) -> None:
    """A malformed one is no error: the message is stored; its batch mate, refused, has its own trace."""
    room = make_room(people.alice)
    for sender in (people.alice, people.bob):
        bench.send(message(room, uuid="u"), sender, traceparent=traceparent)
    assert bench.drain().seqs() == [2]
    spans = kept.ended()
    assert names_of(spans) == [*STAGES, "command"] * 2
    for mine in (spans[:4], spans[4:]):
        root = mine[-1]
        assert parent_of(root) is None
        assert {(trace_of(span), parent_of(span)) for span in mine[:-1]} == {
            (trace_of(root), f"{root.context.span_id:016x}")
        }
    assert [facts_of(span)["outcome"] for span in (spans[3], spans[7])] == ["event", "not_member"]
