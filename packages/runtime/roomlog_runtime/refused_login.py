"""Says when only a new start of the process may mend a refused login: it reads the secrets again.

Beside the message's way. A pod has the Secret of its start; the kubelet restarts what ends, with the Secret
of then. It must not end a process whose server is merely away: that one comes back by itself.
"""

import time
from collections.abc import Callable
from typing import Final

from .causes import cause_of

REFUSED_SECONDS: Final = 30.0
"""Longer than a server needs to learn a new password that its clients have already."""


class RefusedLogin:
    """Follows the tries of one process to reach its servers. Not shared between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None

    def lasts(self, error: BaseException | None) -> bool:
        """Note how a try ended, None for a success; return True if all tries were refused for 30 s."""
        if error is None or not cause_of(error)["authentication_failed"]:
            self._since = None
            return False
        if self._since is None:
            self._since = self._clock()
        return self._clock() - self._since >= REFUSED_SECONDS
