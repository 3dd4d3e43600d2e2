"""The exposition of a process's metrics for Prometheus.

Beside the message's way: each service declares its own metrics with prometheus-client; this file only prints
them. It must not declare metrics itself and must not ask Redis or the database.
"""

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST


def expose() -> bytes:
    """Return the text exposition of this process, or of all its siblings.

    prometheus-client writes to files of one folder where PROMETHEUS_MULTIPROC_DIR is set (several gunicorn
    workers in one pod); whoever is asked then answers for all of them.
    """
    # They say when a counter began, and double its series.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    if not os.environ.get(MULTIPROCESS_VARIABLE):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
