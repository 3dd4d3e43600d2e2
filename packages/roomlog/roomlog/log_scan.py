"""Finds all messages of one person, in whatever rooms, for an operator who has the time.

Beside the message's way; reads only. No index leads from a person to messages, which would cost each message:
the log is read from its first event to its last, piece by piece.
"""

from collections.abc import Callable, Iterator
from typing import Final

from django.db.models import Max, Min

from .models import ChatMessage, RoomEvent

PIECE: Final = 10_000
"""Ids that one query looks at."""
Progress = Callable[[int, int], object]
"""Is told how much is done, and of how much."""


def messages_of(person: int, progress: Progress) -> Iterator[list[ChatMessage]]:
    """Yield the person's messages that are not deleted, a list for each piece of the log that has any."""
    ids = RoomEvent.objects.aggregate(first=Min("id"), last=Max("id"))
    first, last = ids["first"] or 1, ids["last"] or 0
    theirs = ChatMessage.objects.filter(user=person, deleted_at=None).order_by("id")
    for start in range(first - 1, last, PIECE):
        if found := list(theirs.filter(id__gt=start, id__lte=start + PIECE)):
            yield found
        progress(min(start + PIECE, last), last)
