"""What a program uses: `RoomlogClient`. Where a message begins and where it arrives.

`send` and `events` only wait; what is sent when is decided in `state.py` and done in `driver.py`.
"""

import asyncio
import random
import time
from asyncio import Queue
from collections.abc import AsyncIterator, Collection, Sequence
from types import TracebackType
from typing import Any, Final, Self, Unpack, cast
from uuid import uuid4

import msgspec

from roomlog_contract.commands import Cursor, Notify, Reason
from roomlog_contract.events import User

from .actions import Fail, HandOn, Resolve
from .answers import Answers, Result
from .api import Api, Door, FoundRoom, Wanted, api_beside
from .driver import CLOSE_SECONDS, Driver
from .errors import CutOff, Disconnected, NotSent, OutcomeUnknown
from .events import Item, RoomSummary, Sent
from .observer import Observer
from .outbox import How, command_of, room_id
from .room_commands import RoomCommands
from .rooms import WAITING_ITEMS, Start
from .state import ClientState, Options, Phase
from .tokens import Token

SEND_SECONDS: Final = 60.0
"""How long `send` waits by default, reconnects included."""
ITEMS_AT_ONCE: Final = 100
"""After so many taken items the state hears of it: often enough to keep pages coming."""
WAITING_ROOMS: Final = 19 * WAITING_ITEMS
"""Space in the queue beside events, whose number the state bounds: one `RoomJoined` for each room."""


