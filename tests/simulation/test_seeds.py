"""Whole simulations: a few seeds hold every promise, one seed is one history, a missing safeguard is seen."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.manage import run
from tests.judge.history import EDIT_KIND, MESSAGE_KIND, History, Outcome
from tests.judge.mentions import EVERYBODY
from tests.judge.moderation import MODERATION
from tests.judge.pins import PIN_KIND, UNPIN_KIND
from tests.simulation.ablations import ABLATIONS, catch
from tests.simulation.many import tally_of
from tests.simulation.mishaps import KINDS
from tests.simulation.plan import MORE_SHARDS, Plan
from tests.simulation.seeds import run_seed
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]
SEEDS = (11, 100, 5166, 5167)
DIGESTS = f"from tests.simulation.seeds import run_seed; print(*(run_seed(s).digest for s in {SEEDS}))"
QUICK = (  # of each kind; tier 1 tries all
    *("the body hash", "the gap fetch", "the end of the hash in an erasure"),
    *("the locked row of an archived room", "the notice of a read mark"),
    *("the look at whether a message is deleted", "the look at who is banned"),
    "the horizon of a pruned room",
)


def histories(seeds: tuple[int, ...], plan: Plan) -> Iterator[History]:
    """Return what came of each seed, which broke no promise."""
    for seed in seeds:
        verdict = run_seed(seed, plan)
        assert verdict.anomalies == []
        assert verdict.history is not None
        yield verdict.history


def test_seeds_hold_every_promise() -> None:
    """Real processes among faults of all kinds: no anomaly, and the faults hit work in flight."""
    tally = tally_of(range(100, 112))
    assert tally.anomalies == []
    assert tally.operations["success"] > 300
    assert tally.operations["unknown"] > 0
    assert tally.in_flight > 0
    assert len(tally.faults) > len(KINDS) / 2
    assert tally.singles > 50


def test_tokens_that_end_break_no_promise() -> None:
    """People renew on their connections and come back after an end that they missed, among all faults."""
    renewals = 0
    for seed in (8, 11):
        verdict = run_seed(seed, Plan(ending_tokens=1.0))
        assert verdict.anomalies == []
        assert verdict.history is not None
        renewals += verdict.tokens - len(verdict.history.connections)
    assert renewals > 10


def test_people_who_leave_break_no_promise() -> None:
    """Messages are erased, and an account is deleted while it is invited, among all faults."""
    erased = 0
    for history in histories((0, 1), Plan(departures=1.0, erasures=(2, 2))):
        assert history.departures
        erased += sum(not row.text for row in history.rows if row.kind == MESSAGE_KIND)
    assert erased > 10


def test_archived_rooms_and_data_break_no_promise() -> None:
    """People write while rooms are archived, and data is read and posted again, among all faults."""
    refused = archived = shown = 0
    for history in histories((0, 1), Plan(posts=(4, 8), cards=1.0, archives=1.0)):
        refused += sum(attempt.error_code == "archived" for attempt in history.attempts())
        archived += sum(row.kind == "archive_room" for row in history.rows)
        shown += sum(bool(one.data) for one in history.shown)
    assert archived > 1
    assert refused > 5
    assert shown > 5


def test_edits_and_deletions_break_no_promise() -> None:
    """Messages are edited and deleted, often one by several at a moment, among all faults."""
    changes = refused = 0
    for history in histories((0, 1), Plan(edits=(16, 24), erasures=(0, 1))):
        changes += sum(map(len, history.changes.values()))
        refused += sum(attempt.error_code == "not_found" for attempt in history.attempts())
        assert history.believed
    assert changes > 15
    assert refused > 2


def test_topics_break_no_promise() -> None:
    """Owners and people who may not set topics and names, often several at a moment, among all faults."""
    refused = topics = names = standing = 0
    for history in histories((0, 1), Plan(topics=1.0, erasures=(1, 1))):
        refused += sum(attempt.error_code == "forbidden" for attempt in history.attempts())
        topics += sum(row.kind == "set_topic" for row in history.rows)
        names += sum(row.kind == "rename_room" for row in history.rows)
        standing += sum(map(bool, history.topics.values()))
    assert topics > 5
    assert names > 5
    assert refused > 5
    assert standing > 0


def test_joining_breaks_no_promise() -> None:
    """Rooms are opened and closed while people leave and join, also by invitations, among all faults."""
    errors, joined, admitted = Counter[str](), 0, 0
    for history in histories((0, 1), Plan(joining=1.0, moderations=(1, 2))):
        errors.update(one.attempts[-1].error_code for one in history.operations if one.kind == "join_room")
        joined += sum(row.kind == "join_room" for row in history.rows)
        admitted += len(history.doors.admissions)
    assert joined - admitted > 5
    assert admitted > 1
    assert {"not_member", "not_found", "bad_value"} <= errors.keys()


def test_reactions_break_no_promise() -> None:
    """People add and remove reactions, often several at a moment, and messages are deleted meanwhile."""
    reactions = refused = shown = 0
    for history in histories((7, 12), Plan(reactions=(16, 24), edits=(4, 8), erasures=(0, 1))):
        reactions += sum(bool(row.emoji) for row in history.rows)
        refused += sum(attempt.error_code == "bad_value" for attempt in history.attempts())
        shown += sum(bool(one.groups) for one in history.shown)
        assert any(one.groups for one in history.believed)
    assert reactions > 15
    assert refused > 2
    assert shown > 5


def test_moderation_breaks_no_promise() -> None:
    """Owners set roles, mute and ban, and whom they silence speaks and invites all the same."""
    kinds, codes = Counter[str](), Counter[str]()
    for history in histories((0, 5), Plan(moderations=(10, 14), reactions=(2, 4))):
        kinds += Counter(row.kind for row in history.rows)
        codes += Counter(attempt.error_code for attempt in history.attempts())
    assert all(kinds[kind] > 1 for kind in MODERATION)
    assert all(codes[code] > 1 for code in ("muted", "banned", "forbidden", "not_member"))


def test_pins_break_no_promise() -> None:
    """People pin and unpin, often several at a moment, and messages are deleted and erased meanwhile."""
    kinds, listed, shown, believed = Counter[str](), 0, 0, 0
    for history in histories((0, 1), Plan(pins=(16, 24), edits=(4, 8), erasures=(0, 1))):
        kinds += Counter(row.kind for row in history.rows)
        listed += sum(bool(one.seqs) for one in history.pin_lists)
        shown += sum(one.pinned_at is not None for one in history.shown)
        believed += sum(one.pinned_at is not None for one in history.believed)
    assert kinds[PIN_KIND] > 10
    assert kinds[UNPIN_KIND] > 3
    assert min(listed, shown, believed) > 3


def test_typing_breaks_no_promise() -> None:
    """People say that they type, also where they may not, and the others hear of it and of nobody else."""
    said = told = 0
    for history in histories((1, 2), Plan(typing=1.0, moderations=(2, 4))):
        said += len(history.typed)
        told += len(history.typists)
    assert said > 50
    assert told > 50


def test_presence_breaks_no_promise() -> None:
    """People look at rooms, also at those of others, and see who is there; in the end all agree."""
    told = at_rest = 0
    for history in histories((1, 2), Plan(watching=1.0, changes=(3, 5))):
        told += len(history.attendance.told)
        at_rest += len(history.attendance.at_rest)
    assert told > 50
    assert at_rest > 10


def test_mentions_break_no_promise() -> None:
    """People mention each other, also those who are out, edit that and mark it read, among all faults."""
    mentions, counted, refused, edits = 0, 0, 0, 0
    for history in histories((0, 3), Plan(mentions=1.0, marks=(2, 4), edits=(6, 10), changes=(2, 4))):
        mentions += sum(bool(row.mentions) for row in history.rows)
        edits += sum(bool(one.mentions) and one.kind == EDIT_KIND for one in history.operations if one.seqs)
        counted += sum(bool(mark.unread_mentions) for mark in history.marks)
        refused += sum(
            attempt.error_code == "not_found"
            for one in history.operations
            if one.mentions
            for attempt in one.attempts
        )
    assert min(mentions, counted) > 5
    assert min(refused, edits) > 0


def test_mentions_of_whole_rooms_break_no_promise() -> None:
    """People mention everybody in a room, also after it in an edit, and mark it read, among all faults."""
    calls = counted = edits = 0
    for history in histories((0, 1), Plan(calls=1.0, marks=(2, 4), edits=(4, 6), changes=(2, 4))):
        calls += sum(EVERYBODY in row.mentioned for row in history.rows)
        edits += sum(EVERYBODY in row.mentions and row.kind == EDIT_KIND for row in history.rows)
        counted += sum(bool(mark.unread_mentions) for mark in history.marks)
    assert min(calls, counted) > 5
    assert edits > 2


def test_blocks_and_reports_break_no_promise() -> None:
    """People block each other, end that, write in direct rooms all the same, and report, among all faults."""
    refused = stored = accepted = reported = repeated = 0
    plan = Plan(blocks=1.0, reports=1.0, calls=1.0, marks=(2, 4), reactions=(2, 4))
    for history in histories((0, 1), plan):
        reported += len(history.reports.stored)
        repeated += sum(not is_first for _, is_first in history.reports.answered)
        refused += sum(attempt.error_code == "forbidden" for attempt in history.attempts())
        accepted += sum(row.room in history.blocks.direct for row in history.rows)
        stored += len(history.blocks.stored)
    assert min(refused, accepted) > 2
    assert stored > 1
    assert min(reported, repeated) > 2


def test_retention_breaks_no_promise() -> None:
    """Events are pruned while people talk, but those of a room under a hold; latecomers begin anew."""
    pruned = resets = 0
    for history in histories((11, 14), Plan(retention=1.0)):
        pruned += sum(map(len, history.retention.pruned.values()))
        resets += sum(len(reading.resets) for reading in history.readings)
    assert pruned > 50
    assert resets > 2


def test_a_seed_is_one_history() -> None:
    """The same bytes in another process, whatever the order of its sets."""
    elsewhere = run([sys.executable, "-c", DIGESTS], {"PYTHONHASHSEED": "17"}, 120, ROOT, check=True)
    assert elsewhere.stdout.split() == [run_seed(seed).digest for seed in SEEDS]
    assert len(set(elsewhere.stdout.split())) == len(SEEDS)


@pytest.mark.parametrize("name", QUICK)
def test_a_missing_safeguard_is_seen(name: str) -> None:
    """Without it a seed breaks a promise; with it the same seeds do not."""
    place = [ablation.name for ablation in ABLATIONS].index(name)
    caught = catch(place, None, 50)
    assert caught.seed is not None
    assert run_seed(caught.seed, plan=ABLATIONS[place].plan).anomalies == []


def test_files_break_no_promise() -> None:
    """Messages bring files, some of which another message has, or is about to, and are deleted meanwhile."""
    brought = refused = gone = 0
    for history in histories((0, 1), Plan(files=1.0, edits=(12, 16), erasures=(0, 1))):
        files = [one for one in history.operations if one.text.startswith("files")]
        brought += sum(bool(row.data) for row in history.rows if row.text.startswith("files"))
        refused += sum(one.attempts[-1].error_code == "not_found" for one in files)
        gone += sum(row.is_deleted for row in history.rows if row.key in {one.key for one in files})
        assert any(one.data for one in history.shown)
    assert brought > 15
    assert refused > 5
    assert gone > 1


def test_webhooks_break_no_promise() -> None:
    """A webhook is told of all, by chores that are killed and frozen; its receiver refuses and hangs."""
    told = again = refused = gone = 0
    for history in histories((0, 3), Plan(webhooks=1.0, edits=(12, 16), erasures=(0, 1))):
        deliveries = history.deliveries.told
        events = {(one.room, one.seq) for one in deliveries if one.is_taken}
        told += len(events)
        again += sum(one.is_taken for one in deliveries) - len(events)
        refused += sum(not one.is_taken for one in deliveries)
        gone += sum(row.is_deleted for row in history.rows)
    assert told > 80
    assert min(again, refused, gone) > 2


def test_receipts_break_no_promise() -> None:
    """People turn receipts on and off, read and come and go; watchers are told, and in the end know all."""
    told = at_rest = refused = 0
    for history in histories((0, 1), Plan(receipts=1.0, marks=(8, 12), changes=(2, 4))):
        told += len(history.receipts.told)
        at_rest += sum(bool(one.marks) for one in history.receipts.at_rest)
        refused += sum(attempt.error_code == "forbidden" for attempt in history.attempts())
    assert told > 50
    assert at_rest > 5
    assert refused > 0


def test_a_late_replica_breaks_no_promise() -> None:
    """People look back while a replica answers what it can, seconds behind at times, among all faults."""
    worlds: list[World] = []
    pages = 0
    for seed in (0, 1):
        verdict = run_seed(seed, Plan(replica=1.0, edits=(8, 12)), worlds.append)
        assert verdict.anomalies == []
        assert verdict.history is not None
        pages += sum(page.before is not None for page in verdict.history.pages)
    outcomes = Counter(str(one) for world in worlds if world.replica for one in world.replica.outcomes)
    assert outcomes["answered"] > 20
    assert outcomes["behind"] > 10
    assert pages > 10


def test_another_number_of_shards_breaks_no_promise() -> None:
    """256 shards, whose gateways send nothing before the first beacon, among all faults."""
    for history in histories((0, 1), Plan(shards=1.0)):
        assert history.shards == MORE_SHARDS
        assert max(max(sample.owned, default=0) for sample in history.ownership) >= DEFAULT_SHARDS
        assert sum(attempt.outcome is Outcome.SUCCESS for attempt in history.attempts()) > 30
