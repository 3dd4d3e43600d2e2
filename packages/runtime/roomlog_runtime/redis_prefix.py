"""What is ours in a Redis that others may use too: a prefix, with which every key and channel begins.

No stage of the message's way: each service reads it at its start. It must not know what the keys are called.
"""

import os
import re
from collections.abc import Mapping
from typing import Final

from .errors import SettingError
from .settings import read_text

VARIABLE: Final = "ROOMLOG_REDIS_PREFIX"
MOST_CHARACTERS: Final = 128
"""A namespace and a release of Kubernetes with a slash between fit: 63 + 1 + 53."""


def read_redis_prefix(default: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return ROOMLOG_REDIS_PREFIX; raises SettingError where `check_redis_prefix` does."""
    return check_redis_prefix(read_text(VARIABLE, default, environ=environ))


def check_redis_prefix(prefix: str) -> str:
    """Return the prefix.

    No colon, so that no prefix continues another's names; no brace, which a Redis Cluster reads as a hash
    tag; nothing that is a pattern to Redis.

    Raises:
        SettingError: other characters, or too many.
    """
    if not re.fullmatch(rf"[A-Za-z0-9._/-]{{1,{MOST_CHARACTERS}}}", prefix):
        form = f"1 to {MOST_CHARACTERS} letters, digits and . _ - / (as in chat-production)"
        raise SettingError(VARIABLE, f"is {prefix[:MOST_CHARACTERS]!r}, not {form}")
    return prefix
