"""Properties of the codec that need no second reading of the specification: how deep a text nests.

What a frame means is held to that second reading, over drawn frames of every action, by
`tests/abuse/fuzz/test_fuzzing.py`.
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomlog_contract import limits
from roomlog_contract.codec import _depth, decode_command
from roomlog_contract.errors import MalformedFrame
from tests.abuse.fuzz.reference import depth

nesting = st.text(st.sampled_from('[]{}",:\\a1'), max_size=120)


@given(nesting | st.text())
def test_depth_is_what_a_person_counts(text: str) -> None:
    """The fast count agrees with a naive one on closed and unclosed strings alike."""
    assert _depth(text) == depth(text)


@given(st.recursive(st.just(1), lambda inner: st.lists(inner, max_size=2), max_leaves=60))
def test_depth_is_what_the_value_nests(value: object) -> None:
    """A frame is refused for its depth exactly when it nests deeper than 16."""
    text = json.dumps(value)
    if depth(text) > limits.JSON_DEPTH:
        with pytest.raises(MalformedFrame, match="nested deeper than 16"):
            decode_command(text)
    else:
        with pytest.raises(MalformedFrame, match="not a JSON object"):
            decode_command(text)
