"""The claim on a prefix: says which database its keys and channels belong to.

A copied database has the original's rooms, and perhaps its settings. Workers claim `Keyspace.install_key`
with what no copy has and own nothing while another claim stands there.
"""

from typing import Final

CLAIM_SECONDS: Final = 15
"""An unrenewed claim ends after this: so long the workers of a restored database wait at most."""


def claim_of(database: str, shards: int) -> str:
    """Return the claim of the workers of a database; `database` has no blank."""
    return f"{database} {shards}"


def difference(mine: str, standing: str) -> str:
    """Return who holds the prefix, in a few words; empty if the standing claim is one's own, or none."""
    if standing in ("", mine):
        return ""
    (database, _), (other, _, shards) = mine.split(" "), standing.partition(" ")
    return f"an install of {shards} shards" if other == database else "another database"
