"""What the chart's `helm test` runs, against a stack: with an account of ours, and in somebody's project."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.harness.manage import run_python
from tests.harness.stack import MakeStack, Stack
from tests.harness.stack_databases import POSTGRES_ONLY

SCRIPTS = Path(__file__).parents[3] / "deploy/helm/roomlog/files/test"
SECONDS = 60
NOBODY = "no worker answered: are workers ready, and do they own all shards?\n"


def run(stack: Stack, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the test's pod does."""
    environ = {**stack.environ, "DJANGO_SETTINGS_MODULE": "roomlog_api.settings"}
    return run_python(str(SCRIPTS / script), *words, environ=environ, seconds=SECONDS)


@POSTGRES_ONLY
def test_both_forms_need_a_worker(make_stack: MakeStack, tmp_path: Path) -> None:
    """An account's messages come back, a stranger's ticket is refused; without a worker both forms say so.

    A chart has no SQLite. The gateway is silent for 10 s before it closes, so both wait together.
    """
    stack, ticket = make_stack(), str(tmp_path / "ticket")
    made = run(stack, "account.py", ticket)
    assert made.returncode == 0, made.stderr
    chatted = run(stack, "roundtrip.py", stack.websocket(), ticket)
    assert chatted.returncode == 0, chatted.stderr
    assert "5 messages" in chatted.stdout
    knocked = run(stack, "roundtrip.py", stack.websocket())
    assert knocked.returncode == 0, knocked.stderr
    assert "a worker refused an unknown ticket" in knocked.stdout
    stack.stop("worker-0")
    with ThreadPoolExecutor() as pool:
        forms = [
            pool.submit(run, stack, "roundtrip.py", stack.websocket(), *words) for words in ([ticket], [])
        ]
        alone = [form.result() for form in forms]
    assert [(done.returncode, done.stderr) for done in alone] == [(1, NOBODY)] * 2
