"""gunicorn's threaded worker, whose threads meet whole requests only and never wait for a client.

Around people's requests. gunicorn's own gives a thread to a connection as soon as a byte is there; eight slow
bodies then stop everybody. Here the loop reads head and body under one deadline, hands over what is complete,
and writes what a client is slow to take. A client that asks too often waits for each answer, without a
thread: refusing costs Django as much as serving. It must not parse: where a request ends, and the status of
an answer, is all that it looks for.
"""

import errno
import json
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

from roomlog.configuration import configuration
from roomlog.problems import MEDIA_TYPE, code_of
from roomlog_api.upload_spool import Spool, most_bytes

REQUEST_SECONDS: Final = 10.0
"""From a request's first byte to its last, and for the first byte of a new connection."""
ANSWER_SECONDS: Final = 20.0
"""For a client to take an answer."""
LINGER_SECONDS: Final = 2.0
"""For a client to close after us: closing on unread bytes would cut the answer off (RFC 9112 section 9.6)."""
TOO_OFTEN_SECONDS: Final = 1.0
"""Before an answer 429 is sent, and the connection's next request is read; up to a second more."""
MAX_HEAD_BYTES: Final = 32 * 1024
"""A line, a cookie and a token; gunicorn's own bounds are on each line."""
MAX_BODY_BYTES: Final = 256 * 1024
"""Bodies here are commands and forms. REST takes 64 KiB of it."""
LEAST_BYTES_PER_SECOND: Final = 32 * 1024
"""Of uploads and downloads: a client that is slower than a bad mobile network loses its place."""
MAX_UNSENT_BYTES: Final = 8 * 1024 * 1024
"""Of one answer that is no file: a page of 100 of the longest messages is below 2 MiB."""
MAX_HELD_BYTES: Final = 64 * 1024 * 1024
"""Of all that waits in memory, unfinished requests and unread answers; then whoever waits longest goes."""
MAX_SPOOLED_BYTES: Final = 128 * 1024 * 1024
"""Of all unfinished uploads on disk; likewise."""
MAX_DIGITS: Final = 15
"""Of a length: int() refuses thousands."""
READ_BYTES: Final = 64 * 1024
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_EXPECTS: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_TOO_OFTEN: Final = b"HTTP/1.1 429 "
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_PASSING: Final = (errno.EAGAIN, errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS)
"""What an accept may say without being broken; the connection is tried again or gone."""


class Unreadable(Exception):
    """A request that is not read to its end."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


def end_of_request(received: bytes | bytearray) -> int | None:
    """Return where the first request ends; None while it has not.

    Raises:
        Unreadable: it is too long, or does not say how long it is. Django reads no body without a length.
    """
    end = received.find(b"\r\n\r\n")
    if end > MAX_HEAD_BYTES or (end < 0 and len(received) > MAX_HEAD_BYTES):
        raise Unreadable(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    if end < 0:
        return None
    head = bytes(received[: end + 2])
    if _CHUNKED.search(head):
        raise Unreadable(HTTPStatus.LENGTH_REQUIRED)
    lengths = _LENGTH.findall(head)
    most = most_bytes(head, MAX_BODY_BYTES)
    if any(len(digits) > MAX_DIGITS or int(digits) > most for digits in lengths):
        raise Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    whole = end + 4 + max(map(int, lengths), default=0)
    return whole if len(received) >= whole else None


def spool_of(received: bytes | bytearray) -> Spool | None:
    """Return where the body of the request goes whose head has just arrived, if memory is no place for it."""
    end = received.find(b"\r\n\r\n")
    lengths = _LENGTH.findall(bytes(received[: end + 2])) if end >= 0 else ()
    length = max(map(int, lengths), default=0)
    return Spool(length) if length > MAX_BODY_BYTES else None


class BufferedSocket(socket.socket):
    """A socket that never blocks: what a client does not take at once is kept for the loop."""

    unsent: bytearray
    is_held: bool
    """Nothing is sent for now."""
    spool: Spool | None
    """The body of the upload that a thread reads."""

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send now what can be sent, in order, and keep the rest."""
        self.is_held |= not self.unsent and data.startswith(_TOO_OFTEN)
        self.unsent += data
        if not self.is_held:
            self.flush()
        if len(self.unsent) > MAX_UNSENT_BYTES + configuration().attachment_bytes:
            raise ConnectionResetError(errno.ECONNRESET, "the client does not read")

    def send(self, data: Any, flags: int = 0) -> int:
        """Send all, as far as the caller can tell."""
        self.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Send what the system takes of what is kept."""
        while self.unsent:
            try:
                del self.unsent[: super().send(self.unsent)]
            except (BlockingIOError, InterruptedError):
                return

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return more of an upload, or the end: a thread has been given all that there is."""
        return self.spool.read(size) if self.spool else b""

    def receive(self) -> bytes | None:
        """Return what has arrived, nothing at the end; None where nothing has."""
        try:
            return super().recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return None

    def setblocking(self, flag: bool) -> None:
        """Stay as it is, whatever the worker's threads want."""

    def settimeout(self, value: float | None) -> None:
        """Likewise."""


