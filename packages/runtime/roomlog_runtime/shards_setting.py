"""How many shards an install has, as its processes are told.

No stage of the message's way: each service reads it at its start. It must not know what a shard is: the
caller says which numbers there are.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from .settings import read_choice

VARIABLE: Final = "ROOMLOG_SHARDS"


def read_shards(numbers: Sequence[int], environ: Mapping[str, str] = os.environ) -> int:
    """Return ROOMLOG_SHARDS, the first of the numbers where it is not set.

    Raises:
        SettingError: it is none of them.
    """
    return int(read_choice(VARIABLE, tuple(map(str, numbers)), str(numbers[0]), environ=environ))
