"""How much memory a gateway needs: what an operator compares with the container's limit."""

from pathlib import Path

import pytest
import yaml

from roomlog_gateway.config import read_config
from roomlog_gateway.memory import STUCK, room_for_stuck, while_idle, worst_case
from roomlog_runtime.memory import total

VALUES = Path(__file__).parents[4] / "deploy/helm/roomlog/values.yaml"
CONFIG = read_config({"ROOMLOG_REDIS_URL": "redis://localhost"})
IDLE, EACH = total(while_idle(CONFIG)), sum(STUCK.values())


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (None, "it is closed after 10 s"),
        (IDLE - 1, "WRONG: raise the memory limit"),
        (IDLE, "room for 0 of them"),
        (IDLE + 3 * EACH, "room for 3 of them"),
    ],
)
def test_a_limit_is_told_as_stuck_connections(limit: int | None, said: str) -> None:
    """Nobody gives a gateway the sum of all bounds; how many may be stuck is for an operator to judge."""
    assert said in room_for_stuck(CONFIG, limit)[-1]
    assert total(worst_case(CONFIG)) == IDLE + CONFIG.max_connections * EACH


def test_the_chart_s_own_limit_leaves_room() -> None:
    """Full, with answers and commands at their bounds, and a hundred connections stuck at one time."""
    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))["gateway"]
    assert values["maxConnections"] == CONFIG.max_connections
    size, unit = values["resources"]["limits"]["memory"][:-2], values["resources"]["limits"]["memory"][-2:]
    assert int(size) * {"Mi": 2**20, "Gi": 2**30}[unit] >= IDLE + 100 * EACH
