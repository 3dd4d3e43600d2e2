"""What can go wrong between a socket and Redis.

GatewayError
├── NotAccepted        a command certainly did not enter Redis; answered with busy
├── NoReply            a worker did not answer the gateway's own question in time
├── TooManyConnections the user has ten connections here already
├── NotSubscribed      Redis did not confirm a subscription in time
└── ProtocolViolation  a client broke RFC 6455; the socket is closed with the code
"""


class GatewayError(Exception):
    """Root of the gateway's own errors."""


class NotAccepted(GatewayError):
    """The command certainly did not enter Redis; it may be repeated after `retry_after_ms`."""

    def __init__(self, retry_after_ms: int) -> None:
        super().__init__(retry_after_ms)
        self.retry_after_ms = retry_after_ms


class NoReply(GatewayError):
    """No worker answered the gateway's own question in time, or the link broke while it waited."""


class NotSubscribed(GatewayError):
    """Redis did not confirm a subscription in time."""


class TooManyConnections(GatewayError):
    """The user has ten connections on this gateway already."""


class ProtocolViolation(GatewayError):
    """A client's bytes are no WebSocket; `code` and `reason` go into the close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
