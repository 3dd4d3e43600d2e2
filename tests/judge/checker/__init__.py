"""The checker: judges recorded histories by the invariants of the guarantees, in linear time.

`check` returns the anomalies, `report_on` the whole verdict. It reads histories alone: no process, no clock.
"""

from .anomaly import Anomaly
from .invariants import INVARIANTS, check
from .report import MIN_SUCCESSES, Report, report_on

__all__ = ["INVARIANTS", "MIN_SUCCESSES", "Anomaly", "Report", "check", "report_on"]
