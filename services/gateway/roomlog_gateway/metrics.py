"""The gateway's figures for Prometheus. Beside the message's way; labels are closed sets, never a room or
user.
"""

import platform
from importlib.metadata import version
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from roomlog_contract.actions import COMMANDS
from roomlog_contract.errors import ErrorCode

CONNECTIONS: Final = Gauge("roomlog_gateway_connections", "Open WebSocket connections.")
ROOMS: Final = Gauge("roomlog_gateway_rooms", "Rooms with a member connection here.")
WATCHED_ROOMS: Final = Gauge(
    "roomlog_gateway_watched_rooms", "Rooms here that somebody has open, connected to whichever gateway."
)
PRESENCE_NOTICES: Final = Counter(
    "roomlog_gateway_presence_notices_total", "Published between gateways of who is connected."
)
REFUSED_UPGRADES: Final = Counter(
    "roomlog_gateway_refused_upgrades_total", "Upgrades answered with an HTTP error.", ["reason"]
)
CLOSED: Final = Counter("roomlog_gateway_closed_total", "Connections that the gateway closed.", ["code"])
HELD_BACK: Final = Counter(
    "roomlog_gateway_held_back_total", "How often a client sent more than allowed and was read more slowly."
)
COMMANDS_RECEIVED: Final = Counter("roomlog_gateway_commands_total", "Commands from clients.", ["action"])
ERRORS: Final = Counter("roomlog_gateway_errors_total", "Error answers made by the gateway.", ["code"])
DELIVERED: Final = Counter("roomlog_gateway_events_delivered_total", "Events handed to outboxes.")
EVENTS: Final = Counter("roomlog_gateway_events_total", "Durable events taken in, in order.")
REPEATED_EVENTS: Final = Counter("roomlog_gateway_events_repeated_total", "Events that had been delivered.")
OUTBOX_DROPS: Final = Counter(
    "roomlog_gateway_outbox_drops_total", "Times that waiting events gave way to sync_required."
)
STALLED: Final = Gauge("roomlog_gateway_connections_stalled", "Connections whose socket accepts no bytes.")
GAPS: Final = Counter("roomlog_gateway_gaps_total", "Gaps in a room that had to be fetched.")
GAP_EVENTS: Final = Counter("roomlog_gateway_gap_events_total", "Events fetched to fill gaps.")
RESETS: Final = Counter("roomlog_gateway_resets_total", "Rooms that got a new epoch.")
BATCH: Final = Histogram(
    "roomlog_gateway_xadd_batch_entries",
    "Entries that left for Redis in one write.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
UNKNOWN: Final = Counter(
    "roomlog_gateway_commands_unknown_total", "Commands that Redis may or may not have taken."
)
REFUSED: Final = Counter("roomlog_gateway_commands_refused_total", "Commands that did not enter Redis.")
REDIS_ERRORS: Final = Counter(
    "roomlog_gateway_redis_errors_total",
    "Error replies to commands, by the name that Redis gives.",
    ["error"],
)
EXPIRED: Final = Counter("roomlog_gateway_commands_expired_total", "Commands without an answer in 15 s.")
RECHECKS_UNANSWERED: Final = Counter(
    "roomlog_gateway_rechecks_unanswered_total", "Rechecks of a connection that no worker answered."
)
SHUT_GATES: Final = Gauge(
    "roomlog_gateway_shut_gates", "Streams whose commands are refused: full, or more than is soon written."
)
SILENT_SHARDS: Final = Gauge(
    "roomlog_gateway_silent_shards", "Shards that accept nothing, as far as this gateway hears."
)
REDIS_LINKS: Final = Gauge("roomlog_gateway_redis_link_up", "1 while the link to Redis is up.", ["link"])
WRITTEN_SECONDS: Final = Histogram(
    "roomlog_gateway_received_to_written_seconds",
    "From a command's arrival to its event in the outboxes.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
AUTHENTICATION_SECONDS: Final = Histogram(
    "roomlog_gateway_authentication_seconds",
    "From a connection's authenticate to what became of it; `gone` is a client that did not wait.",
    ["result"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
BUILD: Final = Gauge("roomlog_gateway_build_info", "Always 1; what runs.", ["version", "python"])
BUILD.labels(version("roomlog-gateway"), platform.python_version()).set(1)

RECEIVED_BY_ACTION: Final = {action: COMMANDS_RECEIVED.labels(action) for action in COMMANDS}
ERRORS_BY_CODE: Final = {code: ERRORS.labels(code.value) for code in ErrorCode}
