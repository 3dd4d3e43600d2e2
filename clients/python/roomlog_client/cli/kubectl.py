"""kubectl as a process: words in, output out, within a deadline."""

import asyncio
from typing import Final, NamedTuple

KUBECTL_SECONDS: Final = 20.0


class KubectlFailed(Exception):
    """kubectl is not there or said no."""


class Done(NamedTuple):
    """A run of kubectl that ended by itself."""

    status: int
    output: str
    complaint: str


async def ask(*words: str) -> str:
    """Return what kubectl prints.

    Raises:
        KubectlFailed: the text says why.
    """
    done = await run(*words)
    if done.status:
        raise KubectlFailed(done.complaint)
    return done.output


async def run(*words: str, seconds: float = KUBECTL_SECONDS) -> Done:
    """Run kubectl to its end, whatever its exit status.

    Raises:
        KubectlFailed: it is not there, or did not end in time.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec("kubectl", *words, stdout=pipe, stderr=pipe)
    except OSError:
        raise KubectlFailed("kubectl is not on PATH") from None
    try:
        async with asyncio.timeout(seconds):
            # deadline: the timeout above, after which the process is killed
            output, complaint = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise KubectlFailed(f"kubectl did not answer in {seconds:g} s") from None
    assert process.returncode is not None
    return Done(
        process.returncode, output.decode(errors="replace"), complaint.decode(errors="replace").strip()
    )
