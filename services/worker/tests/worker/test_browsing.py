"""What people browse: history and lists, page by page, and no frame larger than a page."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.conf import settings

from roomlog.frames import milliseconds
from roomlog.models import ChatMessage, ChatRoom, RoomEvent
from roomlog_contract.commands import (
    AddReaction,
    EditMessage,
    GetHistory,
    ListPins,
    ListRooms,
    PinMessage,
    SelectRoom,
)
from roomlog_contract.limits import (
    NAME_CODE_POINTS,
    PAGE_BYTES,
    PAGE_ROOMS,
    PINS_PER_ROOM,
    TEXT_CODE_POINTS,
)
from tests.harness.people import People, make_room, write, written
from tests.worker.bench import Bench
from tests.worker.test_reader import ask, room, say

__all__ = ["room"]


class TestGetHistory:
    """Scrolling."""

    def test_before_after_and_the_last(self, bench: Bench, people: People, room: UUID) -> None:
        """Oldest first, whichever way one looks."""
        say(room, people.alice, 9)

        def seqs(**where: int) -> list[int]:
            frame = ask(bench, GetHistory(uuid="g", room=room, **where), people.bob)
            assert frame["room"] == room.hex
            return [shown["seq"] for shown in frame["room_messages"]]

        assert seqs(before=5, limit=2) == [3, 4]
        assert seqs(after=5, limit=2) == [6, 7]
        assert seqs(limit=3) == [8, 9, 10]
        assert seqs(before=1) == []
        assert seqs() == list(range(2, 11))

    def test_it_is_said_whether_there_are_more(self, bench: Bench, people: People, room: UUID) -> None:
        """Older ones, or newer ones after `after`; exact where the last message is the last of a page."""
        say(room, people.alice, 5)

        def more(**where: int) -> bool:
            found: bool = ask(bench, GetHistory(uuid="g", room=room, **where), people.bob)["more"]
            return found

        assert [more(limit=4), more(limit=5), more(before=4, limit=2)] == [True, False, False]
        assert [more(after=0, limit=4), more(after=0, limit=5), more(after=6)] == [True, False, False]

    @pytest.mark.parametrize("character", ["\x01", "\U0001f600"])
    def test_pages_of_long_texts_walk_through_all(
        self, bench: Bench, people: People, room: UUID, character: str
    ) -> None:
        """Each frame is within the bound, either way, and nothing is missing or doubled in between."""
        say(room, people.alice, 60, character * TEXT_CODE_POINTS)
        forward, backward = [0], [2**53 - 1]
        for seqs, key in ((forward, "after"), (backward, "before")):
            more = True
            while more:
                request = bench.ask(GetHistory(uuid="g", room=room, limit=100, **{key: seqs[-1]}), people.bob)
                frame = bench.turn().replies[request].frame  # type: ignore[union-attr]
                assert len(frame) <= PAGE_BYTES
                page = msgspec.json.decode(frame)
                found = [shown["seq"] for shown in page["room_messages"]]
                seqs.extend(found if key == "after" else found[::-1])
                more = page["more"]
        assert forward[1:] == backward[:0:-1] == list(range(2, 62))


class TestListPins:
    """What a room shows apart."""

    def test_all_pinned_messages_the_last_pin_first(self, bench: Bench, people: People, room: UUID) -> None:
        """In their present state, as the asker sees it, with the head; no other messages, no other room's."""
        say(room, people.bob, 4)
        other = make_room(people.alice, [people.bob])
        say(other, people.alice, 1)
        ids = {(row.room_id, row.seq): row.pk for row in ChatMessage.objects.all()}
        for place in ((room, 3), (room, 2), (other, 2)):
            written(PinMessage(uuid=f"p{place}", room=place[0], message=ids[place]), people.alice)
        written(EditMessage(uuid="e", room=room, message=ids[room, 3], text="better"), people.bob)
        written(AddReaction(uuid="r", room=room, message=ids[room, 2], emoji="👍"), people.bob)
        frame = ask(bench, ListPins(uuid="l", room=room), people.bob)
        assert (frame["room"], frame["seq"], frame["more"]) == (room.hex, 9, False)
        last, first = frame["room_messages"]
        assert (last["seq"], last["reactions"]["👍"]["mine"]) == (2, True)
        assert (first["seq"], first["text"]) == (3, "better")
        times = RoomEvent.objects.filter(room=room, kind="pin_message").order_by("seq")
        assert [first["pinned"], last["pinned"]] == [milliseconds(row.date_created) for row in times]
        history = ask(bench, GetHistory(uuid="g", room=room), people.bob)["room_messages"]
        assert [shown for shown in history if shown["pinned"] is not None] == [last, first]
        chosen = ask(bench, SelectRoom(uuid="s", room=room), people.bob)["room_messages"]
        assert chosen == history

    def test_a_frame_of_long_texts_ends_early(self, bench: Bench, people: People, room: UUID) -> None:
        """It has those that were pinned last, and says that there are more."""
        say(room, people.alice, PINS_PER_ROOM, "\x01" * TEXT_CODE_POINTS)
        numbers = ChatMessage.objects.order_by("seq").values_list("pk", flat=True)
        write(*((PinMessage(uuid=f"p{one}", room=room, message=one), people.alice) for one in numbers))
        request = bench.ask(ListPins(uuid="l", room=room), people.bob)
        frame = bench.turn().replies[request].frame  # type: ignore[union-attr]
        assert 0.85 * PAGE_BYTES < len(frame) <= PAGE_BYTES
        page = msgspec.json.decode(frame)
        seqs = [shown["seq"] for shown in page["room_messages"]]
        assert (page["more"], seqs) == (True, [PINS_PER_ROOM + 1 - place for place in range(len(seqs))])

    def test_all_of_a_full_room_fit_as_people_write(self, bench: Bench, people: People, room: UUID) -> None:
        """Then there are no more."""
        say(room, people.alice, PINS_PER_ROOM)
        numbers = ChatMessage.objects.order_by("seq").values_list("pk", flat=True)
        write(*((PinMessage(uuid=f"p{one}", room=room, message=one), people.alice) for one in numbers))
        page = ask(bench, ListPins(uuid="l", room=room), people.bob)
        assert (len(page["room_messages"]), page["more"]) == (PINS_PER_ROOM, False)


