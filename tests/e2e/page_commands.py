"""The command blocks of a page in docs/, run as they stand there against the install under test.

Beside the message's way; what a block means is for the tests that run it.
"""

import re
import sys
from pathlib import Path
from typing import Final

from tests.e2e import settings
from tests.e2e.cluster import COMMAND_SECONDS, run

ROOT: Final = Path(__file__).parents[2]
TOOLS: Final = f"""
set -euo pipefail
PATH={Path(sys.executable).parent}:$PATH
kubectl() {{ command kubectl --context {settings.CONTEXT} "$@"; }}
helm() {{ command helm --kube-context {settings.CONTEXT} "$@"; }}
"""
"""A page means the current context; a test must not."""


def blocks(page: str) -> dict[str, list[str]]:
    """Return the command blocks of each heading of `docs/<page>.md` that has some."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    found = {
        heading: re.findall(r"^```\n(.*?)^```$", body, re.DOTALL | re.MULTILINE)
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {heading: texts for heading, texts in found.items() if texts}


async def follow(page: str, heading: str, folder: Path, block: int | None = None) -> str:
    """Run a heading's blocks with the install's own namespace in a folder; return what they printed.

    `block` is the number of the one to run, None for all.
    """
    found = blocks(page)[heading]
    chosen = "".join(found if block is None else [found[block]])
    commands = chosen.replace("--namespace chat", f"--namespace {settings.NAMESPACE}")
    assert "chat" not in commands
    return await run("bash", "-c", f"cd {folder}\n{TOOLS}{commands}", seconds=COMMAND_SECONDS)
