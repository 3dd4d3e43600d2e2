"""The checker sees every forged history for what it is, and finds nothing wrong in a good one."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.judge.checker import INVARIANTS, check, report_on
from tests.judge.forgeries import FORGERIES, ROUNDS, good_history
from tests.judge.history import Fault, History, Operation, Outcome, load_history
from tests.judge.room_forgeries import EVENTS

BY_NAME = {forge.__name__: forge for _, forge in FORGERIES}


def test_good_history_passes(tmp_path: Path) -> None:
    """With cuts, repeats and resets no anomaly; saved and read again it is the same."""
    report = report_on(good_history())
    assert report.anomalies == []
    assert report.does_not_count == []
    assert report.is_good
    path = tmp_path / "history.json"
    history = good_history()
    history.save(path)
    assert load_history(path) == history


@pytest.mark.parametrize(("invariant", "forge"), FORGERIES, ids=[forge.__name__ for _, forge in FORGERIES])
def test_forged_history_is_flagged(invariant: str, forge: Callable[[History], None]) -> None:
    """A forged history is flagged by the invariant that it breaks, and by no other."""
    history = good_history()
    forge(history)
    assert {anomaly.invariant for anomaly in check(history)} == {invariant}


def test_every_invariant_has_a_forgery() -> None:
    """There is no invariant that no forged history has tried."""
    assert {invariant for invariant, _ in FORGERIES} == set(INVARIANTS)


def test_anomaly_names_the_operation() -> None:
    """Never its text; one that was refused and also sent without an answer is unknown."""
    history = good_history()
    forge = BY_NAME["The last answered message of a room is not in the database"]
    forge(history)
    (anomaly,) = check(history)
    assert (anomaly.room, anomaly.uuid, anomaly.client) == ("c" * 32, "c-3-79", "sender-3")
    assert "text 79" not in anomaly.what
    history = good_history()
    refused = next(operation for operation in history.operations if operation.text == "refused")
    lost = refused.attempts[0]._replace(outcome=Outcome.UNKNOWN)
    assert refused.outcome is Outcome.ERROR
    assert refused._replace(attempts=(lost, *refused.attempts)).outcome is Outcome.UNKNOWN


def test_what_nobody_could_help_is_no_anomaly() -> None:
    """A shard without a possible owner; heads of a history that did not end at rest."""
    history = good_history()
    history.ownership = [sample for sample in history.ownership if not 5 < sample.at < 28]
    assert {anomaly.invariant for anomaly in check(history)} == {"I13"}
    history.faults.append(Fault("stop", "database", 6.0, 16.0, leaves_no_owner=True))
    assert check(history) == []
    history = good_history()
    forge = BY_NAME["A connected reader never learns of the last message"]
    forge(history)
    history.at_rest = False
    assert check(history) == []


def _without_unknowns(operation: Operation) -> Operation:
    answered = tuple(attempt._replace(outcome=Outcome.SUCCESS) for attempt in operation.attempts)
    return operation._replace(attempts=answered)


def test_what_shows_nothing_does_not_count() -> None:
    """No unknown sending, a fault at rest, too few successes: no evidence, and no anomaly."""
    history = good_history()
    history.operations = [_without_unknowns(operation) for operation in history.operations if operation.seqs]
    history.rows = [row for row in history.rows if row.uuid != "c-2-99"]
    report = report_on(history)
    assert report.does_not_count == ["no sending ended unknown"]
    assert report.anomalies == []
    assert not report.is_good
    history = good_history()
    history.faults = [Fault("kill", "gateway-1", 20.9, 30.0)]
    assert report_on(history).does_not_count == ["no fault hit work in flight"]
    successes = ROUNDS * 2 * 3 * 3 + 2 + 3 + EVENTS
    assert report_on(good_history(), min_successes=successes).is_good
    (reason,) = report_on(good_history(), min_successes=successes + 1).does_not_count
    assert reason.startswith(f"{successes} successes")


def test_report_is_printed_and_saved(tmp_path: Path) -> None:
    """The table names seed, faults and anomalies; the JSON holds the same facts."""
    history = good_history()
    FORGERIES[0][1](history)
    report = report_on(history, database="sqlite")
    report.save(tmp_path / "report.json")
    table = report.table()
    assert "seed        7" in table
    assert "kill gateway-1" in table
    assert "anomalies   1" in table
    assert "I1" in table
    assert b'"database": "sqlite"' in (tmp_path / "report.json").read_bytes()


def test_checker_takes_linear_time() -> None:
    """A history ten times as long takes about ten times as long, not a hundred times."""
    history = good_history()
    long = History(
        operations=[
            operation._replace(room=operation.room[:-2] + f"{copy:02}")
            for copy in range(10)
            for operation in history.operations
        ],
        rows=[row._replace(room=row.room[:-2] + f"{copy:02}") for copy in range(10) for row in history.rows],
    )
    assert _seconds(long) < 40 * max(_seconds(history), 0.002)


def _seconds(history: History) -> float:
    started = time.process_time()
    check(history)
    return time.process_time() - started
