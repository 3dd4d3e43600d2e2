"""The attacks: each what one account with eight connections, or a stranger, may do against the rest.

Around the message's way. The table is closed over the wire's actions: `test_attacks.py` fails where a command
has no attack. An attack says what is sent; where its connections come from is the attacker's business.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle, repeat
from typing import Final
from uuid import uuid4

from roomlog_contract import limits
from tests.abuse import strangers
from tests.abuse.attacker import LEGAL_PER_SECOND, NO_MASK, Attacker, cheap, command
from tests.harness.raw import PING, PONG, TEXT, frame

CONTINUATION: Final = 0
DEAREST_TEXT: Final = "\x01" * limits.TEXT_CODE_POINTS
"""A legal text whose every character takes six bytes as JSON."""
PADDING: Final = limits.FRAME_BYTES - 200
"""Fills a legal frame almost to its limit."""
CROWD: Final = limits.ROOM_MEMBERS_AT_CREATION


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to be a nuisance."""

    act: Callable[[Attacker], Awaitable[None]]
    actions: frozenset[str] = frozenset()
    """The wire's actions that it floods."""
    is_at_the_api: bool = False
    """The bystander's requests of the api are judged too."""


def _commands(action: str, **keys: object) -> Callable[[int], Iterator[bytes]]:
    """Return the same command for ever, for each connection."""
    return lambda _: repeat(cheap(command(action, **keys)))


def _fresh(make: Callable[[], str]) -> Callable[[int], Iterator[bytes]]:
    """Return a new command each time, for each connection."""
    return lambda _: (cheap(make()) for _ in count())


def _obeying(
    frames: Callable[[Attacker], Callable[[int], Iterator[bytes]]],
) -> Callable[[Attacker], Awaitable[None]]:
    """Return an attack within the limit of commands a second: only the content is hostile."""
    return lambda attacker: attacker.flood(
        frames(attacker), account=attacker.job.member, per_second=LEGAL_PER_SECOND
    )


def _raging(data: bytes) -> Callable[[Attacker], Awaitable[None]]:
    """Return an attack that writes the same bytes as fast as the gateway takes them."""
    return lambda attacker: attacker.flood(lambda _: repeat(data), account=attacker.job.member)


_MODERATION: Final = ("invite_user", "set_role", "mute_user", "unmute_user", "ban_user", "unban_user")


def _message(room: str) -> str:
    return json.dumps({"uuid": uuid4().hex, "action": "new_message", "room": room, "text": DEAREST_TEXT})


def _rename(room: str) -> str:
    name = uuid4().hex.ljust(limits.NAME_CODE_POINTS, "n")
    return json.dumps({"uuid": uuid4().hex, "action": "rename_room", "room": room, "name": name})


def _set_topic(room: str) -> str:
    topic = uuid4().hex.ljust(limits.TOPIC_CODE_POINTS, "t")
    return json.dumps({"uuid": uuid4().hex, "action": "set_topic", "room": room, "topic": topic})


