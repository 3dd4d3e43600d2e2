"""Properties of the codec that need no second reading of the specification: how deep a text nests.

What a frame means is held to that second reading, over drawn frames of every action, by
`tests/abuse/fuzz/test_fuzzing.py`.
"""

from hypothesis import given
from hypothesis import strategies as st

from roomlog_contract.codec import _depth
from tests.abuse.fuzz.reference import depth

nesting = st.text(st.sampled_from('[]{}",:\\a1'), max_size=120)


@given(nesting | st.text())
def test_depth_is_what_a_person_counts(text: str) -> None:
    """The fast count agrees with a naive one on closed and unclosed strings alike."""
    assert _depth(text) == depth(text)
