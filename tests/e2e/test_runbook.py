"""Runs the commands of docs/runbook.md as they stand there, each block in the state that it is for."""

import re
import sys
from pathlib import Path
from typing import Final

from tests.e2e import settings
from tests.e2e.cluster import COMMAND_SECONDS, Cluster, run, wait_while

RUNBOOK: Final = Path(__file__).parents[2] / "docs" / "runbook.md"
TOOLS: Final = f"""
set -euo pipefail
PATH={Path(sys.executable).parent}:$PATH
kubectl() {{ command kubectl --context {settings.CONTEXT} "$@"; }}
helm() {{ command helm --kube-context {settings.CONTEXT} "$@"; }}
"""
"""The page means the current context; a test must not."""
TRIED: Final = {"Runbook", "RoomlogWorkerRolloutStuck", "Scaling"}
"""Headings whose blocks the tests here run."""
UNREACHABLE: Final = "localhost:1/worker"
"""An image of a registry that refuses at once: a kubelet that waits for an answer deletes no pod."""
BY_PROCESSES: Final = {"Backing up the database", "Restoring the database from a backup"}
"""Those of tests/processes/stack/test_backup.py, because some images of PostgreSQL have no pg_dump."""


def blocks() -> dict[str, str]:
    """Return the page's command block of each heading."""
    parts = re.split(r"^#+ (.+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    found = {
        heading: re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {heading: "".join(texts) for heading, texts in found.items() if texts}


async def follow(heading: str, folder: Path) -> str:
    """Run a block with the install's own namespace in a folder; return what it printed."""
    commands = blocks()[heading].replace("--namespace chat", f"--namespace {settings.NAMESPACE}")
    assert "chat" not in commands
    return await run("bash", "-c", f"cd {folder}\n{TOOLS}{commands}", seconds=COMMAND_SECONDS)


def test_no_block_is_left_out() -> None:
    """Whoever adds a block adds its test."""
    assert set(blocks()) == TRIED | BY_PROCESSES


async def test_looking_first(cluster: Cluster, tmp_path: Path) -> None:
    """Each command answers in a healthy install."""
    printed = await follow("Runbook", tmp_path)
    assert "Phase:          Succeeded" in printed
    assert "00 01" in printed, "the shards' owners"


async def test_scaling(cluster: Cluster, tmp_path: Path) -> None:
    """Both kinds of pods become as many as asked for, and whole again."""
    before = {kind: len(await cluster.pods(kind)) for kind in ("worker", "gateway")}
    try:
        await follow("Scaling", tmp_path)
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
        await follow("RoomlogWorkerRolloutStuck", tmp_path)
    await cluster.wait_until_whole()


def is_waiting_for_an_image(pod: dict[str, object]) -> bool:
    """Tell whether one of its containers has no image."""
    return bool(re.search(r"ErrImage|ImagePullBackOff|ErrImageNeverPull", str(pod["status"])))
