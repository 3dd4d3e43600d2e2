"""Whose claim on a prefix is whose."""

import pytest

from roomlog_contract.claim import claim_of, difference

MINE = claim_of("aa11", 64)


def test_a_claim_names_database_and_shards() -> None:
    """Old and new workers of one install write the same."""
    assert claim_of("aa11", 256) == "aa11 256"


@pytest.mark.parametrize(
    ("standing", "whose"),
    [
        ("", ""),
        (MINE, ""),
        (claim_of("bb22", 64), "another database"),
        (claim_of("aa11", 128), "an install of 128 shards"),
        ("something else entirely", "another database"),
    ],
)
def test_the_holder_is_named(standing: str, whose: str) -> None:
    """One's own claim, or none, is no difference."""
    assert difference(MINE, standing) == whose
