"""The chat page of clients/web before a gateway and an api that say what a test says, in several tabs.

Beside the message's way. It keeps rooms and answers as the real ones do, unless a test says otherwise: so a
page is seen in milliseconds, and in states that a real stack is seldom in.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from tests.harness.scripted_gateway import ORIGIN, WEB, refusal, success
from tests.harness.scripted_reactions import reactions_of

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws://roomlog.test; form-action 'self'; base-uri 'none'"
)
HEADERS: Final = {"Content-Security-Policy": POLICY}
DEADLINE_MS: Final = 10_000
DESK: Final = {"width": 1100, "height": 700}
PHONE: Final = {"width": 390, "height": 780}
MINUTE_MS: Final = 60_000
START_MS: Final = 1_790_000_000_000
USERS: Final = {7: "alice", 8: "bob"}
FACTS: Final = {
    "request": SimpleNamespace(user=SimpleNamespace(is_staff=False)),
    "person": SimpleNamespace(pk=7, name=USERS[7]),
    "websocket_url": "ws://roomlog.test/ws",
    "csrf_token": "c",
}
"""What the templates of page and element are filled with."""
EDITED: Final = ("text", "edited_at", "mentions_room")
_TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
TEAM, LOBBY, MADE = "a" * 32, "b" * 32, "c" * 32
"""MADE is the room of a `create_room`; a test tells its `room_joined`."""


class Chat:
    """One browser of one user, its rooms, and everybody else in them."""

    def __init__(self, browser: Browser, pages: Mapping[str, str], viewport: Any = DESK) -> None:
        self.context = browser.new_context(viewport=viewport)
        self.context.set_default_timeout(DEADLINE_MS)
        self.pages = pages
        """HTML by path."""
        self.static = WEB
        """Where the page's own files are."""
        self.user = 7
        self.names = dict(USERS)
        self.pictures: dict[int, str] = {}
        """Addresses by user id."""
        self.asked_people: list[list[int]] = []
        self.has_session = True
        self.is_down = False
        """The api can't be reached, so that nobody connects."""
        self.rooms: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.members: dict[str, list[dict[str, Any]]] = {}
        """What the api says of a room's members; nobody, and the page does not know its user's role."""
        self.pins_shown = 50
        self.blocked: set[int] = set()
        self.banned: list[tuple[str, int, int | None]] = []
        """Room, user id and end."""
        self.refuses: tuple[str, str] | None = None
        """Code and sentence for each write from now on."""
        self.is_silent = False
        """No write is answered from now on."""
        self.held: list[dict[str, Any]] | None = None
        """A list takes the answers to get_history from now on; the test tells them."""
        self.sockets: list[WebSocketRoute] = []
        self.frames: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.add_room(TEAM, "team")
        self.add_room(LOBBY, "lobby")
        self.context.route("**/*", self._serve)
        self.context.route_web_socket("ws://roomlog.test/ws", self.accept)

    def add_room(self, room: str, name: str, messages: int = 0) -> None:
        """Add a room in which bob has said so much."""
        self.rooms[room] = {"id": room, "name": name, "kind": "group", "epoch": "e1", "read_seq": 0}
        self.events[room] = []
        for number in range(messages):
            self.store(room, f"{name} {number + 1}")

    def open(self, path: str = "/") -> Page:
        """Return a new tab with the page, connected."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.goto(ORIGIN + path)
        if path == "/":
            expect(page.locator("#rooms .room").first).to_be_visible(timeout=DEADLINE_MS)
        return page

    def store(self, room: str, text: str, user: int = 8, uuid: str = "", **facts: Any) -> dict[str, Any]:
        """Put a message into a room's log and return its event."""
        seq = len(self.events[room]) + 1
        time = START_MS + seq * MINUTE_MS
        message = {"id": seq, "seq": seq, "user": {"id": user, "username": self.names[user]}, "room": room}
        message |= {"text": text, "timestamp_ms": time, "edited_at": None, "deleted": False} | facts
        return self._keep(room, {"action": "new_message", "uuid": uuid, "message": message})

    def say(self, room: str, text: str, user: int = 8) -> None:
        """Have somebody say something: every open page hears it."""
        self.tell(self.store(room, text, user))

    def edit(self, room: str, seq: int, text: str, user: int = 8, uuid: str = "") -> dict[str, Any]:
        """Have somebody edit a message; its event is kept, and told by the test."""
        edited_at = START_MS + (len(self.events[room]) + 1) * MINUTE_MS
        facts = {"action": "edit_message", "uuid": uuid, "text": text, "edited_at": edited_at}
        return self._keep(room, facts | self._change_of(room, seq, user))

    def delete(self, room: str, seq: int, user: int = 8, uuid: str = "") -> dict[str, Any]:
        """Have somebody delete a message: no event has its text any more. Its event is told by the test."""
        for event in self.events[room]:
            if event["action"] == "edit_message" and event["message"]["seq"] == seq:
                event["text"] = ""
        event = self.events[room][seq - 1]
        self.events[room][seq - 1] = event | {"message": event["message"] | {"text": "", "deleted": True}}
        return self._keep(room, {"action": "delete_message", "uuid": uuid} | self._change_of(room, seq, user))

    def react(
        self, room: str, seq: int, emoji: str, user: int = 8, uuid: str = "", action: str = "add_reaction"
    ) -> dict[str, Any]:
        """Have somebody react to a message, or take that back; its event is told by the test."""
        facts = {"action": action, "uuid": uuid, "emoji": emoji}
        return self._keep(room, facts | self._change_of(room, seq, user))

    def unreact(self, room: str, seq: int, emoji: str, user: int = 8) -> dict[str, Any]:
        """Have somebody take a reaction back; its event is told by the test."""
        return self.react(room, seq, emoji, user, action="remove_reaction")

    def pin(
        self, room: str, seq: int, user: int = 8, uuid: str = "", action: str = "pin_message"
    ) -> dict[str, Any]:
        """Have somebody pin a message, or take that back; its event is told by the test."""
        event = self._keep(room, {"action": action, "uuid": uuid} | self._change_of(room, seq, user))
        event |= {"pinned_at": START_MS + event["seq"] * MINUTE_MS} if action == "pin_message" else {}
        return event

    def join(self, room: str, *roles: str) -> None:
        """Have the api say who is in a room: alice, bob and so on with these roles, not muted."""
        people = zip(self.names.items(), roles, strict=False)
        self.members[room] = [
            {"id": id_, "username": name, "role": role, "muted": False, "muted_until": None}
            for (id_, name), role in people
        ]

    def moderate(
        self, room: str, action: str, member: int, user: int = 8, uuid: str = "", **facts: Any
    ) -> dict[str, Any]:
        """Have somebody do something to a member, as `set_role` does; its event is told by the test."""
        known = [one for one in self.members.get(room, []) if one["id"] == member]
        role = facts.pop("role", None)
        for one in known:
            one["role"] = role or one["role"]
            if action in ("mute_user", "unmute_user"):
                one |= {"muted": action == "mute_user", "muted_until": facts.get("until")}
            if action in ("remove_user", "ban_user"):
                self.members[room].remove(one)
        if action in ("ban_user", "unban_user"):
            self.banned = [one for one in self.banned if one[:2] != (room, member)]
        if action == "ban_user":
            self.banned.append((room, member, facts.get("until")))
        about = {"id": member, "username": self.names[member], "role": known[0]["role"] if known else role}
        if action in ("mute_user", "ban_user"):
            facts = {"until": None} | facts
        facts |= {"user": {"id": user, "username": self.names[user]}, "member": about}
        return self._keep(room, {"action": action, "uuid": uuid} | facts)

    def _change_of(self, room: str, seq: int, user: int) -> dict[str, Any]:
        author = self.events[room][seq - 1]["message"]["user"]["id"]
        message = {"id": seq, "seq": seq, "user": author}
        return {"user": {"id": user, "username": self.names[user]}, "message": message}

    def remove(self, room: str) -> None:
        """Have bob remove the user from a room."""
        facts = {
            "user": {"id": 8, "username": self.names[8]},
            "member": {"id": 7, "username": "alice", "role": "member"},
        }
        self.tell(self._keep(room, {"action": "remove_user", "uuid": ""} | facts))
        del self.rooms[room]
        self.tell({"action": "room_left", "room": room})

    def change(self, room: str, action: str, **facts: Any) -> None:
        """Have bob change a room: its event, and what its summary says from now on."""
        self.rooms[room] |= facts
        actor = {"id": 8, "username": self.names[8]}
        self.tell(self._keep(room, {"action": action, "uuid": "", "user": actor}))

    def tell(self, frame: dict[str, Any]) -> None:
        """Say something on every connection."""
        for socket in self.sockets:
            socket.send(json.dumps(frame))

    def close(self, code: int) -> None:
        """Close every connection."""
        for socket in self.sockets:
            socket.close(code=code)
        self.sockets.clear()

    def sent(self) -> list[dict[str, Any]]:
        """Return the messages that pages sent."""
        return [frame for frame in self.frames if frame["action"] == "new_message"]

    def _keep(self, room: str, facts: dict[str, Any]) -> dict[str, Any]:
        seq = len(self.events[room]) + 1
        event = {"status": "success", "room": room, "epoch": "e1", "seq": seq} | facts
        self.events[room].append(event)
        return event

    # -- the gateway --

    def accept(self, socket: WebSocketRoute) -> None:
        """Answer on a connection."""
        self.sockets.append(socket)
        socket.on_close(lambda code, reason: self.sockets.remove(socket) if socket in self.sockets else None)
        socket.on_message(lambda text: self._received(socket, json.loads(text)))

    def _received(self, socket: WebSocketRoute, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        answer = getattr(self, f"_{frame['action']}", self._write)(frame)
        if answer is not None:
            socket.send(json.dumps(success(frame) | answer))

    def _authenticate(self, frame: dict[str, Any]) -> dict[str, Any]:
        user = {"id": self.user, "username": self.names[self.user]}
        return {"user": user, "rooms": [self.summary(room) for room in self.rooms]}

    def _ping(self, frame: dict[str, Any]) -> dict[str, Any]:
        return {"time_ms": 0}

    def _select_room(self, frame: dict[str, Any]) -> dict[str, Any] | None:
        room = frame["room"]
        facts = {"room": room, "epoch": "e1", "seq": len(self.events[room])}
        if since := frame.get("since"):
            return facts | {"events": self.events[room][since["seq"] :], "more": False}
        return facts | {"room_messages": self._messages(room)[-20:]}

    def _get_history(self, frame: dict[str, Any]) -> dict[str, Any] | None:
        messages = self._messages(frame["room"])
        found = [one for one in messages if one["seq"] < frame.get("before", 10**9)][-frame["limit"] :]
        if "after" in frame:
            found = [one for one in messages if one["seq"] > frame["after"]][: frame["limit"]]
        answer = {"room": frame["room"], "room_messages": found, "seq": len(self.events[frame["room"]])}
        if self.held is None:
            return answer
        self.held.append(success(frame) | answer)
        return None

    def _write(self, frame: dict[str, Any]) -> None:
        if self.is_silent:
            return
        if self.refuses:
            self.tell(refusal(frame, self.refuses[0]) | {"error_message": self.refuses[1]})
        elif frame["action"] == "new_message":
            facts = {"reply_to": frame.get("reply_to"), "mentions": frame.get("mentions", [])}
            facts["mentions_room"] = frame.get("mentions_room", False)
            self.tell(self.store(frame["room"], frame["text"], self.user, frame["uuid"], **facts))
        elif frame["action"] == "edit_message":
            self.tell(self.edit(frame["room"], frame["message"], frame["text"], self.user, frame["uuid"]))
        elif frame["action"] == "delete_message":
            self.tell(self.delete(frame["room"], frame["message"], self.user, frame["uuid"]))
        elif frame["action"] in ("add_reaction", "remove_reaction"):
            room, message, emoji = frame["room"], frame["message"], frame["emoji"]
            self.tell(self.react(room, message, emoji, self.user, frame["uuid"], frame["action"]))
        elif frame["action"] in ("pin_message", "unpin_message"):
            self.tell(self.pin(frame["room"], frame["message"], self.user, frame["uuid"], frame["action"]))
        elif "user" in frame:
            facts = {key: frame[key] for key in ("role", "until") if key in frame}
            room, member = frame["room"], frame["user"]
            self.tell(self.moderate(room, frame["action"], member, self.user, frame["uuid"], **facts))
        elif frame["action"] == "create_room":
            self.add_room(MADE, frame["name"])
            author = {"id": self.user, "username": self.names[self.user]}
            self.tell(self._keep(MADE, {"action": "create_room", "uuid": frame["uuid"], "user": author}))

    def _messages(self, room: str) -> list[dict[str, Any]]:
        messages: dict[int, dict[str, Any]] = {}
        for event in self.events[room]:
            if event["action"] == "new_message":
                messages[event["seq"]] = event["message"]
            elif event["action"] == "edit_message" and event["text"]:
                seq, said = event["message"]["seq"], {"mentions_room": False} | event
                messages[seq] = messages[seq] | {name: said[name] for name in EDITED}
        events = self.events[room]
        return [
            message | reactions_of(events, message, self.user) | {"pinned": self._pinned(room, message)}
            for message in messages.values()
        ]

    def _pinned(self, room: str, message: dict[str, Any]) -> int | None:
        pins = [event for event in self.events[room] if event["action"] in ("pin_message", "unpin_message")]
        last = [event for event in pins if event["message"]["seq"] == message["seq"]][-1:]
        return last[0].get("pinned_at") if last and not message["deleted"] else None

    def _list_pins(self, frame: dict[str, Any]) -> dict[str, Any]:
        pinned = [message for message in self._messages(frame["room"]) if message["pinned"]]
        pinned.sort(key=lambda message: message["pinned"], reverse=True)
        seq = len(self.events[frame["room"]])
        answer = {"room": frame["room"], "room_messages": pinned[: self.pins_shown], "seq": seq}
        return answer | {"more": len(pinned) > self.pins_shown}

    def _list_blocks(self, frame: dict[str, Any]) -> dict[str, Any]:
        users = [{"id": id_, "username": self.names[id_]} for id_ in sorted(self.blocked)]
        return {"users": users, "more": False}

    def _block_user(self, frame: dict[str, Any]) -> dict[str, Any]:
        is_blocked, user = frame["action"] == "block_user", frame["user"]
        self.blocked = self.blocked | {user} if is_blocked else self.blocked - {user}
        told = {"user": {"id": user, "username": self.names[user]}}
        self.tell({"action": "user_blocked", "blocked": is_blocked, **told})
        return told

    _unblock_user = _block_user

    def _mark_read(self, frame: dict[str, Any]) -> dict[str, Any] | None:
        room = frame["room"]
        if self.is_silent or room not in self.rooms:
            return None if self.is_silent else refusal(frame, "not_member")
        self.rooms[room]["read_seq"] = max(frame.get("seq", 0), self.rooms[room]["read_seq"])
        self.rooms[room] |= {"notify": frame["notify"]} if "notify" in frame else {}
        self.tell({"action": "room_marked", "room": self.summary(room)})
        return {"room": self.summary(room)}

    _set_notifications = _mark_read

    def summary(self, room: str) -> dict[str, Any]:
        """Return a room as the user sees it now."""
        above = [one for one in self._messages(room) if one["seq"] > self.rooms[room]["read_seq"]]
        unread = [one for one in above if one["user"]["id"] != self.user and not one["deleted"]]
        mine = sum(self.user in one.get("mentions", ()) or one.get("mentions_room", False) for one in unread)
        counts = {"unread": len(unread), "unread_mentions": mine}
        return self.rooms[room] | {"seq": len(self.events[room])} | counts

    # -- the api --

    def _serve(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        path = address.path
        if path.startswith("/static/roomlog/"):
            self._serve_file(route, self.static / path.removeprefix("/static/roomlog/"))
        elif path == "/logout/":
            self.has_session = False
            route.fulfill(body=self.pages["/login/"], content_type="text/html", headers=HEADERS)
        elif path == "/api/v1/ticket/" and self.is_down:
            route.abort()
        elif path == "/api/v1/ticket/":
            route.fulfill(status=200 if self.has_session else 403, json={"ticket": "t"})
        elif path == "/api/v1/users/":
            (search,) = parse_qs(address.query)["search"]
            found = [
                {"id": id_, "username": name} for id_, name in self.names.items() if name.startswith(search)
            ]
            route.fulfill(json=found)
        elif path.endswith("/bans/"):
            bans = [(user, end) for room, user, end in self.banned if room == path.split("/")[4]]
            found = [{"user": {"id": user, "username": self.names[user]}, "until": end} for user, end in bans]
            route.fulfill(json=found)
        elif path.startswith("/api/v1/rooms/"):
            self._serve_members(route, path.split("/")[4], parse_qs(address.query))
        elif path == "/api/v1/people/":
            ids = [int(number) for number in parse_qs(address.query)["id"]]
            self.asked_people.append(ids)
            route.fulfill(json=[{"id": one, "avatar": self.pictures.get(one, "")} for one in ids])
        else:
            route.fulfill(body=self.pages[path], content_type="text/html", headers=HEADERS)

    def _serve_members(self, route: Route, room: str, query: dict[str, list[str]]) -> None:
        found = [one for one in self.members.get(room, []) if one["id"] > int(query.get("after", ["0"])[0])]
        if "id" in query:
            found = [one for one in found if str(one["id"]) in query["id"]]
        route.fulfill(json=found[:100])

    def _serve_file(self, route: Route, path: Path) -> None:
        if path.exists():
            route.fulfill(path=path, content_type=_TYPES[path.suffix])
        else:
            route.fulfill(status=404)


def enter(page: Page, room: str) -> Page:
    """Choose a room of the page's list."""
    page.locator("#rooms .room", has_text=room).click()
    expect(page.locator("#room-name")).to_contain_text(room)
    return page


MakeChat = Callable[..., Chat]
"""A fixture that makes browsers with the page; they are closed after the test."""
