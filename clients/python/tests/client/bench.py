"""A client's state with its actions sorted by kind, as a server and an application would see them."""

import json
from typing import Any

from roomlog_client.actions import Action, AskToken, Disconnect, Fail, HandOn, Resolve, SendFrame
from roomlog_client.incoming import parse
from roomlog_client.outbox import Command
from roomlog_client.state import ClientState, Options

ROOM = "a" * 32
EPOCH = "e1"


class Bench:
    """A state with its actions, sorted by kind, as a server and an application would see them."""

    def __init__(self, **options: Any) -> None:
        self.state = ClientState(Options(**options), lambda: 0.5)
        self.now = 0.0
        self.actions: list[Action] = []

    def online(self, seq: int = 10) -> "Bench":
        """Open a socket and authenticate with one room whose head is `seq`."""
        self.state.opened(self.now, "t")
        self.hear_rooms(seq=seq)
        self.frames()
        return self

    def hear_rooms(self, room: str = ROOM, seq: int = 10, **facts: Any) -> None:
        """Let the server answer to authenticate with one room whose head is `seq`."""
        summary = {"id": room, "name": "Kitchen", "kind": "group", "epoch": EPOCH, "seq": seq}
        user = {"id": 1, "username": "alice"}
        self.hear(action="authenticate", uuid="authenticate", user=user, rooms=[summary], **facts)

    def refuse(self, code: str, uuid: str = "u-1", action: str = "new_message", **facts: Any) -> None:
        """Let the server answer a command with an error."""
        self.hear("error", action=action, uuid=uuid, error_code=code, **facts)

    def hear(self, status: str | None = "success", **facts: Any) -> None:
        """Let the server say something."""
        self.state.received(parse(json.dumps({**facts, **({"status": status} if status else {})})), self.now)
        self._collect()

    def submit(self, uuid: str, action: str = "new_message") -> None:
        """Let the application give a command."""
        self.state.submit(
            Command(uuid, action, ROOM, json.dumps({"uuid": uuid, "action": action}).encode()), self.now
        )
        self._collect()

    def pass_time(self, seconds: float) -> None:
        """Move the clock, ticking whenever the state wants it."""
        end, idle_ticks = self.now + seconds, 0
        while (at := self.state.next_tick_at(self.now)) is not None and at <= end:
            idle_ticks = 0 if at > self.now else idle_ticks + 1
            assert idle_ticks < 3, "the state would spin"
            self.now = max(self.now, at)
            self.state.tick(self.now)
            self._collect()
        self.now = end

    def oversleep(self, seconds: float) -> None:
        """Move the clock while nobody ticks, as on a machine that is too busy."""
        self.now += seconds

    def close(self, code: int | None) -> None:
        """Lose the socket."""
        self.state.closed(code, self.now)
        self._collect()

    def frames(self) -> list[dict[str, Any]]:
        """Take what was sent."""
        return [json.loads(action.frame) for action in self._take(SendFrame)]

    def uuids(self) -> list[str]:
        """Take what was sent and return the uuids."""
        return [frame["uuid"] for frame in self.frames()]

    def items(self) -> list[Any]:
        """Take what was handed on."""
        return [action.item for action in self._take(HandOn)]

    def results(self) -> list[Any]:
        """Take what commands came to: results and errors."""
        settled = self._take(Resolve, Fail)
        return [action.result if isinstance(action, Resolve) else action.error for action in settled]

    def asked_tokens(self) -> int:
        """Take and count the wishes for another token."""
        return len(self._take(AskToken))

    def disconnects(self) -> int:
        """Take and count the wishes to close the socket."""
        return len(self._take(Disconnect))

    def _take(self, *kinds: type) -> list[Any]:
        self._collect()
        taken = [action for action in self.actions if isinstance(action, kinds)]
        self.actions = [action for action in self.actions if not isinstance(action, kinds)]
        return taken

    def _collect(self) -> None:
        self.actions += self.state.take_actions()


def message(seq: int, uuid: str, user: int = 1, **facts: Any) -> dict[str, Any]:
    """Return the frame of a message without its status."""
    return {
        "action": "new_message",
        "uuid": uuid,
        "room": ROOM,
        "epoch": EPOCH,
        "seq": seq,
        "message": {"user": {"id": user, "username": "someone"}, "text": f"text {seq}"},
        **facts,
    }
