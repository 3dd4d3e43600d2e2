"""A Roomlog server in memory, for tests of programs that use the client: one process, no database.

It speaks the same wire on a real socket and keeps the promises of the log; faults are made by its attributes.
Of REST it has what the client asks: searches and uploads.
It must not be used for anything else: it checks no limits and forgets everything.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast
from uuid import uuid4

from aiohttp import WSMsgType, web

EPOCH: Final = "0123456789abcdef"
FILE_BYTES: Final = 32 * 1024 * 1024
"""The largest upload; a real server takes less."""
STOP_SECONDS: Final = 2.0
"""Longest wait for the sockets to end."""
Frame = dict[str, Any]


@dataclass(eq=False)
class Connection:
    """One socket and whose it is."""

    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport
    user: Frame = field(default_factory=dict)
    stalled: set[str] = field(default_factory=set)
    """Rooms of which nothing is sent until select_room."""
    watched: list[str] = field(default_factory=list)
    """Rooms of which it is told who is there, types and reads."""
    is_cut: bool = False
    """Aborted: what it still had to say is lost."""


class FakeServer:
    """Rooms, users and sockets of a stand-in for Roomlog."""

    def __init__(self, members: dict[str, Iterable[str]], epoch: str = EPOCH) -> None:
        """`members` names the users of each room; a user's token is the name."""
        self.members = {room: set(names) for room, names in members.items()}
        self.epoch = epoch
        self.logs: dict[str, list[Frame]] = defaultdict(list)
        self.connections: list[Connection] = []
        self.received: list[Frame] = []
        """Every command, in the order of arrival over all connections."""
        self.page_events = 200
        self.swallow: Callable[[Frame], bool] = lambda command: False
        """Commands for which it returns True are neither carried out nor answered."""
        self.answers: dict[str, Frame] = {}
        """What the answers to other actions say, by the action."""
        self.refuse: Callable[[Frame], Frame | None] = lambda command: None
        """Return what to add to an error answer (`error_code` …) for a command that is to be refused."""
        self.lose: Callable[[Frame], bool] = lambda event: False
        """Events for which it returns True are stored and not sent to anybody."""
        self.refuse_http: Callable[[web.Request], web.Response | None] = lambda request: None
        """Return what to answer a question by HTTP with, in place of what was asked for."""
        self.answer_http: Callable[[web.Request, Frame], Frame | None] = lambda request, body: None
        """Return what the server says by HTTP to what it knows nothing of; None: it is not there."""
        self.files: dict[str, Frame] = {}
        """What was uploaded, as messages tell it, by its id."""
        self.upgrade_status = 101
        """Another status refuses new sockets with it."""
        self.showing: set[str] = set()
        """Rooms that show how far their members have read."""
        self._marks: dict[tuple[str, str], int] = {}
        """Read marks, by room and name."""
        self._levels: dict[tuple[str, str], str] = {}
        """Levels of notifications, likewise."""
        self._users = sorted({name for names in self.members.values() for name in names})
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        """Listen on a free port of the loopback."""
        application = web.Application(client_max_size=FILE_BYTES)
        application.router.add_get("/ws", self._serve)
        application.router.add_get("/api/v1/search/", self._search)
        application.router.add_get("/api/v1/users/", self._find_users)
        application.router.add_post("/api/v1/attachments/", self._upload)
        application.router.add_route("*", "/api/v1/{path:.*}", self._answer_otherwise)
        self._runner = web.AppRunner(application, shutdown_timeout=STOP_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/ws"
        return self

    async def __aexit__(self, *details: object) -> None:
        """Close all sockets and stop listening."""
        await self.disconnect(1001)
        if self._runner is not None:
            await self._runner.cleanup()

    def user(self, name: str) -> Frame:
        """Return a user as frames name them."""
        return {"id": self._users.index(name) + 1, "username": name}

    async def post(self, room: str, name: str, text: str, uuid: str = "") -> Frame:
        """Let somebody say something without a connection."""
        event = self._append(room, name, text, uuid or f"posted-{len(self.logs[room]) + 1}")
        await self._publish(event)
        return event

    async def tell(self, frame: Frame) -> None:
        """Send a server event to every connection."""
        for connection in list(self.connections):
            await _send(connection, frame)

    async def disconnect(self, code: int) -> None:
        """Close every connection."""
        async with asyncio.timeout(STOP_SECONDS):
            for connection in list(self.connections):
                await connection.socket.close(code=code)

    def abort(self) -> None:
        """Cut every connection without a close frame."""
        for connection in list(self.connections):
            connection.is_cut = True
            connection.transport.abort()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.upgrade_status != 101:
            return web.Response(status=self.upgrade_status, headers={"Retry-After": "0"})
        socket = web.WebSocketResponse()
        await socket.prepare(request)  # deadline: none needed, it writes one small header
        connection = Connection(socket, cast(asyncio.WriteTransport, request.transport))
        self.connections.append(connection)
        try:
            async for message in socket:  # deadline: the test that ends the server closes it
                if message.type is WSMsgType.TEXT:
                    await self._carry_out(connection, json.loads(message.data))
        finally:
            self.connections.remove(connection)
        return socket

    async def _search(self, request: web.Request) -> web.Response:
        """Find messages that have each word somewhere in their text, in whatever case."""
        query = request.query
        if (refusal := self._refusal(request)) is not None:
            return refusal
        words = query.get("text", "").lower().split()
        found = [
            message
            for room in self._rooms_of(_token(request))
            if query.get("room", room) == room
            for message in (event["message"] for event in self.logs[room])
            if all(word in message["text"].lower() for word in words)
            and query.get("author", str(message["user"]["id"])) == str(message["user"]["id"])
            and int(query.get("after", 0)) <= message["timestamp"] < int(query.get("before", 1 << 62))
        ]
        found.sort(key=lambda message: (message["timestamp_ms"], message["seq"]), reverse=True)
        first = int(query.get("cursor", 0))
        end = first + int(query.get("limit", 25))
        return web.json_response(
            {"messages": found[first:end], "next": str(end) if end < len(found) else None}
        )

    async def _find_users(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        beginning = request.query["search"]
        return web.json_response([self.user(name) for name in self._users if name.startswith(beginning)])

    async def _upload(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        file = cast(web.FileField, (await request.post())["file"])
        facts = {"name": file.filename, "size": len(file.file.read()), "type": file.content_type}
        key = uuid4().hex
        self.files[key] = {"id": key, **facts, "width": None, "height": None}
        return web.json_response({**self.files[key], "thumbnail": None}, status=201)

    async def _answer_otherwise(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json() if request.can_read_body else {}
        answer = self.answer_http(request, body)
        if answer is None:
            return web.json_response({"error_code": "not_found", "detail": "It does not exist."}, status=404)
        return web.json_response(answer)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if (refusal := self.refuse_http(request)) is not None:
            return refusal
        if _token(request) in self._users:
            return None
        return web.json_response({"error_code": "invalid_token", "detail": "Invalid token."}, status=401)

    async def _carry_out(self, connection: Connection, command: Frame) -> None:
        if connection.is_cut:
            return
        self.received.append(command)
        if self.swallow(command):
            return
        names = {"uuid": command["uuid"], "action": command["action"]}
        refusal = self.refuse(command)
        if refusal is None and command["action"] == "authenticate" and command["token"] not in self._users:
            refusal = {"error_code": "invalid_token"}
        if refusal is not None:
            await _send(connection, {**names, "status": "error", "error_message": "", **refusal})
            return
        match command["action"]:
            case "authenticate":
                answer = self._authenticate(connection, command)
            case "select_room":
                answer = self._select(connection, command)
            case "mark_read" | "set_notifications":
                answer = await self._see(connection, command)
            case "get_history" if "get_history" not in self.answers:
                answer = self._history(command)
            case "watch":
                answer = await self._watch(connection, command)
            case "typing":
                answer = await self._type(connection, command)
            case "new_message":
                await self._new_message(connection, command)
                return
            case action:
                answer = self.answers.get(action, {})
        await _send(connection, {**names, "status": "success", **answer})

    def _authenticate(self, connection: Connection, command: Frame) -> Frame:
        name = command["token"]
        if connection.user:  # a renewal
            return {"user": connection.user, "rooms": []}
        connection.user = self.user(name)
        rooms = [self.summary(room) | self._read(room, name) for room in self._rooms_of(name)]
        for room, cursor in command["cursors"].items():
            if cursor["seq"] < len(self.logs[room]):
                connection.stalled.add(room)
        return {"user": connection.user, "rooms": rooms}

    def _rooms_of(self, name: str) -> list[str]:
        return [room for room, names in self.members.items() if name in names]

    def _select(self, connection: Connection, command: Frame) -> Frame:
        room, since = command["room"], command.get("since")
        log = self.logs[room]
        place = {"room": room, "epoch": self.epoch, "seq": len(log)}
        connection.stalled.discard(room)
        if since is None:
            return {**place, "room_messages": [event["message"] for event in log[-20:]]}
        if since["epoch"] != self.epoch:
            return {**place, "events": [], "more": False, "reset": True}
        events = log[since["seq"] : since["seq"] + self.page_events]
        end = since["seq"] + len(events)
        if end < len(log):
            connection.stalled.add(room)
        return {**place, "seq": end, "events": events, "more": end < len(log)}

    def _history(self, command: Frame) -> Frame:
        room, limit = command["room"], command["limit"]
        above = [event["message"] for event in self.logs[room][: command.get("before", 1 << 62) - 1]]
        shown = above[-limit:]
        return {"room": room, "seq": len(self.logs[room]), "room_messages": shown, "more": shown != above}

    async def _new_message(self, connection: Connection, command: Frame) -> None:
        room, name = command["room"], connection.user["username"]
        for event in self.logs[room]:
            if event["uuid"] == command["uuid"] and event["message"]["user"] == connection.user:
                await _send(connection, {**event, "duplicate": True})
                return
        event = self._append(room, name, command["text"], command["uuid"], command.get("mentions", []))
        event["message"]["attachments"] = [self.files[file] for file in command.get("attachments", ())]
        event["message"] |= {"mentions_room": True} if command.get("mentions_room") else {}
        await self._publish(event)

    async def _see(self, connection: Connection, command: Frame) -> Frame:
        room, name = command["room"], connection.user["username"]
        mark = min(command.get("seq", 0), len(self.logs[room]))
        self._marks[room, name] = max(mark, self._marks.get((room, name), 0))
        self._levels[room, name] = command.get("notify", self._levels.get((room, name), "all"))
        summary = self.summary(room) | self._read(room, name)
        for one in list(self.connections):
            if one.user == connection.user:
                await _send(one, {"action": "room_marked", "room": summary})
            if room in one.watched and room in self.showing:
                await _send(one, self._receipts(room, [name], whole=False))
        return {"room": summary}

    async def _watch(self, connection: Connection, command: Frame) -> Frame:
        """Say who is in the rooms and has read what; afterwards only what is read is told."""
        connection.watched = command["rooms"]
        for room in command["rooms"]:
            here = {
                one.user["id"] for one in self.connections if one.user.get("username") in self.members[room]
            }
            told = {"room": room, "users": sorted(here), "count": len(here)}
            await _send(connection, {"action": "room_presence", **told})
            if room in self.showing:
                await _send(connection, self._receipts(room, self.members[room], whole=True))
        return {}

    def _receipts(self, room: str, names: Iterable[str], *, whole: bool) -> Frame:
        ids = sorted((self.user(name)["id"], self._marks.get((room, name), 0)) for name in names)
        marks = [{"user": user, "seq": seq} for user, seq in ids]
        return {"action": "room_receipts", "room": room, "epoch": self.epoch, "whole": whole, "marks": marks}

    async def _type(self, connection: Connection, command: Frame) -> Frame:
        room = command["room"]
        for one in list(self.connections):
            if one.user != connection.user and room in one.watched:
                await _send(one, {"action": "room_typing", "room": room, "users": [connection.user]})
        return {}

    def _read(self, room: str, name: str) -> Frame:
        mark = self._marks.get((room, name), 0)
        others = [event for event in self.logs[room][mark:] if event["message"]["user"]["username"] != name]
        me = self.user(name)["id"]
        mentions = [event for event in others if _is_meant(me, event["message"])]
        counts = {"unread": len(others), "unread_mentions": len(mentions)}
        return {"read_seq": mark, "notify": self._levels.get((room, name), "all"), **counts}

    def summary(self, room: str) -> Frame:
        """Return a room as authenticate and room_joined name it, but for what somebody has read of it."""
        head = len(self.logs[room])
        return {"id": room, "name": "", "kind": "group", "epoch": self.epoch, "seq": head}

    def _append(self, room: str, name: str, text: str, uuid: str, mentions: Iterable[int] = ()) -> Frame:
        seq = len(self.logs[room]) + 1
        milliseconds = time.time_ns() // 1_000_000
        times = {"timestamp": milliseconds // 1000, "timestamp_ms": milliseconds}
        message = {"id": seq, "seq": seq, "user": self.user(name), "room": room, "text": text, **times}
        message["deleted"] = False
        message["mentions"] = list(mentions)
        message["attachments"] = list[Frame]()
        place = {"room": room, "epoch": self.epoch, "seq": seq}
        event = {"action": "new_message", "uuid": uuid, "status": "success", **place, "message": message}
        self.logs[room].append(event)
        return event

    async def _publish(self, event: Frame) -> None:
        if self.lose(event):
            return
        room = event["room"]
        for connection in list(self.connections):
            if connection.user.get("username") in self.members[room] and room not in connection.stalled:
                await _send(connection, event)


def _is_meant(user: int, message: Frame) -> bool:
    return user in message.get("mentions", ()) or message.get("mentions_room", False)


def _token(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Token ")


async def _send(connection: Connection, frame: Frame) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await connection.socket.send_str(json.dumps(frame))
    except ConnectionError:
        pass  # the other side is gone; its own task notices
