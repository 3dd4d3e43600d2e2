"""`doctor`, `erase`, `trace` and others: what needs the database, handed to the api in another process.

Beside the message's way. The client knows no Django; where the api is not installed, it says where it is.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from .account import demo_settings

API: Final = "roomlog_api"
ELSEWHERE: Final = (
    "this needs Roomlog's api, which is not installed here; in Kubernetes:"
    " kubectl exec deploy/roomlog-api -- roomlog {command}"
)


class NoApi(Exception):
    """The api is not installed beside the client."""


def operate(command: str, words: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Carry out a command of the api and return its exit status; the demo's settings fill what is not set.

    Raises:
        NoApi: the text says where to run it instead.
    """
    if find_spec(API) is None:
        raise NoApi(ELSEWHERE.format(command=command))
    done = subprocess.run(  # noqa: S603 - this interpreter and the user's own words
        [sys.executable, "-m", API, command, *words], env={**demo_settings(), **environ}, check=False
    )
    return done.returncode
