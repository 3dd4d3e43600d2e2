"""Whose claim on a prefix is whose."""

import pytest

from roomlog_contract.claim import claim_of, difference
from roomlog_contract.shards import SHARDS

MINE = claim_of("aa11")


def test_a_claim_names_database_and_shards() -> None:
    """Old and new workers of one install write the same."""
    assert claim_of("aa11") == f"aa11 {SHARDS}"


@pytest.mark.parametrize(
    ("standing", "whose"),
    [
        ("", ""),
        (MINE, ""),
        (claim_of("bb22"), "another database"),
        (f"aa11 {SHARDS * 2}", f"an install of {SHARDS * 2} shards"),
        ("something else entirely", "another database"),
    ],
)
def test_the_holder_is_named(standing: str, whose: str) -> None:
    """One's own claim, or none, is no difference."""
    assert difference(MINE, standing) == whose
