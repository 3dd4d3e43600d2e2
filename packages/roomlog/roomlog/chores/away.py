"""The chore of people who are away: finds rooms with messages that the project was not told of.

After the message's way. The project's receivers are called by `telling`, in threads of their own.
"""

from collections.abc import Callable
from uuid import UUID

import structlog

from roomlog.configuration import configuration
from roomlog.models import ChatMessage

from . import metrics
from .duty import Duty
from .news import News, begin, not_told
from .telling import tell

log = structlog.get_logger()


class Away(Duty[UUID]):
    """Tells the project of rooms' messages."""

    def __init__(self, may_go_on: Callable[[], bool]) -> None:
        super().__init__()
        self._may_go_on = may_go_on
        self._news: News[UUID] | None = None
        """None while the lease is another's."""

    def look(self, on_page: Callable[[], None]) -> None:
        """Find rooms with news. Raises django.db errors."""
        if self._news is None:
            begin(on_page)
            self._news = News(ChatMessage.objects.all(), not_told)
        else:
            self.schedule.add(self._news.fresh(), configuration().away_seconds)
            self.schedule.add(self._news.missed(), 0)
        metrics.FAILING_ROOMS.set(self.schedule.failing)

    def forget(self) -> None:
        """Begin afresh at the next look."""
        super().forget()
        self._news = None
        metrics.FAILING_ROOMS.set(0)

    def do(self, key: UUID) -> float | None:
        """Tell of a room's next messages."""
        return tell(key, self._may_go_on)

    def failed(self, key: UUID, error: Exception, pause: float) -> None:
        """Count it, and log it without its text, which may hold a message's."""
        metrics.FAILURES.inc()
        log.warning("away_failed", room=key.hex, error=type(error).__name__, again_in=pause)
