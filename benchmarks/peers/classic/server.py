"""The classic design: an aiohttp WebSocket server, Redis PUB/SUB between processes, one INSERT a message.

Each socket's messages are stored one by one (a pooled psycopg connection, autocommit) and then published to
the room's channel. What the channel brings goes to the room's sockets in one of the two forms that
tutorials show: a subscription for each socket, or one for the process that hands every message, encoded
once, to all sockets of its room. Nothing is crippled: uvloop, hiredis, a warm pool, no compression, no JSON
per member.
"""

import argparse
import asyncio
import contextlib
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from functools import partial

import redis.asyncio as redis
import uvloop
from aiohttp import WSMsgType, web
from psycopg_pool import AsyncConnectionPool

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id bigserial PRIMARY KEY, room text NOT NULL, user_id integer NOT NULL, uuid text NOT NULL,
    text text NOT NULL, created timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS message_room_id ON message (room, id)
"""
INSERT = "INSERT INTO message (room, user_id, uuid, text) VALUES (%s, %s, %s, %s) RETURNING id"
POOL_SIZE = 20
HEARTBEAT_SECONDS = 25
REDIS_CONNECTIONS = 5_000  # redis-py's default of 100 would refuse publishes and subscriptions under load


class SubscriptionPerSocket:
    """Every socket has a Redis subscription of its own and a task that passes it on."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.pumps: dict[web.WebSocketResponse, asyncio.Task[None]] = {}

    async def join(self, room: str, socket: web.WebSocketResponse) -> None:
        """Subscribe for this socket."""
        pubsub = self.client.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(f"room:{room}")
        self.pumps[socket] = asyncio.create_task(self._pump(pubsub, socket))

    async def leave(self, room: str, socket: web.WebSocketResponse) -> None:
        """End this socket's subscription."""
        await ended(self.pumps.pop(socket))

    async def close(self) -> None:
        """Nothing is shared."""

    async def _pump(self, pubsub: redis.client.PubSub, socket: web.WebSocketResponse) -> None:
        try:
            async for message in pubsub.listen():
                await socket.send_str(message["data"].decode())
        except ConnectionError:
            pass  # the socket's own task sees its end
        finally:
            await pubsub.aclose()


class SubscriptionPerProcess:
    """One Redis subscription, and one task that sends what it brings to the sockets of the room."""

    def __init__(self, client: redis.Redis) -> None:
        self.pubsub = client.pubsub(ignore_subscribe_messages=True)
        self.rooms: dict[str, set[web.WebSocketResponse]] = defaultdict(set)
        self.pump = asyncio.create_task(self._pump())

    async def join(self, room: str, socket: web.WebSocketResponse) -> None:
        """Add a socket to its room; the first one subscribes."""
        is_first = not self.rooms[room]
        self.rooms[room].add(socket)
        if is_first:
            await self.pubsub.subscribe(f"room:{room}")

    async def leave(self, room: str, socket: web.WebSocketResponse) -> None:
        """Take a socket out of its room; the last one unsubscribes."""
        self.rooms[room].discard(socket)
        if not self.rooms[room]:
            del self.rooms[room]
            await self.pubsub.unsubscribe(f"room:{room}")

    async def close(self) -> None:
        """End the subscription."""
        await ended(self.pump)

    async def _pump(self) -> None:
        await self.pubsub.subscribe("process")  # listen() ends at once where there is no subscription
        async for message in self.pubsub.listen():
            room = message["channel"].decode().removeprefix("room:")
            text = message["data"].decode()
            for socket in tuple(self.rooms.get(room, ())):
                with contextlib.suppress(ConnectionError):
                    await socket.send_str(text)


FORMS = {"socket": SubscriptionPerSocket, "process": SubscriptionPerProcess}
POOL = web.AppKey("pool", AsyncConnectionPool)
CLIENT = web.AppKey("client", redis.Redis)
FANOUT = web.AppKey("fanout", SubscriptionPerSocket | SubscriptionPerProcess)


async def serve_socket(request: web.Request) -> web.WebSocketResponse:
    """Serve one connection: `/ws/<room>?user=N`."""
    room, user = request.match_info["room"], int(request.query["user"])
    socket = web.WebSocketResponse(compress=False, heartbeat=HEARTBEAT_SECONDS)
    await socket.prepare(request)
    await request.app[FANOUT].join(room, socket)
    try:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await post(request.app, room, user, json.loads(frame.data))
    finally:
        await request.app[FANOUT].leave(room, socket)
    return socket


async def post(app: web.Application, room: str, user: int, data: dict[str, str]) -> None:
    """Store one message, then publish it to every process that holds the room."""
    async with app[POOL].connection() as connection:
        cursor = await connection.execute(INSERT, (room, user, data["uuid"], data["text"]))
        row = await cursor.fetchone()
    event = {"uuid": data["uuid"], "user": user, "text": data["text"], "id": row[0]}
    await app[CLIENT].publish(f"room:{room}", json.dumps(event))


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def connect(form: str, app: web.Application) -> AsyncIterator[None]:
    """Hold the pool, the Redis client and the subscriptions for as long as the application runs."""
    app[CLIENT] = redis.Redis.from_url(os.environ["PEER_REDIS_URL"], max_connections=REDIS_CONNECTIONS)
    options = {"autocommit": True}
    address = os.environ["PEER_DATABASE_URL"]
    async with AsyncConnectionPool(address, min_size=POOL_SIZE, kwargs=options, open=False) as app[POOL]:
        async with app[POOL].connection() as connection:
            await connection.execute(SCHEMA)
        app[FANOUT] = FORMS[form](app[CLIENT])
        yield
        await app[FANOUT].close()
        await app[CLIENT].aclose()


def main() -> None:
    """Listen on the given port of the loopback address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--subscription", choices=FORMS, required=True)
    arguments = parser.parse_args()
    app = web.Application()
    app.router.add_get(r"/ws/{room:\w+}", serve_socket)
    app.cleanup_ctx.append(partial(connect, arguments.subscription))
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None, access_log=None, loop=loop)


if __name__ == "__main__":
    main()
