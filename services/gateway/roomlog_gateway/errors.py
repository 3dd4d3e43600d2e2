"""What can go wrong between a socket and Redis.

GatewayError
├── NotAccepted        a command certainly did not enter Redis; answered with busy
├── NoReply            a worker did not answer the gateway's own question in time
├── TooManyConnections the user has ten connections here already
└── NotSubscribed      Redis did not confirm a subscription in time
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

    def __init__(self, user: int) -> None:
        super().__init__(user)
        self.user = user