def buffered(accepted: socket.socket) -> BufferedSocket:
    """Return the accepted connection as a socket that never blocks."""
    accepted.setblocking(False)
    made = BufferedSocket(fileno=accepted.detach())
    socket.socket.settimeout(made, 0.0)
    made.unsent, made.is_held, made.spool = bytearray(), False, None
    return made


class Peer(TConn):  # type: ignore[misc] # gunicorn has no types
    """A connection, and what has arrived of its next request."""

    def __init__(self, cfg: Any, sock: BufferedSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.received = bytearray()
        self.spool: Spool | None = None
        """The body of an upload that is arriving."""
        self.is_kept = True
        self.ends_at = 0.0
        """When the loop waits no longer."""

    @property
    def held_bytes(self) -> int:
        """What the process keeps for it."""
        return len(self.received) + len(self.sock.unsent)


class FullRequestWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """A worker with more connections than threads, none of which can keep a thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Peer, None] = {}
        """Whom the loop waits for, the one that it waits for longest first."""

    # -- gunicorn's own steps -------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        """Take a connection; where there is no place, whoever is waited for longest loses its own."""
        try:
            accepted, client = listener.accept()
        except OSError as error:
            if error.errno not in _PASSING:
                raise
            self._drop_longest()
            return
        self.nr_conns += 1
        # Below the number at which gunicorn stops accepting: a place is always made for the newest.
        while self.nr_conns >= self.worker_connections and self._drop_longest():
            pass
        peer = Peer(self.cfg, buffered(accepted), client, listener.getsockname())
        self._wait(peer, EVENT_READ, REQUEST_SECONDS, self._read)

    def finish_request(self, conn: Peer, fs: "Future[Any]") -> None:
        """Write what is left of the answer, then wait for the next request or for the client's end."""
        conn.is_kept = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        if conn.sock.spool:
            # What was refused unread would be taken for the next request.
            conn.is_kept &= conn.sock.spool.close()
            conn.sock.spool = None
        if conn.sock.is_held:
            self._waiting[conn] = None
            conn.ends_at = time.monotonic() + TOO_OFTEN_SECONDS
        else:
            self._write(conn)

    def murder_pending(self) -> None:
        """Send the answers held back, leave those who took too long; called at least once a second."""
        now = time.monotonic()
        for peer in [peer for peer in self._waiting if peer.ends_at <= now]:
            if peer.sock.is_held:
                self._release(peer)
            elif peer.received and not peer.sock.unsent:
                self._refuse(peer, HTTPStatus.REQUEST_TIMEOUT)
            else:
                self._drop(peer)

    def murder_keepalived(self, force: bool = False) -> None:
        """Leave everybody, at the end."""
        for peer in list(self._waiting) if force else ():
            self._drop(peer)

    def _cap_keepalive(self, deadline: float) -> None:
        for peer in self._waiting:
            peer.ends_at = min(peer.ends_at, deadline)

    # -- a connection's way ---------------------------------------------------------------------

    def _read(self, peer: Peer, _: Any) -> None:
        """Take what arrived of a request."""
        data = self._receive(peer)
        if data:
            if not peer.received:
                peer.ends_at = time.monotonic() + REQUEST_SECONDS
            peer.received += data
            self._take(peer)
            while sum(peer.spool.size for peer in self._waiting if peer.spool) > MAX_SPOOLED_BYTES:
                self._drop(next(peer for peer in self._waiting if peer.spool))
            while sum(peer.held_bytes for peer in self._waiting) > MAX_HELD_BYTES and self._drop_longest():
                pass

    def _receive(self, peer: Peer) -> bytes | None:
        """Return what has arrived; leave a client that has closed."""
        try:
            data: bytes | None = peer.sock.receive()
        except OSError:
            data = b""
        if data == b"":
            self._drop(peer)
        return data

    def _take(self, peer: Peer) -> bool:
        """Give a complete request to a thread, and tell whether there was one."""
        try:
            end = end_of_request(peer.received)
        except Unreadable as unreadable:
            self._refuse(peer, unreadable.status)
            return True
        if end is None:
            end = self._spooled(peer)
        if end is None:
            self._encourage(peer)
            return False
        self._stop_waiting(peer)
        peer.sock.spool, peer.spool = peer.spool, None
        peer.init()
        peer.parser.unreader.unread(bytes(peer.received[:end]))
        del peer.received[:end]
        peer.data_ready = True
        self.enqueue_req(peer)
        return True

    def _spooled(self, peer: Peer) -> int | None:
        """Move what arrived of an upload to its file; return where its head ends once it is whole."""
        if peer.spool is None:
            peer.spool = spool_of(peer.received)
            if peer.spool is None:
                return None
            peer.ends_at += peer.spool.length / LEAST_BYTES_PER_SECOND
        end = peer.received.find(b"\r\n\r\n") + 4
        try:
            peer.spool.take(peer.received, end)
        except OSError:
            self._refuse(peer, HTTPStatus.INSUFFICIENT_STORAGE)
            return None
        return end if peer.spool.is_whole else None

    def _encourage(self, peer: Peer) -> None:
        """Ask for the body where the client waits to be asked; once is enough, twice does no harm."""
        if peer.spool and peer.spool.size:
            return
        if _EXPECTS.search(peer.received) and peer.received.endswith(b"\r\n\r\n"):
            peer.sock.sendall(_CONTINUE)

    def _write(self, peer: Peer, _: Any = None) -> None:
        try:
            peer.sock.flush()
        except OSError:
            self._drop(peer)
            return
        if not peer.sock.unsent:
            self._stop_waiting(peer)
            self._after_answer(peer)
        elif peer not in self._waiting:
            seconds = ANSWER_SECONDS + len(peer.sock.unsent) / LEAST_BYTES_PER_SECOND
            self._wait(peer, EVENT_WRITE, seconds, self._write)

    def _release(self, peer: Peer) -> None:
        """Send the answer that was held back."""
        self._stop_waiting(peer)
        peer.sock.is_held = False
        self._write(peer)

    def _after_answer(self, peer: Peer) -> None:
        if not peer.is_kept:
            self._say_goodbye(peer)
            return
        self._wait(peer, EVENT_READ, self.cfg.keepalive if self.alive else LINGER_SECONDS, self._read)
        if peer.received and not self._take(peer):
            peer.ends_at = time.monotonic() + REQUEST_SECONDS

    def _refuse(self, peer: Peer, status: HTTPStatus) -> None:
        """Say why, and read no more of it."""
        body = json.dumps(
            {
                "type": "about:blank",
                "title": status.phrase,
                "status": int(status),
                "detail": status.description or status.phrase,
                "error_code": code_of(status),
            }
        ).encode()
        head = (
            f"HTTP/1.1 {int(status)} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self._stop_waiting(peer)
        peer.received.clear()
        peer.is_kept = False
        peer.sock.unsent += head.encode() + body
        self._write(peer)

    def _say_goodbye(self, peer: Peer) -> None:
        try:
            peer.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(peer)
            return
        self._wait(peer, EVENT_READ, LINGER_SECONDS, self._discard)

    def _discard(self, peer: Peer, _: Any) -> None:
        self._receive(peer)

    # -- whom the loop waits for ----------------------------------------------------------------

    def _wait(self, peer: Peer, events: int, seconds: float, then: Callable[[Peer, Any], None]) -> None:
        peer.ends_at = time.monotonic() + seconds
        self._waiting[peer] = None
        self.poller.register(peer.sock, events, partial(then, peer))

    def _stop_waiting(self, peer: Peer) -> None:
        if peer in self._waiting:
            del self._waiting[peer]
            if not peer.sock.is_held:
                self.poller.unregister(peer.sock)

    def _drop_longest(self) -> bool:
        """Leave whom the loop waits for longest, and tell whether there was anybody."""
        peer = next(iter(self._waiting), None)
        if peer is not None:
            self._drop(peer)
        return peer is not None

    def _drop(self, peer: Peer) -> None:
        self._stop_waiting(peer)
        for spool in filter(None, (peer.spool, peer.sock.spool)):
            spool.close()
        self.nr_conns -= 1
        peer.sock.close()
