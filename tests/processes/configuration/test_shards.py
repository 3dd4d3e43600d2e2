"""Processes that count other shards than their install: none serves, and each says what to do."""

import pytest
import redis

from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.shards_setting import VARIABLE
from tests.harness.stack import MakeStack
from tests.harness.waiting import wait_until
from tests.processes.configuration.install import SECONDS
from tests.processes.stack.test_doctor import line_of, report

OTHER = {VARIABLE: "128"}


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_processes_that_count_other_shards_are_refused(make_stack: MakeStack) -> None:
    """Worker and api end; the gateway is not ready, and the doctor hears of it. The install goes on."""
    stack = make_stack()
    names = [stack.add_worker(1, **OTHER), stack.add_api(**OTHER)]
    for name in (*names, stack.add_gateway(1, **OTHER)):
        stack.spawn(name)
    for name in names:
        child = stack.child(name)
        wait_until(lambda: not child.is_running, SECONDS, f"{name} has ended")  # noqa: B023
    wait_until(lambda: "shards_differ" in stack.logs()["gateway-1"], SECONDS, "the gateway's log says so")
    assert not stack.child("gateway-1").command.is_ready()
    logs = stack.logs()
    for name in names:
        assert "ROOMLOG_SHARDS is 128, but this install has 64 shards for ever" in logs[name]
    assert "leases_taken" not in logs["worker-1"]
    status, said = report(stack)
    assert status == 1
    assert "WRONG gateways' shards: some gateways count 128" in line_of(said, "gateways' shards")
    assert line_of(said, "claim on the prefix").startswith("ok")
    with redis.Redis.from_url(stack.redis_url) as carrier:
        assert carrier.keys("*{s???}*") == []
        assert carrier.get(Keyspace().install_key)
    stack.assert_no_traceback()
