"""The metrics of `roomlog chores`; labels are closed sets."""

from prometheus_client import Counter, Gauge, Histogram

LATE_SECONDS = Histogram(
    "roomlog_chores_late_seconds",
    "From a message's age of AWAY_SECONDS to the return of all receivers; counts the messages told.",
    buckets=(1, 2, 5, 15, 60, 300, 900, 3600),
)
FAILURES = Counter("roomlog_chores_failures_total", "Attempts to tell of a room that raised.")
FAILING_ROOMS = Gauge("roomlog_chores_failing_rooms", "Rooms that wait after a failure; should be 0.")
FILES_DELETED = Counter(
    "roomlog_chores_files_deleted_total", "Attachments that were deleted, or never claimed, and are gone."
)
COLLECTING_FAILURES = Counter(
    "roomlog_chores_collecting_failures_total", "Attempts to delete files at which the storage failed."
)
LEASE_OWNED = Gauge("roomlog_chores_lease_owned", "1 if this process does the chores.")
WEBHOOK_DELIVERIES = Counter(
    "roomlog_chores_webhook_deliveries_total",
    "Events sent to webhooks: taken (2xx), refused (another status), unreachable.",
    ["result"],
)
WEBHOOK_OLDEST_SECONDS = Gauge(
    "roomlog_chores_webhook_oldest_seconds",
    "How long the oldest room with undelivered events waits for an active webhook; 0: none.",
)
for result in ("taken", "refused", "unreachable"):
    WEBHOOK_DELIVERIES.labels(result)
