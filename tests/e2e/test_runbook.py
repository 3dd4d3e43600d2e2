"""Runs the commands of docs/runbook.md as they stand there, each block in the state that it is for."""

import re
from pathlib import Path
from typing import Final

from tests.e2e import settings
from tests.e2e.cluster import COMMAND_SECONDS, Cluster, wait_while
from tests.e2e.page_commands import blocks, follow

TRIED: Final = {"Runbook", "RoomlogWorkerRolloutStuck", "Scaling"}
"""Headings whose blocks the tests here run."""
UNREACHABLE: Final = "localhost:1/worker"
"""An image of a registry that refuses at once: a kubelet that waits for an answer deletes no pod."""
BY_PROCESSES: Final = {"Backing up the database", "Restoring the database from a backup"}
"""Those of tests/processes/stack/test_backup.py, because some images of PostgreSQL have no pg_dump."""


def test_no_block_is_left_out() -> None:
    """Whoever adds a block adds its test."""
    assert set(blocks("runbook")) == TRIED | BY_PROCESSES


async def test_looking_first(cluster: Cluster, tmp_path: Path) -> None:
    """Each command answers in a healthy install."""
    printed = await follow("runbook", "Runbook", tmp_path)
    assert "Phase:          Succeeded" in printed
    assert "00 01" in printed, "the shards' owners"


async def test_scaling(cluster: Cluster, tmp_path: Path) -> None:
    """Both kinds of pods become as many as asked for, and whole again."""
    before = {kind: len(await cluster.pods(kind)) for kind in ("worker", "gateway")}
    try:
        await follow("runbook", "Scaling", tmp_path)
        await cluster.wait_until_whole()
        assert [len(await cluster.pods(kind)) for kind in ("worker", "gateway")] == [5, 4]
    finally:
        await cluster.kubectl(
            "scale", f"statefulset/{settings.RELEASE}-worker", f"--replicas={before['worker']}"
        )
        await cluster.kubectl(
            "scale", f"deploy/{settings.RELEASE}-gateway", f"--replicas={before['gateway']}"
        )
    await cluster.wait_until_whole()


async def test_a_stuck_rollout(cluster: Cluster, tmp_path: Path) -> None:
    """A worker whose image is not there is replaced by one of the good revision."""
    await cluster.helm(
        "upgrade",
        settings.RELEASE,
        "deploy/helm/roomlog",
        "--reuse-values",
        "--set",
        f"worker.image.repository={UNREACHABLE}",
    )

    async def not_stuck() -> str:
        pods = await cluster.pods("worker")
        waiting = [pod["metadata"]["name"] for pod in pods if is_waiting_for_an_image(pod)]
        return "" if waiting == [f"{settings.RELEASE}-worker-1"] else f"waiting for an image: {waiting}"

    try:
        await wait_while(not_stuck, COMMAND_SECONDS)
    finally:
        await follow("runbook", "RoomlogWorkerRolloutStuck", tmp_path)
    await cluster.wait_until_whole()


def is_waiting_for_an_image(pod: dict[str, object]) -> bool:
    """Tell whether one of its containers has no image."""
    return bool(re.search(r"ErrImage|ImagePullBackOff|ErrImageNeverPull", str(pod["status"])))