class RoomlogClient(RoomCommands):
    """One user's connection to Roomlog; reconnects, resumes and repeats by itself.

    Use it as an asynchronous context manager, read `events()` in one task, `send()` from any. Each durable
    event of each room comes exactly once and in order, from the cursor on, however often a connection breaks.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        token: Token,
        *,
        start: Start = "head",
        rooms: Collection[str] = (),
        cursors: dict[str, Cursor] | None = None,
        observer: Observer | None = None,
        api: str = "",
    ) -> None:
        """`url` is the WebSocket's address; of several a random one is taken and the next after a failure.

        `token` is one, or an asynchronous function that returns one: asked before each connection, and on an
        open one before the present token ends. It may raise `SignedOut` to end the client; after any other
        error the client tries again.

        `start` is where rooms without a cursor begin; `rooms` limits what is followed; `cursors` is what
        `cursors()` of an earlier client said. `api` is the address of REST; empty: `/api/v1/` beside `/ws`.
        """
        urls = [url] if isinstance(url, str) else list(url)
        only = [room_id(room) for room in rooms]
        options = Options(start=start, only=only, cursors=cursors, has_new_tokens=not isinstance(token, str))
        self._state = ClientState(options, random.random)
        self._observer = observer or Observer()
        self._driver = Driver(
            self._state, random.sample(urls, len(urls)), token, self._observer, self._deliver
        )
        self._api = Api(api or api_beside(urls[0]), token)
        self.upload = self._api.upload
        """Uploads a file to a room, for a message of one's own; see `Api.upload`."""
        self._inbox: Queue[Item | None] = Queue(WAITING_ITEMS + WAITING_ROOMS)
        self._answers = Answers()
        self._running: asyncio.Task[None] | None = None
        self._taken = 0

    async def __aenter__(self) -> Self:
        """Begin to connect; does not wait for it."""
        self._running = asyncio.create_task(self._run(), name="roomlog-client")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the socket and end; what waits fails."""
        await self.close()

    async def close(self) -> None:
        """End for good; what was sent and not answered fails with `OutcomeUnknown`. Again is harmless."""
        self._state.end(Disconnected("closed by the application"))
        self._driver.act()
        if self._running is not None:
            await asyncio.wait([self._running], timeout=2 * CLOSE_SECONDS)
            self._running.cancel()
            await asyncio.wait([self._running], timeout=2 * CLOSE_SECONDS)
            if self._running.done() and not self._running.cancelled():
                self._running.result()  # a defect of the client must not go unseen

    async def ready(self, timeout_seconds: float = SEND_SECONDS) -> None:
        """Wait until the server has said who we are and which rooms we have.

        Raises:
            Disconnected: the client ended instead.
            TimeoutError: the deadline passed.
        """
        async with asyncio.timeout(timeout_seconds):
            await self._driver.authenticated.wait()
        if self._state.ended_by is not None:
            raise self._state.ended_by

    @property
    def user(self) -> User:
        """The user of the token; known once `ready`."""
        if self._state.user is None:
            raise Disconnected("not authenticated yet")
        return self._state.user

    @property
    def is_connected(self) -> bool:
        """Whether there is an authenticated connection now."""
        return self._state.phase is Phase.READY

    @property
    def is_ended(self) -> bool:
        """Whether the client is closed or cut off, for good."""
        return self._state.is_ended

    def rooms(self) -> list[RoomSummary]:
        """Return the followed rooms as they were when the client began to follow them, but for read marks."""
        return self._state.rooms.summaries()

    def head(self, room: str) -> int:
        """Return the highest seq known to exist in a followed room."""
        return self._state.rooms.head(room_id(room))

    def receipts(self, room: str) -> dict[int, int]:
        """Return how far each member of a watched room has read, by the user's id.

        Empty while nothing is told: the room does not show it, has over 50 members, or is not watched.
        """
        return self._state.rooms.receipts.marks(room_id(room))

    def cursors(self) -> dict[str, Cursor]:
        """Return how far the events of each room were handed on, for the next client to resume from."""
        return self._state.rooms.cursors()

    async def events(self) -> AsyncIterator[Item]:
        """Yield what happens, in order, until the client ends. For one reader.

        Raises:
            CutOff: the server does not want this user any more.
        """
        while (item := await self._inbox.get()) is not None:
            self._count_taken()
            yield item
        self._inbox.put_nowait(None)
        if isinstance(self._state.ended_by, CutOff):
            raise self._state.ended_by

    async def send(
        self,
        room: str,
        text: str,
        *,
        reply_to: int | None = None,
        mentions: Collection[int] = (),
        mentions_room: bool = False,
        attachments: Collection[str] = (),
        **how: Unpack[How],
    ) -> Sent:
        """Say something in a room; returns when it is stored, for ever. Repeats the same uuid as needed.

        `mentions` are the ids of at most 20 members: if one has left, nothing is said (`NotFound`).
        `mentions_room` mentions everybody; in rooms of more than 50, owners and admins may (`Forbidden`).
        `attachments` are ids of what `upload` has stored, at most 10; the text may be empty beside them.

        Raises:
            CommandError: it is not stored; the subclass says why.
            NotSent: the deadline passed before there was a connection: it is not stored.
            OutcomeUnknown: the deadline passed without an answer; calling again with its uuid is safe.
            OutboxFull, Disconnected: it was not taken.
        """
        given = {"reply_to": reply_to, "mentions": list(mentions), "attachments": list(attachments)}
        facts: dict[str, Any] = {name: value for name, value in given.items() if value}
        facts |= _for_all(mentions_room)
        return cast(Sent, await self.request("new_message", room=room, text=text, **facts, **how))

    async def edit_message(
        self,
        room: str,
        message: int,
        text: str,
        mentions: Collection[int] = (),
        *,
        mentions_room: bool = False,
        **how: Unpack[How],
    ) -> Sent:
        """Give a message of one's own, by its id, another text and other mentions. Raises like `send`."""
        facts: dict[str, Any] = {"message": message, "text": text, "mentions": list(mentions)}
        facts |= _for_all(mentions_room)
        return cast(Sent, await self.request("edit_message", room=room, **facts, **how))

    async def delete_message(self, room: str, message: int, **how: Unpack[How]) -> Sent:
        """Take the text out of a message, by its id, for good. Raises like `send`."""
        return cast(Sent, await self.request("delete_message", room=room, message=message, **how))

    async def add_reaction(self, room: str, message: int, emoji: str, **how: Unpack[How]) -> Sent:
        """Put an emoji below a message, by its id. Raises like `send`."""
        facts: dict[str, Any] = {"message": message, "emoji": emoji}
        return cast(Sent, await self.request("add_reaction", room=room, **facts, **how))

    async def remove_reaction(self, room: str, message: int, emoji: str, **how: Unpack[How]) -> Sent:
        """Take one's own emoji away from below a message. Raises like `send`."""
        facts: dict[str, Any] = {"message": message, "emoji": emoji}
        return cast(Sent, await self.request("remove_reaction", room=room, **facts, **how))

    async def pin_message(self, room: str, message: int, **how: Unpack[How]) -> Sent:
        """Put a message, by its id, among the room's pinned ones. Raises like `send`."""
        return cast(Sent, await self.request("pin_message", room=room, message=message, **how))

    async def unpin_message(self, room: str, message: int, **how: Unpack[How]) -> Sent:
        """Take a message away from the room's pinned ones. Raises like `send`."""
        return cast(Sent, await self.request("unpin_message", room=room, message=message, **how))

    async def get_history(
        self, room: str, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """Return an answer with `room_messages`, oldest first, `seq` and `more`. Raises like `send`.

        All changes up to `seq` are in the messages; `Messages` applies the later ones.
        """
        facts: dict[str, Any] = {
            key: seq for key, seq in (("before", before), ("after", after)) if seq is not None
        }
        return cast(dict[str, Any], await self.request("get_history", room=room, limit=limit, **facts))

    async def list_pins(self, room: str) -> dict[str, Any]:
        """Return an answer with `room_messages`, those that were pinned last first, `seq` and `more`.

        All changes up to `seq` are in the messages. Raises like `send`.
        """
        return cast(dict[str, Any], await self.request("list_pins", room=room))

    async def list_rooms(self, after: str | None = None) -> dict[str, Any]:
        """Return an answer with `rooms` in the order of their ids, and `more`. Raises like `send`."""
        facts: dict[str, Any] = {} if after is None else {"after": after}
        return cast(dict[str, Any], await self.request("list_rooms", **facts))

    def search(
        self, text: str = "", *, limit: int | None = None, **wanted: Unpack[Wanted]
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the messages of one's rooms that have all these words, the newest first; see `Api.search`."""
        return self._api.search(text, limit=limit, **wanted)

    def find_rooms(self, words: str = "") -> AsyncIterator[FoundRoom]:
        """Yield the rooms that everybody may join and whose name contains the words; see `Api.find_rooms`."""
        return self._api.find_rooms(words)

    async def door(self, invitation: str) -> Door:
        """Return the room behind an invitation's token, for `join_room`; see `Api.door`."""
        return await self._api.door(invitation)

    async def find_users(self, beginning: str) -> list[User]:
        """Return at most 20 users whose name begins so, of those whom one may find; see `Api`."""
        return await self._api.find_users(beginning)

    async def mark_read(self, room: str, seq: int, **how: Unpack[How]) -> RoomSummary:
        """Say that all up to `seq` was read; return the room as it is then, for all devices of the user.

        The mark never moves back. Each `RoomMarked` of `events()` is such a mark, also of another device.
        Raises like `send`.
        """
        answer = cast(dict[str, Any], await self.request("mark_read", room=room, seq=seq, **how))
        return msgspec.convert(answer["room"], RoomSummary)

    async def set_notifications(self, room: str, notify: Notify, **how: Unpack[How]) -> RoomSummary:
        """Say of which messages the user wants to be told, on all devices. Raises like `send`."""
        facts = {"room": room, "notify": notify}
        answer = cast(dict[str, Any], await self.request("set_notifications", **facts, **how))
        return msgspec.convert(answer["room"], RoomSummary)

    async def report_message(
        self, room: str, message: int, reason: Reason, comment: str = "", **how: Unpack[How]
    ) -> bool:
        """Tell the moderators of a message, by its id; return False if this user had done so before.

        Raises like `send`.
        """
        facts = {"message": message, "reason": reason, "comment": comment}
        answer = cast(dict[str, Any], await self.request("report_message", room=room, **facts, **how))
        return not answer.get("duplicate", False)

    def typing(self, room: str) -> None:
        """Say that the user is writing something in a room; call it as often as you like.

        Sent every 3 s at most, and never again: without a connection, or refused, nobody hears of it.
        """
        self._state.type(room_id(room), time.monotonic())
        self._driver.act()

    def watch(self, *rooms: str) -> None:
        """Say which rooms the user looks at, at most eight, or none any more.

        Of these come `RoomPresence`, `RoomTyping` and, where the room shows it, `RoomReceipts`. Told to each
        connection until the next call, for the rooms that the client follows.
        """
        self._state.watch([room_id(room) for room in rooms], time.monotonic())
        self._driver.act()

    async def ping(self) -> dict[str, Any]:
        """Return an answer with the gateway's `time_ms`. Raises like `send`."""
        return cast(dict[str, Any], await self.request("ping"))

    async def request(
        self,
        action: str,
        *,
        room: str | None = None,
        uuid: str | None = None,
        timeout_seconds: float = SEND_SECONDS,
        **facts: Any,
    ) -> Result:
        """Carry out any command but authenticate and select_room, which are the client's own business.

        Returns `Sent` where it became an event of a log, else the answer's frame. Raises like `send`.
        """
        command = command_of(action, uuid or str(uuid4()), room_id(room) if room else "", facts)
        self._state.submit(command, time.monotonic())
        answer = self._answers.expect(command.uuid)
        self._driver.act()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await answer
        except TimeoutError:
            raise OutcomeUnknown(command.uuid) if command.attempts else NotSent(command.uuid) from None
        finally:
            self._state.withdraw(command.uuid)
            self._answers.forget(command.uuid)

    async def _run(self) -> None:
        try:
            await self._driver.run()
        finally:
            self._inbox.put_nowait(None)

    def _deliver(self, action: HandOn | Resolve | Fail) -> None:
        match action:
            case HandOn():
                self._observer.handed_on(action.item)
                self._inbox.put_nowait(action.item)
            case Resolve():
                self._answers.settle(action.uuid, action.result)
            case Fail():
                self._answers.settle(action.uuid, action.error)

    def _count_taken(self) -> None:
        self._taken += 1
        if self._taken >= ITEMS_AT_ONCE or self._inbox.empty():
            self._state.taken(self._taken, time.monotonic())
            self._taken = 0
            self._driver.act()


def _for_all(mentions_room: bool) -> dict[str, Any]:
    """Return what a command says of it: nothing where it need not, for servers that know no such key."""
    return {"mentions_room": True} if mentions_room else {}
