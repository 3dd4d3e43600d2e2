"""`roomlog shards --namespace` on a cluster whose policies let no API server in: kubectl is a stand-in."""

from pathlib import Path

import pytest

from tests.client.cli_runs import roomlog

PODS = '{"items": [{"metadata": {"name": "chat-worker-0"}}, {"metadata": {"name": "chat-worker-1"}}]}'
KUBECTL = """#!/bin/sh
owns() { seq 0 63 | while read -r n; do
  if [ "$n" -ge "$1" ] && [ "$n" -le "$2" ]; then owned=1.0; else owned=0.0; fi
  echo "roomlog_worker_shard_owned{shard=\\"$n\\"} $owned"
done; }
case "$*" in
"get pods "*) echo 'PODS' ;;
"exec --namespace chat chat-worker-0 --container worker -- python -c "*) owns 0 31 ;;
"exec --namespace chat chat-worker-1 --container worker -- python -c "*) FATE ;;
*) echo "error trying to reach the service: i/o timeout" >&2; exit 1 ;;
esac
"""


@pytest.mark.parametrize(("fate", "status"), [("owns 32 63", 0), ("exit 1", 1)])
async def test_shards_are_asked_inside_the_pods(
    fate: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker reads its own metrics, which no policy refuses; one that can't is told."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.replace("PODS", PODS).replace("FATE", fate), encoding="utf-8")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    done = await roomlog("shards", "--namespace", "chat")
    assert done.exit_code == status, done.output
    assert ("no answer" in done.stdout) is (status == 1)
