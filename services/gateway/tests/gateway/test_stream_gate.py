"""When a stream is full."""

from roomlog_contract import limits
from roomlog_gateway.redis.stream_gate import SHUT_SAMPLE_SECONDS, WEIGH_ENTRIES, StreamGate


def test_a_long_or_heavy_stream_shuts_the_gate_until_it_is_short() -> None:
    """10,000 entries or 32 MiB are the most; short streams are not weighed, which costs more."""
    gate = StreamGate()
    gate.sampled(limits.STREAM_ENTRIES - 1)
    assert not gate.is_shut
    gate.sampled(limits.STREAM_ENTRIES)
    assert gate.is_shut
    gate.sampled(limits.STREAM_ENTRIES - 1)
    assert not gate.is_shut
    gate = StreamGate()
    gate.sampled(WEIGH_ENTRIES)
    assert gate.wants_weight(0.0)
    gate.weighed(limits.STREAM_BYTES)
    assert gate.is_shut
    gate.sampled(WEIGH_ENTRIES - 1)
    assert not gate.is_shut
    gate = StreamGate()
    gate.sampled(WEIGH_ENTRIES - 1)
    assert not gate.wants_weight(0.0)


def test_a_gate_is_sampled_again_after_a_while() -> None:
    """Each write would be too often; a shut gate is looked at ten times a second."""
    gate = StreamGate()
    assert gate.wants_sample(0.0)
    assert not gate.wants_sample(0.001)
    assert gate.wants_sample(0.02)
    gate.sampled(limits.STREAM_ENTRIES)
    assert not gate.wants_sample(0.05)
    assert gate.wants_sample(0.021 + SHUT_SAMPLE_SECONDS)
