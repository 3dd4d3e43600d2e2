"""Each alert fires in the state that it is for, and stays quiet in all others: promtool judges."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.chart.render import EVERYTHING, find, render
from tests.chart.scrapes import (
    BEGIN_MINUTES,
    COMMANDS,
    GATEWAYS,
    MINUTES,
    STEP_SECONDS,
    WORKERS,
    Series,
    change,
    counts,
    ends,
    expiring,
    health,
    of,
    rollout,
    silent,
    steady,
    troubled,
    turns,
    without,
)

pytestmark = pytest.mark.usefixtures("helm", "promtool")

AT_ONCE_MINUTES = 2
PROMTOOL_SECONDS = 60
NOBODY = {"RoomlogNoWorkers", "RoomlogShardWithoutOwner", "RoomlogSilentShards"}


@dataclass
class State:
    """What is scraped, and the alerts that must fire: within two minutes, and later."""

    series: Series
    at_once: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)


QUIET = {
    "health": State(health()),
    "idle": State(health(commands=0)),
    "a rollout": State(rollout(replicas=2)),
    "a rollout of a single worker": State(rollout(replicas=1)),
    "a killed worker, whose shards another takes": State(
        silent(change(without(health(), "worker-0"), "roomlog_worker_shard_owned", steady(1), "worker-1"), 1)
    ),
    "one gateway of two gone": State(without(health(), GATEWAYS[0])),
    "a client whose command expires": State(expiring(health(), step=1, samples=1)),
    "such a client, and nobody else there": State(expiring(health(commands=0), step=1, samples=1)),
    "one that repeats it, and nobody else there": State(expiring(health(commands=0), step=1)),
    "a deadlock": State(
        change(health(), "roomlog_worker_trouble_total", counts(0, 1, samples=2), 'dependency="database"')
    ),
}
OUTAGES = {
    "all workers gone": State(
        expiring(silent(without(health(), "worker"))), NOBODY, {"RoomlogCommandsExpired"}
    ),
    "all workers gone while idle": State(silent(without(health(commands=0), "worker")), NOBODY),
    "workers whose port nobody reaches": State(
        without(health(), "worker") | {of("up", pod): turns(1, 0) for pod in WORKERS},
        NOBODY - {"RoomlogSilentShards"},
    ),
    "all gateways gone": State(without(health(), "gateway"), {"RoomlogNoGateways"}),
    "all apis gone": State(without(health(), "api"), {"RoomlogNoApis"}),
    "everything gone": State(
        without(without(without(without(health(), "gateway"), "worker"), "chores"), "api"),
        {"RoomlogNoGateways", "RoomlogNoApis"} | NOBODY - {"RoomlogSilentShards"},
        {"RoomlogChoresWithoutOwner"},
    ),
    "the database away": State(
        change(expiring(troubled(silent(health()), "database")), "roomlog_worker_shard_owned", turns(1, 0)),
        {"RoomlogSilentShards", "RoomlogDatabaseUnreachable"},
        {"RoomlogWorkerTrouble", "RoomlogCommandsExpired"},
    ),
    "Redis away": State(
        troubled(silent(change(health(), "roomlog_gateway_redis_link_up", turns(1, 0))), "redis"),
        {"RoomlogSilentShards", "RoomlogRedisUnreachable"},
        {"RoomlogWorkerTrouble"},
    ),
    "one gateway without Redis": State(
        change(
            change(health(), "roomlog_gateway_redis_link_up", turns(1, 0), GATEWAYS[0]),
            "roomlog_gateway_silent_shards",
            turns(0, 64),
            GATEWAYS[0],
        ),
        {"RoomlogRedisUnreachable"},
    ),
    "workers that own nothing": State(
        silent(change(health(), "roomlog_worker_shard_owned", turns(1, 0))),
        {"RoomlogShardWithoutOwner", "RoomlogSilentShards"},
    ),
    "a shard that no worker takes": State(
        change(health(), "roomlog_worker_shard_owned", turns(1, 0), 'shard="07"'),
        {"RoomlogShardWithoutOwner"},
    ),
    "replies that arrive nowhere": State(expiring(health()), set(), {"RoomlogCommandsExpired"}),
    "a command that nobody takes": State(
        change(health(), "roomlog_worker_stream_oldest_seconds", turns(0, 40), WORKERS[0]),
        {"RoomlogStreamOld"},
    ),
    "a writer that hangs": State(
        change(health(), "roomlog_worker_turn_age_seconds", turns(0.2, 40), WORKERS[0]),
        {"RoomlogWriterStuck"},
    ),
    "a Redis that fills up": State(
        change(health(), "roomlog_worker_redis_used_bytes", turns(50, 90)), set(), {"RoomlogRedisMemory"}
    ),
    "tokens that nobody accepts": State(
        change(
            health(),
            "roomlog_gateway_authentication_seconds_count",
            counts(0, 3 * COMMANDS),
            'result="rejected"',
        ),
        set(),
        {"RoomlogAuthenticationsFail"},
    ),
    "guessed passwords": State(
        change(health(), "roomlog_api_logins_total", counts(1, 100), 'result="refused"'),
        set(),
        {"RoomlogLoginsRefused"},
    ),
    "a full stream": State(
        change(health(), "roomlog_gateway_shut_gates", turns(0, 1), GATEWAYS[0]), {"RoomlogStreamFull"}
    ),
    "a poisonous command": State(
        change(health(), "roomlog_worker_dead_letters_total", counts(0, 1, samples=1), WORKERS[0]),
        {"RoomlogDeadLetters"},
    ),
    "slow": State(
        change(
            health(),
            "roomlog_gateway_received_to_written_seconds_bucket",
            counts(COMMANDS, COMMANDS / 2),
            'le="1.0"',
        ),
        set(),
        {"RoomlogSlow"},
    ),
    "busy workers": State(
        change(health(), "roomlog_worker_batch_seconds_sum", counts(1.5, 13.5)), set(), {"RoomlogWorkersBusy"}
    ),
    "no process for the chores": State(without(health(), "chores"), set(), {"RoomlogChoresWithoutOwner"}),
    "a process that never gets the chores": State(
        change(health(), "roomlog_chores_lease_owned", turns(1, 0)), set(), {"RoomlogChoresWithoutOwner"}
    ),
    "a receiver that raises": State(
        change(health(), "roomlog_chores_failing_rooms", turns(0, 2)), set(), {"RoomlogChoresFailing"}
    ),
    "a receiver of webhooks that is away": State(
        change(health(), "roomlog_chores_webhook_oldest_seconds", turns(0, 1_801)),
        set(),
        {"RoomlogWebhooksStuck"},
    ),
    "a worker that does not start": State(
        change(health(), "kube_statefulset_status_replicas_updated", turns(2, 1)),
        set(),
        {"RoomlogWorkerRolloutStuck"},
    ),
}


def judge(state: State, folder: Path) -> None:
    """Fail unless exactly these alerts fire, with the labels of their release."""
    spec = find(render(EVERYTHING), "PrometheusRule", "roomlog")["spec"]
    (folder / "rules.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    asked = [
        expect(BEGIN_MINUTES + AT_ONCE_MINUTES, state.at_once),
        expect(MINUTES, state.at_once | state.later),
    ]
    series = [{"series": name, "values": values} for name, values in state.series.items()]
    step = f"{STEP_SECONDS}s"
    test = {"interval": step, "input_series": series, "promql_expr_test": asked}
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": step, "tests": [test]}
    (folder / "tests.yaml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    words = ["promtool", "test", "rules", str(folder / "tests.yaml")]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=PROMTOOL_SECONDS, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def expect(minutes: int, alerts: set[str]) -> dict[str, object]:
    """What promtool must find at that time: the alerts that have fired until then."""
    labels = [f'{{alertname="{name}", namespace="default", release="roomlog"}}' for name in sorted(alerts)]
    fired = f'max_over_time(ALERTS{{alertstate="firing"}}[{minutes}m])'
    return {
        "expr": f"group by (alertname, namespace, release) ({fired})",
        "eval_time": f"{minutes}m",
        "exp_samples": [{"labels": label, "value": 1} for label in labels],
    }


@pytest.mark.parametrize("name", QUIET | OUTAGES)
def test_a_state_fires_its_alerts_and_no_other(name: str, tmp_path: Path) -> None:
    """What stops people is told within two minutes; health, a rollout and what mends itself wake nobody."""
    judge((QUIET | OUTAGES)[name], tmp_path)


def test_every_alert_has_its_state() -> None:
    """No alert is added that was never seen to fire."""
    (group,) = find(render(EVERYTHING), "PrometheusRule", "roomlog")["spec"]["groups"]
    seen = set().union(*(state.at_once | state.later for state in OUTAGES.values()))
    assert seen == {rule["alert"] for rule in group["rules"]}


@pytest.mark.parametrize("other", ["roomlog-2", "roomlog-gateway", "roomlog-worker", "roomlog-worker-0"])
def test_another_release_neither_wakes_nor_hides(other: str, tmp_path: Path) -> None:
    """In the same namespace, by a name that begins like ours: its outage and its health say nothing of us."""
    gone = {key: ends(values) for key, values in health(other).items()}
    judge(State(health() | gone), tmp_path)
    ours = OUTAGES["everything gone"]
    judge(State(ours.series | health(other), ours.at_once, ours.later), tmp_path)
