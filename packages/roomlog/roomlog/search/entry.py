"""The tables of the search: a row for each message that can be found, and how far each room is indexed.

Beside the log, and made from it by the workers. What the messages say is in a column of PostgreSQL's and a
table of SQLite's full text search, which the ORM doesn't know: see the migration.
"""

from typing import Final

from django.db import models

EVENT_BITS: Final = 21
"""So 62 bits are enough until the year 2109."""


def place_in_time(since_1970_ms: int, event: int = 0) -> int:
    """Return a number that orders messages by their times, and of the same millisecond by their ids.

    Without an event it is the first of its millisecond.
    """
    return since_1970_ms << EVENT_BITS | event % (1 << EVENT_BITS)


class SearchEntry(models.Model):
    """A message that can be found."""

    id = models.BigIntegerField(primary_key=True)
    """Its place in time: the newest is found first."""
    room = models.UUIDField()
    seq = models.BigIntegerField()
    author = models.BigIntegerField()
    """A person."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="entry_once")]
        indexes = [
            models.Index(fields=["room", "id"], name="entries_by_room"),
            models.Index(fields=["author", "id"], name="entries_by_author"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} in {self.room}"


class RoomIndexed(models.Model):
    """How far a room's log is indexed; lock this row to change the room's entries."""

    room = models.OneToOneField(
        "roomlog.ChatRoom", on_delete=models.CASCADE, primary_key=True, related_name="indexed"
    )
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.room_id} indexed to {self.seq}"
