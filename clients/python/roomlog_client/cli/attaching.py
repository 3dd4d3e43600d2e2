"""`roomlog send --attach`: uploads files one after the other, then sends the message that names them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from roomlog_client.client import RoomlogClient
from roomlog_client.errors import CommandError, RoomlogError
from roomlog_client.events import Sent

from .account import Account
from .messages import connected, find_room
from .progress import Share


class NotUploaded(RoomlogError):
    """A file was refused or can't be read; the message was not sent."""


async def send(account: Account, room: str, text: str, paths: Sequence[Path]) -> Sent:
    """Send a text with these files; say on standard error how far a long upload is.

    Raises:
        NotUploaded: nothing was sent.
    """
    async with connected(account) as client:
        key = await find_room(client, room)
        files = [await _upload(client, key, path) for path in paths]
        return await client.send(key, text, attachments=files)


async def _upload(client: RoomlogClient, room: str, path: Path) -> str:
    try:
        size = (await asyncio.to_thread(path.stat)).st_size
        return (await client.upload(room, path, heard=Share(path.name, size).step)).id
    except CommandError as error:
        raise NotUploaded(f"{path} was not uploaded: {error.message.removeprefix('`file`: ')}") from None
    except OSError as error:
        raise NotUploaded(f"{path} can't be read: {error.strerror}") from None
