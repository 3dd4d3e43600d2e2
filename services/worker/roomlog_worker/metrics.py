"""The worker's metrics; labels are closed sets."""

from prometheus_client import Counter, Gauge, Histogram

BATCH_ENTRIES = Histogram(
    "roomlog_worker_batch_entries",
    "Entries written in one transaction.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 256),
)
BATCH_SECONDS = Histogram(
    "roomlog_worker_batch_seconds",
    "From a read batch to its confirmed deletion.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
QUEUED_SECONDS = Histogram(
    "roomlog_worker_queued_seconds",
    "From the gateway's receipt to the start of the batch, by two machines' clocks.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 15),
)
EVENTS = Counter("roomlog_worker_events_total", "Events committed.", ["action"])
DUPLICATES = Counter("roomlog_worker_duplicates_total", "Repeats that found their event.")
REFUSALS = Counter("roomlog_worker_refusals_total", "Commands refused, by error code.", ["code"])
READS = Counter("roomlog_worker_reads_total", "Read commands answered, by action.", ["action"])
DEAD_LETTERS = Counter("roomlog_worker_dead_letters_total", "Entries that failed five times alone.")
TROUBLE = Counter("roomlog_worker_trouble_total", "Turns cut short by a dependency.", ["dependency"])
LEASES_LOST = Counter("roomlog_worker_leases_lost_total", "Shards found to have another owner.")
BEACONS = Counter("roomlog_worker_beacons_total", "Beacons, by outcome.", ["outcome"])
TWINS = Gauge("roomlog_worker_twins", "Other live processes of this ordinal; should be 0.")
FOREIGN_CLAIM = Gauge(
    "roomlog_worker_foreign_claim", "1 while another database's workers hold the prefix; should be 0."
)
SHARD_OWNED = Gauge("roomlog_worker_shard_owned", "1 if this process owns the shard.", ["shard"])
