"""Commands to the stream of their shard, replies to who waits for them. Stage: session → worker → session.

It must not answer what it does not know: busy is said only where the command certainly is not in Redis, and
a request that expires is simply no longer waited for (GUARANTEES G7).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from uuid import UUID

import structlog

from roomlog_contract import limits
from roomlog_contract.actions import STREAMS, Stream
from roomlog_contract.commands import ClientCommand, Command, GetHistory, RoomWrite, SelectRoom, action_of
from roomlog_contract.envelope import Answered, Reply, Selected, decode_replies
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import room_of
from roomlog_contract.trail import Note, Queued, ignore
from roomlog_runtime.logs import is_debug

from ..errors import NotAccepted
from ..sockets.session import Session
from .envelope_sender import EnvelopeSender
from .pending_requests import PendingRequests, Request, request_hop
from .selection import UNKNOWN, Selection

log = structlog.get_logger()

Begin = Callable[[Request], str]
"""Begins a write's span, and returns the trace context that goes with the command."""
TakenHere = Mapping[type[Command], Callable[[Session, Any], None]]
"""What takes the commands that no worker is asked for, by their kind."""
FULL_RETRY_MS: Final = 1000
"""Told with the 33rd unanswered command: by then the worker has answered some."""


def untraced(request: Request) -> str:
    """Begin no span: OpenTelemetry is off."""
    return ""


class Router:
    """Numbers commands, sends them off and brings their answers back."""

    def __init__(
        self,
        keyspace: Keyspace,
        requests: PendingRequests,
        sender: EnvelopeSender,
        selection: Selection,
        clock: Callable[[], float],
        here: TakenHere,
        note: Note = ignore,
        begin: Begin = untraced,
    ) -> None:
        """Send all but those kinds of commands that `here` takes."""
        self._keyspace = keyspace
        self._requests = requests
        self._sender = sender
        self._selection = selection
        self._clock = clock
        self._here = here
        self._note = note
        self._begin = begin
        self._is_debug = is_debug()

    def forward(self, session: Session, command: ClientCommand) -> None:
        """Send a member's command to its worker; the answer comes as a reply or as the room's event.

        Raises:
            NotAccepted: it was not sent, for certain.
        """
        is_read = STREAMS[type(command)] is not Stream.WRITE
        if is_read and (take := self._here.get(type(command))) is not None:
            take(session, command)
            return
        if session.unanswered >= limits.UNANSWERED_COMMANDS or (is_read and session.outbox.is_backed_up):
            raise NotAccepted(FULL_RETRY_MS)
        stream, shard, room = self._route(session.user, command)
        if not is_read:
            self._sender.admit(stream)
            self._requests.overtake(session, room, command.uuid)
        on_end = self._selection.release if isinstance(command, SelectRoom) else None
        request = Request(session, command.uuid, action_of(command), room, shard, self._clock(), on_end)
        number = self._requests.add(request)
        traceparent = "" if is_read else self._begin(request)
        try:
            # Until it has entered the room nothing here may hear the channel: the event could pass it by.
            wants_reply = room is not None and room not in session.rooms
            known = self._selection.known(request) if isinstance(command, GetHistory) else UNKNOWN
            self._sender.send(stream, command, number, session.user, wants_reply, traceparent, known)
        except NotAccepted:
            self._requests.take(number)
            raise
        session.sent()
        if not is_read:
            self._note(Queued(command.uuid, request.action, session.user, session.number, shard))
        if self._is_debug:
            log.debug("command_sent", action=request.action, request=number, **request_hop(request))
        if isinstance(command, SelectRoom):
            self._selection.hold(request, is_afresh=command.since is None)

    def on_replies(self, payload: bytes) -> None:
        """Take one publication on this gateway's channel: replies to commands and questions."""
        for reply in decode_replies(payload):
            future = self._requests.own(reply.request)
            if future is not None:
                if not future.done():
                    future.set_result(reply)
            else:
                self._answer(reply)

    def _answer(self, reply: Reply) -> None:
        request = self._requests.take(reply.request)
        if request is None:
            return
        request.session.answered()
        self._requests.note_end(request, "reply")
        if self._is_debug:
            log.debug("reply_received", request=reply.request, **request_hop(request))
        if isinstance(reply, Selected):
            self._selection.answer(request, reply)
        elif isinstance(reply, Answered):
            if not request.is_overtaken:
                request.session.answer(reply.frame)
                self._selection.showed(request, reply.epoch, reply.seq)
            request.end()

    def _route(self, user: int, command: ClientCommand) -> tuple[str, int, UUID | None]:
        """Return stream and shard of a command, and the room that it names."""
        kind, room = STREAMS[type(command)], getattr(command, "room", None)
        if kind is Stream.WRITE:
            shard = self._keyspace.shard_of_room(room_of(cast(RoomWrite, command), user))
        else:
            shards = self._keyspace
            shard = shards.shard_of_user(user) if room is None else shards.shard_of_room(room)
        return self._keyspace.stream(kind, shard), shard, room