def _switch_receipts(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    values = cycle((True, False))
    return _fresh(
        lambda: command("set_receipts", room=attacker.job.room, uuid=uuid4().hex, receipts=next(values))
    )


def _to_people(*actions: str) -> Callable[[Attacker], Callable[[int], Iterator[bytes]]]:
    """Return an attack that does all of it to one person after the other."""

    def attack(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
        def frames(number: int) -> Iterator[bytes]:
            for person, action in cycle((p, a) for p in attacker.job.people[number::8] for a in actions):
                facts = {"role": "reader"} if action == "set_role" else {}
                keys = {"room": attacker.job.room, "user": person, "uuid": uuid4().hex, **facts}
                yield cheap(json.dumps({"action": action, **keys}))

        return frames

    return attack


def _open_and_join(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    actions: Iterator[dict[str, object]] = cycle(
        ({"action": "set_discoverable", "discoverable": True}, {"action": "join_room"})
    )
    return _fresh(lambda: json.dumps({"uuid": uuid4().hex, "room": attacker.job.room, **next(actions)}))


def _archive_and_restore(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    actions = cycle(("archive_room", "restore_room"))
    return _fresh(
        lambda: json.dumps({"uuid": uuid4().hex, "action": next(actions), "room": attacker.job.long})
    )


def _edit_and_delete(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Give each message of a long room seven texts of the dearest kind, then delete it with all of them."""
    room, messages = attacker.job.long, attacker.job.messages

    def frames(number: int) -> Iterator[bytes]:
        for message in cycle(messages[number::8]):
            keys = {"room": room, "message": message}
            for _ in range(7):
                yield cheap(command("edit_message", **keys, uuid=uuid4().hex, text=DEAREST_TEXT))
            yield cheap(command("delete_message", **keys, uuid=uuid4().hex))

    return frames


def _react(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Fill messages of a long room with as many emoji as go, and take each away again."""
    room, messages = attacker.job.long, attacker.job.messages
    emoji = [chr(0x1F600 + number) for number in range(limits.REACTIONS_PER_MESSAGE)]

    def frames(number: int) -> Iterator[bytes]:
        for message in cycle(messages[number::8]):
            for action in ("add_reaction", "remove_reaction"):
                for one in emoji:
                    keys = {"room": room, "message": message, "emoji": one}
                    yield cheap(command(action, **keys, uuid=uuid4().hex))

    return frames


def _pin(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Pin as many of the largest messages as a room may have, list them, and take each pin away again."""
    room, messages = attacker.job.long, attacker.job.messages

    def frames(number: int) -> Iterator[bytes]:
        own = messages[number::8][: limits.PINS_PER_ROOM // 8]
        while True:
            for message in own:
                yield cheap(command("pin_message", room=room, message=message, uuid=uuid4().hex))
            for _ in own:
                yield cheap(command("list_pins", room=room, uuid=uuid4().hex))
            for message in own:
                yield cheap(command("unpin_message", room=room, message=message, uuid=uuid4().hex))

    return frames


def _read_on(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Move the mark of a very long room by a few events at a time, so that each command writes."""
    room = attacker.job.restless
    return lambda number: (cheap(command("mark_read", room=room, seq=seq)) for seq in count(number, 8))


def _set_level(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Set the level of a room to and fro, so that each command writes."""
    room, levels = attacker.job.restless, cycle(("none", "all"))
    return lambda _: (cheap(command("set_notifications", room=room, notify=notify)) for notify in levels)


def _block(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Block people, list them and end that, as fast as a connection may."""
    whom = {"user": attacker.job.collector.id}
    steps: Iterator[tuple[str, dict[str, int]]] = cycle(
        (("block_user", whom), ("list_blocks", {}), ("unblock_user", whom))
    )
    return lambda _: (cheap(command(action, **keys)) for action, keys in steps)


def _report(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Report one message after the other with the longest comment; most of them are too many."""
    room, messages = attacker.job.long, attacker.job.messages
    keys = {"reason": "other", "comment": "\x01" * limits.REPORT_COMMENT_CODE_POINTS}

    def frames(number: int) -> Iterator[bytes]:
        for message in cycle(messages[number::8]):
            yield cheap(command("report_message", room=room, message=message, uuid=uuid4().hex, **keys))

    return frames


def _type(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Type in all rooms in turn, the bystander's too: each is told once a second."""
    job = attacker.job
    rooms = (job.shared, job.room, job.long, job.restless)
    return lambda number: (cheap(command("typing", room=rooms[turn % 4])) for turn in count(number))


def _watch(attacker: Attacker) -> Callable[[int], Iterator[bytes]]:
    """Open and close rooms in turn, the bystander's too: each is asked about once in ten seconds."""
    job = attacker.job
    rooms = (job.shared, job.room, job.long, job.restless)
    return lambda number: (cheap(command("watch", rooms=rooms[turn % 5 :][:3])) for turn in count(number))


def _make_room(attacker: Attacker) -> str:
    keys = {"name": "n" * limits.NAME_CODE_POINTS, "members": list(attacker.job.people[:CROWD])}
    return json.dumps({"uuid": uuid4().hex, "action": "create_room", **keys})


async def _make_rooms(attacker: Attacker) -> None:
    frames = _fresh(lambda: _make_room(attacker))
    await attacker.flood(frames, account=attacker.job.collector, per_second=LEGAL_PER_SECOND)


async def _list_rooms(attacker: Attacker) -> None:
    await attacker.flood(_commands("list_rooms"), account=attacker.job.collector, per_second=LEGAL_PER_SECOND)


async def _do_not_read(attacker: Attacker) -> None:
    frames = _commands("get_history", room=attacker.job.long, limit=limits.HISTORY_MESSAGES)
    await attacker.flood(frames, account=attacker.job.member, per_second=LEGAL_PER_SECOND, is_reading=False)


async def _come_and_go(attacker: Attacker) -> None:
    """Connect, authenticate with as many cursors as fit, and drop the connection, again and again."""
    job = attacker.job
    cursors = {room: {"epoch": job.epoch, "seq": 0} for room in job.rooms[: limits.CURSORS]}
    greeting = cheap(command("authenticate", token=job.collector.token, cursors=cursors))

    async def once(_: int) -> None:
        async with attacker.socket(None) as (reader, writer):
            writer.write(greeting)
            attacker.sent += 1
            await attacker.listen(reader, until=b'"authenticate"')

    await attacker.on_all(once)


async def _renew(attacker: Attacker) -> None:
    """Show the same token again and again: each look at it reads very many rooms."""
    account = attacker.job.collector
    frames = _commands("authenticate", token=account.token)
    await attacker.flood(frames, account=account, per_second=LEGAL_PER_SECOND)


async def _leave_and_select(attacker: Attacker) -> None:
    """Ask for what the account may not: rooms that it left, or never saw."""
    frames = lambda _: cycle(  # noqa: E731
        [cheap(command(action, room=uuid4().hex)) for action in ("leave_room", "select_room")]
    )
    await attacker.flood(frames, account=attacker.job.member, per_second=LEGAL_PER_SECOND)


def _fragments(payload: bytes) -> bytes:
    return b"".join(frame(CONTINUATION, payload, final=False, mask=NO_MASK) for _ in range(200))


async def _endless_message(attacker: Attacker) -> None:
    """Begin a message and never end it: fragments without content."""

    def frames(_: int) -> Iterator[bytes]:
        yield frame(TEXT, b"{", final=False, mask=NO_MASK)
        yield from repeat(_fragments(b""))

    await attacker.flood(frames, account=attacker.job.member)


async def _guess(attacker: Attacker) -> None:
    frames = _fresh(lambda: command("authenticate", token=uuid4().hex))
    await attacker.flood(frames)


def _acts(*actions: str) -> frozenset[str]:
    return frozenset(actions)


_BAD_FRAME: Final = command("new_message", room="nowhere", text="x" * PADDING)
_DEEP: Final = "[" * 15 + "]" * 15

ATTACKS: Final[dict[str, Attack]] = {
    # within the limit of commands: only the content is hostile
    "largest messages, own room": Attack(
        _obeying(lambda a: _fresh(lambda: _message(a.job.room))), _acts("new_message")
    ),
    "largest messages, shared room": Attack(
        _obeying(lambda a: _fresh(lambda: _message(a.job.shared))), _acts("new_message")
    ),
    "history of the largest messages": Attack(
        _obeying(lambda a: _commands("get_history", room=a.job.long, limit=limits.HISTORY_MESSAGES)),
        _acts("get_history"),
    ),
    "history among joins and leaves": Attack(
        _obeying(lambda a: _commands("get_history", room=a.job.restless, limit=limits.HISTORY_MESSAGES)),
        _acts("get_history"),
    ),
    "present state of a long room": Attack(
        _obeying(lambda a: _commands("select_room", room=a.job.long)), _acts("select_room")
    ),
    "pages of a long room": Attack(
        _obeying(lambda a: _commands("select_room", room=a.job.long, since={"epoch": a.job.epoch, "seq": 0})),
        _acts("select_room"),
    ),
    "list of very many rooms": Attack(_list_rooms, _acts("list_rooms")),
    "new rooms of 100": Attack(_make_rooms, _acts("create_room")),
    "invitations and removals": Attack(
        _obeying(_to_people("invite_user", "remove_user")), _acts("invite_user", "remove_user")
    ),
    "invited, muted, heard, banned and let in": Attack(
        _obeying(_to_people(*_MODERATION)), _acts(*_MODERATION)
    ),
    "another name, again and again": Attack(
        _obeying(lambda a: _fresh(lambda: _rename(a.job.room))), _acts("rename_room")
    ),
    "another topic, again and again": Attack(
        _obeying(lambda a: _fresh(lambda: _set_topic(a.job.room))), _acts("set_topic")
    ),
    "opened to everybody, joined again": Attack(
        _obeying(_open_and_join), _acts("set_discoverable", "join_room")
    ),
    "receipts on and off": Attack(_obeying(_switch_receipts), _acts("set_receipts")),
    "archived and restored": Attack(_obeying(_archive_and_restore), _acts("archive_room", "restore_room")),
    "reactions": Attack(_obeying(_react), _acts("add_reaction", "remove_reaction")),
    "pins": Attack(_obeying(_pin), _acts("pin_message", "list_pins", "unpin_message")),
    "read marks, step by step": Attack(_obeying(_read_on), _acts("mark_read")),
    "notification levels, to and fro": Attack(_obeying(_set_level), _acts("set_notifications")),
    "blocks, to and fro": Attack(_obeying(_block), _acts("block_user", "list_blocks", "unblock_user")),
    "reports, one after the other": Attack(_obeying(_report), _acts("report_message")),
    "typing in each room": Attack(_obeying(_type), _acts("typing")),
    "rooms watched in turn": Attack(_obeying(_watch), _acts("watch")),
    "rooms of others": Attack(_leave_and_select, _acts("leave_room", "select_room")),
    "pages that are not read": Attack(_do_not_read, _acts("get_history")),
    # behind all that read the long room: it has no texts afterwards
    "edited seven times and deleted": Attack(
        _obeying(_edit_and_delete), _acts("edit_message", "delete_message")
    ),
    "connections with many cursors": Attack(_come_and_go, _acts("authenticate")),
    "renewals without end": Attack(_renew, _acts("authenticate")),
    # over every limit: as fast as the gateway takes it
    "commands without a pause": Attack(_raging(cheap(command("ping"))), _acts("ping")),
    "largest frames, refused": Attack(_raging(cheap(_BAD_FRAME))),
    "nested frames, refused": Attack(_raging(cheap(f'{{"uuid":"x","action":"ping","x":{_DEEP}}}'))),
    "pongs": Attack(_raging(frame(PONG, b"x" * 125, mask=NO_MASK))),
    "empty pongs": Attack(_raging(frame(PONG, b"", mask=NO_MASK))),
    "pings": Attack(_raging(frame(PING, b"x" * 125, mask=NO_MASK))),
    "empty fragments": Attack(_endless_message),
    # without an account
    "guessed tokens": Attack(_guess, _acts("authenticate")),
    "silent sockets": Attack(strangers.keep_silent_sockets),
    "upgrade requests without end": Attack(strangers.dribble_upgrades),
    "plain requests at the gateway": Attack(strangers.ask_the_gateway),
    "slow bodies at the api": Attack(strangers.send_slow_bodies, is_at_the_api=True),
    "slow heads at the api": Attack(strangers.send_slow_heads, is_at_the_api=True),
    "silent connections at the api": Attack(strangers.keep_silent_at_the_api, is_at_the_api=True),
    "nested JSON at the api": Attack(strangers.post_nested_json, is_at_the_api=True),
    "guessed passwords": Attack(strangers.guess_passwords, is_at_the_api=True),
}
"""By the name that the report prints; each takes turns with a calm time."""
