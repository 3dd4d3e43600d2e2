"""The worker's metrics; labels are closed sets."""

import platform
from collections.abc import Set
from functools import cache
from importlib.metadata import version

from prometheus_client import Counter, Gauge, Histogram

from roomlog_contract.keyspace import Keyspace

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
STAGE_SECONDS = Histogram(
    "roomlog_worker_stage_seconds",
    "Stages of a batch: `write` to COMMIT, then `publish` to the notices, deletions and answers.",
    ["stage"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
EVENTS = Counter("roomlog_worker_events_total", "Events committed.", ["action"])
DUPLICATES = Counter("roomlog_worker_duplicates_total", "Repeats that found their event.")
REFUSALS = Counter("roomlog_worker_refusals_total", "Commands refused, by error code.", ["code"])
READS = Counter("roomlog_worker_reads_total", "Read commands answered, by action.", ["action"])
REPLICA_READS = Counter(
    "roomlog_worker_replica_reads_total",
    "Pages of history asked of the replica: answered, or left to the primary as it was behind or away.",
    ["outcome"],
)
INDEXED = Counter("roomlog_worker_indexed_total", "Messages written into the index of the search.")
PRUNED = Counter("roomlog_worker_pruned_total", "Events removed because they are kept no longer.")
DEAD_LETTERS = Counter("roomlog_worker_dead_letters_total", "Entries that failed five times alone.")
TROUBLE = Counter("roomlog_worker_trouble_total", "Turns cut short by a dependency.", ["dependency"])
TAKEOVERS = Counter(
    "roomlog_worker_takeovers_total", "Shards taken: `free` ones, or those of a `dead` owner.", ["owner"]
)
LEASES_LOST = Counter("roomlog_worker_leases_lost_total", "Shards found to have another owner.")
BEACONS = Counter("roomlog_worker_beacons_total", "Beacons, by outcome.", ["outcome"])
TWINS = Gauge("roomlog_worker_twins", "Other live processes of this ordinal; should be 0.")
FOREIGN_CLAIM = Gauge(
    "roomlog_worker_foreign_claim", "1 while another database's workers hold the prefix; should be 0."
)
SHARD_OWNED = Gauge(
    "roomlog_worker_shard_owned", "1 if this process owns the shard and reaches the database.", ["shard"]
)
TURN_SECONDS = Gauge(
    "roomlog_worker_turn_age_seconds", "Since the writer began its present turn; grows while it is stuck."
)
STREAM_ENTRIES = Gauge(
    "roomlog_worker_stream_entries",
    "Entries in the streams of this process's shards; no series while Redis is away.",
    ["stream"],
)
STREAM_OLDEST_SECONDS = Gauge(
    "roomlog_worker_stream_oldest_seconds",
    "Age of the oldest of them by Redis' clock, 0 without any; no series while Redis is away.",
    ["stream"],
)
REDIS_USED_BYTES = Gauge(
    "roomlog_worker_redis_used_bytes", "Memory that Redis uses, by its own count; 0 without a right to ask."
)
REDIS_MAX_BYTES = Gauge(
    "roomlog_worker_redis_max_bytes",
    "Memory that Redis may use; 0 without a limit or a right to ask.",
)
DATABASE_SECONDS = Histogram(
    "roomlog_worker_database_seconds",
    "Round trips to the database: the `beat` twice a second, and each step of a `batch`.",
    ["operation"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
BUILD = Gauge("roomlog_worker_build_info", "Always 1; what runs.", ["version", "python"])

BUILD.labels(version("roomlog-worker"), platform.python_version()).set(1)
WRITE_STAGE = STAGE_SECONDS.labels("write")
PUBLISH_STAGE = STAGE_SECONDS.labels("publish")
BATCH_ROUNDTRIP = DATABASE_SECONDS.labels("batch")
BEAT_ROUNDTRIP = DATABASE_SECONDS.labels("beat")


@cache
def events_of(action: str) -> Counter:
    """Return the counter of one action's events, which `labels` takes longer to find than to count."""
    return EVENTS.labels(action)


def show_owned(shards: Set[int], keyspace: Keyspace) -> None:
    """Set the gauge of every shard; it never leaves out one."""
    for shard in range(keyspace.shards):
        SHARD_OWNED.labels(keyspace.label(shard)).set(shard in shards)