class TestListRooms:
    """One's own rooms."""

    def test_heads_and_unread(self, bench: Bench, people: People, room: UUID) -> None:
        """Only the asker's rooms, with the present heads."""
        say(room, people.alice, 2)
        (mine,) = ask(bench, ListRooms(uuid="l"), people.bob)["rooms"]
        assert (mine["id"], mine["seq"], mine["unread"]) == (room.hex, 3, 2)
        assert ask(bench, ListRooms(uuid="l"), people.carol)["rooms"] == []

    def test_pages_walk_to_an_end(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Bounded in number and in bytes, also where JSON makes six bytes of each character of a name."""
        for bound in ("ROOMS_PER_USER", "ROOM_CREATIONS_PER_MINUTE"):
            monkeypatch.setitem(settings.ROOMLOG, bound, 2 * PAGE_ROOMS)
        made = {make_room(people.alice).hex for _ in range(PAGE_ROOMS + 2)}
        ChatRoom.objects.update(name="\x01" * NAME_CODE_POINTS)
        found: list[str] = []
        page: dict[str, Any] = {"more": True}
        while page["more"]:
            after = UUID(found[-1]) if found else None
            request = bench.ask(ListRooms(uuid="l", after=after), people.alice)
            frame = bench.turn().replies[request].frame  # type: ignore[union-attr]
            assert len(frame) <= PAGE_BYTES
            page = msgspec.json.decode(frame)
            found += [room["id"] for room in page["rooms"]]
        assert found == sorted(made)
        ChatRoom.objects.update(name="x")
        first = ask(bench, ListRooms(uuid="l"), people.alice)
        assert (len(first["rooms"]), first["more"]) == (PAGE_ROOMS, True)
