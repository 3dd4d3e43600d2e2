"""Who does not want to hear from whom: a row for each pair, beside all logs.

Nobody but the blocker is told of it. `blocking` writes here; workers read it under the lock on the head of a
direct room, and the lists of rooms where they count.
"""

from django.db import models


class Block(models.Model):
    """One person has blocked another."""

    id = models.BigAutoField(primary_key=True)
    blocker = models.ForeignKey("roomlog.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    blocked = models.ForeignKey("roomlog.Person", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["blocker", "blocked"], name="block_once")]

    def __str__(self) -> str:
        return f"{self.blocked_id} by {self.blocker_id}"
