"""A process's metrics, as a test reads them.

Beside the message's way: what /metrics said at one moment.
"""

from dataclasses import dataclass
from http.client import HTTPConnection

from prometheus_client.parser import text_string_to_metric_families

from roomlog_local.ports import LOOPBACK

SCRAPE_SECONDS = 5.0


@dataclass(frozen=True)
class Samples:
    """All samples of one scrape."""

    text: str

    def total(self, name: str, **labels: str) -> float:
        """Returns the sum of the samples of this name that have at least these labels; 0.0 without any."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def names(self) -> set[str]:
        """Returns the names of all samples."""
        families = text_string_to_metric_families(self.text)
        return {sample.name for family in families for sample in family.samples}


def scrape(health_port: int) -> Samples:
    """Asks a process for its metrics now."""
    connection = HTTPConnection(LOOPBACK, health_port, timeout=SCRAPE_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return Samples(connection.getresponse().read().decode())
    finally:
        connection.close()
