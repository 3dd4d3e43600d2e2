"""Pages of history as clients were shown them, and what each knew of the room when it asked.

In the words of the checker. `Recall` is one client's memory; it judges nothing.
"""

from typing import Any, NamedTuple, Self

from roomlog_client import Event
from roomlog_client.incoming import Answer, Incoming, Page, Selected


class Glimpse(NamedTuple):
    """One message of a page: what of it only ever goes forward."""

    seq: int
    is_deleted: bool = False
    edited_at: int = 0
    """When the last edit was stored, by the server's clock in milliseconds; 0: none is shown."""
    reacted_seq: int = 0

    @classmethod
    def of(cls, message: dict[str, Any]) -> Self:
        """Return it as a frame has it."""
        edited_at, reacted_seq = message["edited_at"] or 0, message.get("reacted_seq") or 0
        return cls(message["seq"], message["deleted"], edited_at, reacted_seq)


class PageSeen(NamedTuple):
    """The answer to `get_history`, or to `select_room` without a cursor."""

    client: str
    user: int
    room: str
    asked_at: float
    at: float
    epoch: str
    """Of what the client knew; empty where it knew nothing of the room."""
    known: int
    """The highest seq that the client had been handed or shown of the room when it asked."""
    head: int
    """The seq as of which the answer is."""
    messages: tuple[Glimpse, ...]
    before: int | None = None
    """Only messages below it were asked for."""
    after: int | None = None
    """Only messages above it, from the oldest on."""
    has_more: bool = False
    """More messages lie on the far side of what was asked for."""


class Recall:
    """What one client was handed and shown of its rooms, over all its connections."""

    def __init__(self, client: str, user: int, pages: list[PageSeen]) -> None:
        """It adds what it is shown to `pages`."""
        self._who = client, user
        self._pages = pages
        self._known: dict[str, tuple[str, int]] = {}
        self._asked: dict[str, tuple[float, dict[str, tuple[str, int]]]] = {}
        self._ranges: dict[str, tuple[int | None, int | None]] = {}

    def wants(self, uuid: str, before: int | None, after: int | None) -> None:
        """Note which messages a question is about, before it is sent; without it, about the newest."""
        self._ranges[uuid] = before, after

    def asked(self, uuid: str, at: float) -> None:
        """Note what the client knows when a question goes out, perhaps again."""
        self._asked[uuid] = at, dict(self._known)

    def heard(self, incoming: Incoming, at: float) -> None:
        """Take in what tells of rooms; a page is noted with what was known before it."""
        match incoming:
            case Event(room=room, epoch=epoch, seq=seq):
                self._learn(room, epoch, seq)
            case Page(room=room, epoch=epoch, seq=seq):
                self._learn(room, epoch, seq)
            case Selected():
                shown = self._note(incoming.uuid, incoming.room, incoming.seq, incoming.room_messages, at)
                self._learn(incoming.room, incoming.epoch, shown)
            case Answer(action="get_history" | "list_pins", body=body):
                has_more, messages = body.get("more", False), body["room_messages"]
                if incoming.action == "get_history":
                    shown = self._note(incoming.uuid, body["room"], body["seq"], messages, at, has_more)
                else:
                    shown = body["seq"]
                epoch, _ = self._known.get(body["room"], ("", 0))
                self._learn(body["room"], epoch, shown)
            case _:
                pass

    def _learn(self, room: str, epoch: str, seq: int) -> None:
        known_epoch, known = self._known.get(room, ("", 0))
        self._known[room] = epoch, max(seq, known if epoch == known_epoch else 0)

    def _note(
        self,
        uuid: str,
        room: str,
        head: int,
        messages: list[dict[str, Any]],
        at: float,
        has_more: bool = True,
    ) -> int:
        """Note a page; return how far it showed the room, which may be beyond its head."""
        glimpses = tuple(Glimpse.of(one) for one in messages)
        if uuid in self._asked:
            asked_at, known = self._asked.pop(uuid)
            epoch, seq = known.get(room, ("", 0))
            before, after = self._ranges.pop(uuid, (None, None))
            page = PageSeen(*self._who, room, asked_at, at, epoch, seq, head, glimpses)
            self._pages.append(page._replace(before=before, after=after, has_more=has_more))
        return max([head, *(one.seq for one in glimpses)])
