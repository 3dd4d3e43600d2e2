"""Whom messages mention: rows by which a list of rooms counts them, one for each of those who are named.

A message that mentions everybody has one row, however many are in the room.

Beside the log, which has whom a message and each edit of it mentioned. Workers alone write here, with the
event that says so.
"""

from django.db import models


class Mention(models.Model):
    """Somebody other than its author whom a message mentions now."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey("roomlog.ChatRoom", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey("roomlog.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    target = models.BigIntegerField()
    """The message's seq."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "target", "user"], name="mention_once")]
        # Those of one member above a read mark are a range of it.
        indexes = [models.Index(fields=["user", "room", "target"], name="mentions_by_member")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.target} of {self.room_id}"


class RoomMention(models.Model):
    """A message that mentions everybody in its room now; those whom it names besides have no rows."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey("roomlog.ChatRoom", on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey("roomlog.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    """Its author, whom it does not mention."""
    target = models.BigIntegerField()
    """The message's seq."""

    class Meta:
        # Those above a read mark are a range of it.
        constraints = [models.UniqueConstraint(fields=["room", "target"], name="room_mention_once")]

    def __str__(self) -> str:
        return f"{self.target} of {self.room_id}"
