"""The stored message: one table, found by room and id."""

from django.db import models


class Message(models.Model):
    """One message of a room, as its sender sent it."""

    room = models.CharField(max_length=64)
    user = models.IntegerField()
    uuid = models.CharField(max_length=64)
    text = models.TextField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["room", "id"], name="message_room_id")]

    def __str__(self) -> str:
        return f"{self.room}:{self.pk}"
