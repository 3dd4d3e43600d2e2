"""The api's own metrics, beside those of django-prometheus about requests; labels are closed sets."""

import platform
from importlib.metadata import version
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

LOGINS = Counter(
    "roomlog_api_logins_total",
    "Names and passwords tried: accepted, refused, too_many.",
    ["result"],
)
DATABASE_SECONDS = Histogram(
    "roomlog_api_database_seconds",
    "Round trip to the database, asked once a second.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
BUILD = Gauge("roomlog_api_build_info", "Always 1; what runs.", ["version", "python"])

BUILD.labels(version("roomlog-api"), platform.python_version()).set(1)


def count_login(result: str, **_: Any) -> None:
    """Count what `roomlog.signals.login_tried` tells."""
    LOGINS.labels(result).inc()
