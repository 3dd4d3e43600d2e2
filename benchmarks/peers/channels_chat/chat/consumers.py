"""The tutorial's asynchronous consumer, with each message stored by the ORM before the group hears of it."""

import json
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer

from .models import Message


class ChatConsumer(AsyncWebsocketConsumer):
    """One connection of one user in one room."""

    async def connect(self) -> None:
        """Join the room's group."""
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.user = int(parse_qs(self.scope["query_string"].decode())["user"][0])
        self.group = f"chat_{self.room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the room's group."""
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Store the message, then tell the group."""
        data = json.loads(text_data or "")
        stored = await Message.objects.acreate(
            room=self.room, user=self.user, uuid=data["uuid"], text=data["text"]
        )
        await self.channel_layer.group_send(
            self.group,
            {
                "type": "chat.message",
                "uuid": stored.uuid,
                "user": stored.user,
                "text": stored.text,
                "id": stored.pk,
            },
        )

    async def chat_message(self, event: dict[str, object]) -> None:
        """Pass a message of the group on to this connection."""
        await self.send(
            text_data=json.dumps(
                {"uuid": event["uuid"], "user": event["user"], "text": event["text"], "id": event["id"]}
            )
        )
