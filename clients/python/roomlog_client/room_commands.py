"""What a program asks of rooms and their members: each method is one command, and returns its event."""

from collections.abc import Collection
from typing import Any, Literal, Unpack, cast

import msgspec

from roomlog_contract.events import User

from .answers import Result
from .events import Sent
from .outbox import How

Role = Literal["reader", "member", "admin", "owner"]


class RoomCommands:
    """The part of `RoomlogClient` that makes and changes rooms."""

    async def request(self, action: str, *, room: str | None = None, **facts: Any) -> Result:
        """Carry out a command; see `RoomlogClient.request`."""
        raise NotImplementedError

    async def create_room(
        self,
        name: str = "",
        members: Collection[int] = (),
        *,
        kind: Literal["group", "direct"] = "group",
        **how: Unpack[How],
    ) -> Sent:
        """Make a room with these users; its id is the answer's `room`. Raises like `send`."""
        facts: dict[str, Any] = {"name": name, "kind": kind, "members": list(members)}
        return cast(Sent, await self.request("create_room", **facts, **how))

    async def block_user(self, user: int, **how: Unpack[How]) -> User:
        """Block somebody, so that they can't write to this user, on all devices. Raises like `send`."""
        answer = cast(dict[str, Any], await self.request("block_user", user=user, **how))
        return msgspec.convert(answer["user"], User)

    async def unblock_user(self, user: int, **how: Unpack[How]) -> User:
        """End that; where nothing was blocked, nothing changes. Raises like `send`."""
        answer = cast(dict[str, Any], await self.request("unblock_user", user=user, **how))
        return msgspec.convert(answer["user"], User)

    async def list_blocks(self, after: int = 0) -> dict[str, Any]:
        """Return an answer with `users`, whom this user has blocked, and `more`. Raises like `send`."""
        return cast(dict[str, Any], await self.request("list_blocks", after=after))

    async def rename_room(self, room: str, name: str, **how: Unpack[How]) -> Sent:
        """Give a room another name. Raises like `send`."""
        return cast(Sent, await self.request("rename_room", room=room, name=name, **how))

    async def set_topic(self, room: str, topic: str, **how: Unpack[How]) -> Sent:
        """Say what a room is about; an empty topic takes it away. Raises like `send`."""
        return cast(Sent, await self.request("set_topic", room=room, topic=topic, **how))

    async def set_receipts(self, room: str, receipts: bool, **how: Unpack[How]) -> Sent:
        """Say whether those who watch a room see how far its members have read. Raises like `send`."""
        return cast(Sent, await self.request("set_receipts", room=room, receipts=receipts, **how))

    async def archive_room(self, room: str, **how: Unpack[How]) -> Sent:
        """End all writing in a room until it is restored. Raises like `send`."""
        return cast(Sent, await self.request("archive_room", room=room, **how))

    async def restore_room(self, room: str, **how: Unpack[How]) -> Sent:
        """Open an archived room again. Raises like `send`."""
        return cast(Sent, await self.request("restore_room", room=room, **how))

    async def set_discoverable(self, room: str, discoverable: bool, **how: Unpack[How]) -> Sent:
        """Say whether everybody may find the room and join it. Raises like `send`."""
        asked = self.request("set_discoverable", room=room, discoverable=discoverable, **how)
        return cast(Sent, await asked)

    async def join_room(self, room: str, invitation: str | None = None, **how: Unpack[How]) -> Sent:
        """Become a member of a discoverable room, or by the token of an invitation. Raises like `send`."""
        token = {} if invitation is None else {"invitation": invitation}
        return cast(Sent, await self.request("join_room", room=room, **token, **how))

    async def invite_user(self, room: str, user: int, role: Role = "member", **how: Unpack[How]) -> Sent:
        """Make somebody a member. Raises like `send`."""
        return cast(Sent, await self.request("invite_user", room=room, user=user, role=role, **how))

    async def remove_user(self, room: str, user: int, **how: Unpack[How]) -> Sent:
        """End somebody's membership. Raises like `send`."""
        return cast(Sent, await self.request("remove_user", room=room, user=user, **how))

    async def leave_room(self, room: str, **how: Unpack[How]) -> Sent:
        """End one's own membership. Raises like `send`."""
        return cast(Sent, await self.request("leave_room", room=room, **how))

    async def set_role(self, room: str, user: int, role: Role, **how: Unpack[How]) -> Sent:
        """Give a member another role. Raises like `send`."""
        return cast(Sent, await self.request("set_role", room=room, user=user, role=role, **how))

    async def mute_user(self, room: str, user: int, until: int | None = None, **how: Unpack[How]) -> Sent:
        """Let a member write nothing until then, in seconds since 1970, or without an end.

        Raises like `send`.
        """
        return cast(Sent, await self.request("mute_user", room=room, user=user, until=until, **how))

    async def unmute_user(self, room: str, user: int, **how: Unpack[How]) -> Sent:
        """Let a muted member write again. Raises like `send`."""
        return cast(Sent, await self.request("unmute_user", room=room, user=user, **how))

    async def ban_user(self, room: str, user: int, until: int | None = None, **how: Unpack[How]) -> Sent:
        """End somebody's membership and keep them out until then, in seconds since 1970, or without an end.

        Raises like `send`.
        """
        return cast(Sent, await self.request("ban_user", room=room, user=user, until=until, **how))

    async def unban_user(self, room: str, user: int, **how: Unpack[How]) -> Sent:
        """Let somebody who is banned be invited again. Raises like `send`."""
        return cast(Sent, await self.request("unban_user", room=room, user=user, **how))
