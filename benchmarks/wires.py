"""How each measured system is spoken to: address, opening, a send's form and what a delivery is known by.

The generator's only knowledge of the systems; everything else it does is the same for all. A message's uuid
is the run's prefix and the message's number, so that a delivery is recognised by one search and one slice.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import NotRequired, TypedDict

PREFIX_CHARACTERS = 20
NUMBER_CHARACTERS = 12


class Member(TypedDict):
    """One user who connects: its room, its number and, where the system wants one, its token."""

    room: str
    user: int
    token: str
    address: NotRequired[str]
    """Where it connects, if not where all do."""


@dataclass(frozen=True)
class Wire:
    """The dialect of one system."""

    uuid_marker: bytes
    """What stands before the uuid in a frame; the first occurrence is taken."""
    address_of: Callable[[str, Member], str]
    opening_of: Callable[[Member], bytes | None]
    """The frame that a connection starts with, or None where the address says all."""
    is_opened: Callable[[bytes], bool]
    """Whether a frame is the positive answer to the opening."""
    send_of: Callable[[str, str, str], bytes]
    """The frame that sends: (uuid, room, text)."""
    error_marker: bytes
    """What is in every error answer and in no delivery."""
    is_joined: bool = False
    """Whether a frame can hold several messages, each on a line of its own."""


class Numbering:
    """The uuids of one run: a random prefix, so that a straggler of an earlier run is not taken for ours."""

    def __init__(self) -> None:
        self.prefix = secrets.token_hex(PREFIX_CHARACTERS // 2)
        self._prefix = self.prefix.encode()

    def uuid_of(self, number: int) -> str:
        """Return the uuid of a message: 32 hex digits."""
        return f"{self.prefix}{number:0{NUMBER_CHARACTERS}x}"

    def number_at(self, buffer: bytes, position: int) -> int:
        """Return the number of the uuid at position, or -1 if it is not of this run."""
        middle = position + PREFIX_CHARACTERS
        if buffer[position:middle] != self._prefix:
            return -1
        return int(buffer[middle : middle + NUMBER_CHARACTERS], 16)


def _peer_address(base: str, member: Member) -> str:
    return f"{base}/ws/{member['room']}?user={member['user']}"


def _peer_send(uuid: str, room: str, text: str) -> bytes:
    return json.dumps({"uuid": uuid, "text": text}).encode()


def _roomlog_opening(member: Member) -> bytes:
    return json.dumps({"uuid": "opening", "action": "authenticate", "token": member["token"]}).encode()


def _roomlog_send(uuid: str, room: str, text: str) -> bytes:
    return json.dumps({"uuid": uuid, "action": "new_message", "room": room, "text": text}).encode()


def _is_roomlog_opened(payload: bytes) -> bool:
    answer = json.loads(payload)
    return bool(answer.get("action") == "authenticate" and answer.get("status") == "success")


def _centrifuge_opening(member: Member) -> bytes:
    return json.dumps({"id": 1, "connect": {"token": member["token"]}}).encode()


def _centrifuge_send(uuid: str, room: str, text: str) -> bytes:
    publish = {"channel": room, "data": {"uuid": uuid, "text": text}}
    return json.dumps({"id": 2, "publish": publish}, separators=(",", ":")).encode()


PEER = Wire(
    uuid_marker=b'"uuid": "',
    address_of=_peer_address,
    opening_of=lambda member: None,
    is_opened=lambda payload: True,
    send_of=_peer_send,
    error_marker=b'"error": ',
)
ROOMLOG = Wire(
    uuid_marker=b'"uuid":"',
    address_of=lambda base, member: member.get("address", base),
    opening_of=_roomlog_opening,
    is_opened=_is_roomlog_opened,
    send_of=_roomlog_send,
    error_marker=b'"error_code":"',
)
CENTRIFUGE = Wire(
    uuid_marker=b'"uuid":"',
    address_of=lambda base, member: f"{base}/connection/websocket",
    opening_of=_centrifuge_opening,
    is_opened=lambda payload: b'"connect":{' in payload,
    send_of=_centrifuge_send,
    error_marker=b'"error":{',
    is_joined=True,
)
WIRES = {"roomlog": ROOMLOG, "peer": PEER, "centrifuge": CENTRIFUGE}
