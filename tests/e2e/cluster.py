"""The cluster as its owner sees it: kubectl, helm and docker as processes, the API server through a proxy.

Around the message's way. Every call has a deadline; conditions are waited for, never times.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import aiohttp

from tests.e2e import settings
from tests.e2e.forward import Forwards

COMMAND_SECONDS: Final = 180.0
SCRAPE_SECONDS: Final = 3.0
"""A pod that is going answers nothing; the others' answers must not grow old meanwhile."""
REQUEST_SECONDS: Final = 10.0
READY_SECONDS: Final = 150.0
"""For a workload to be whole again: a database that recovers, checks and probes on two busy cores."""
POLL_SECONDS: Final = 0.5
SERVICES: Final = {"gateway": 9080, "worker": 9081, "api": 9082}
"""The components of Roomlog itself and their health ports."""
HEALTH_PORTS: Final = {**SERVICES, "chores": 9084}
"""The same, with what only a project runs."""

Manifest = dict[str, Any]


class CommandFailed(AssertionError):
    """A command ended with an error; its text is what it printed."""


async def run(
    *words: str, stdin: str = "", seconds: float = COMMAND_SECONDS, with_complaint: bool = False
) -> str:
    """Run a program to its end and return what it printed; its failure is ours."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(seconds):
            printed, complaint = await process.communicate(stdin.encode())
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise CommandFailed(f"{' '.join(words[:6])}: {complaint.decode()[-2000:]}")
    return (printed + complaint if with_complaint else printed).decode()


class Cluster:
    """One namespace of the cluster."""

    def __init__(
        self, namespace: str = settings.NAMESPACE, web: str = f"deploy/{settings.RELEASE}-api"
    ) -> None:
        """The pods of `web` have Django and the database."""
        self.namespace = namespace
        self.web = web
        self.forwards = Forwards(namespace)
        self._proxy: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open a proxy to the API server on a free port."""
        words = ["kubectl", "--context", settings.CONTEXT, "proxy", "--port", "0"]
        self._proxy = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert self._proxy.stdout is not None
        async with asyncio.timeout(REQUEST_SECONDS):
            said = (await self._proxy.stdout.readline()).decode()
        address = f"http://{said.split()[-1]}"
        self._http = aiohttp.ClientSession(address, timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS))
        await self.forwards.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the proxy and the forwards."""
        await self.forwards.__aexit__()
        if self._http is not None:
            await self._http.close()
        if self._proxy is not None:
            self._proxy.terminate()
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._proxy.wait()

    async def kubectl(self, *words: str, stdin: str = "", seconds: float = COMMAND_SECONDS) -> str:
        """Run kubectl in the namespace."""
        place = ("--context", settings.CONTEXT, "--namespace", self.namespace)
        return await run("kubectl", *place, *words, stdin=stdin, seconds=seconds)

    async def everywhere(self, *words: str, stdin: str = "") -> str:
        """Run kubectl in no namespace of its own: the words or the manifests name theirs."""
        return await run("kubectl", "--context", settings.CONTEXT, *words, stdin=stdin)

    async def helm(self, *words: str, stdin: str = "", seconds: float = 2 * COMMAND_SECONDS) -> str:
        """Run helm in the namespace."""
        place = ("--kube-context", settings.CONTEXT, "--namespace", self.namespace)
        return await run("helm", *words, *place, stdin=stdin, seconds=seconds)

    async def helm_test(self) -> str:
        """Run the release's own test and return what its pod printed."""
        place = ("--kube-context", settings.CONTEXT, "--namespace", self.namespace)
        return await run("helm", "test", settings.RELEASE, *place, with_complaint=True)

    async def python(self, program: str, stdin: str = "") -> str:
        """Run a Python program where Django and the database are."""
        return await self.kubectl("exec", "-i", self.web, "--", "python", "-c", program, stdin=stdin)

    async def get(self, kind: str, selector: str = "") -> list[Manifest]:
        """Return the namespace's objects of a kind of the core API, or of `apps/v1/…`, `batch/v1/…`."""
        group, _, name = kind.rpartition("/")
        path = f"/apis/{group}" if group else "/api/v1"
        answer = await self.read(f"{path}/namespaces/{self.namespace}/{name}", labelSelector=selector)
        items: list[Manifest] = json.loads(answer)["items"]
        return items

    async def pods(self, component: str) -> list[Manifest]:
        """Return the pods of a component that are there, those that are going included."""
        labels = f"app.kubernetes.io/instance={settings.RELEASE},app.kubernetes.io/component={component}"
        return await self.get("pods", labels)

    async def metrics(self, pod: str, component: str) -> str:
        """Return a pod's metrics, read as its own node could: policies let no API server in."""
        async with asyncio.timeout(SCRAPE_SECONDS):
            return await self.forwards.read(f"pod/{pod}", HEALTH_PORTS[component], "/metrics")

    async def read(self, path: str, **query: str) -> str:
        """Return what the API server answers to a GET, pods' ports behind its proxy included."""
        assert self._http is not None
        async with self._http.get(path, params={k: v for k, v in query.items() if v}) as answer:
            answer.raise_for_status()
            return await answer.text()

    async def what_is_missing(self) -> str:
        """Return "" where every workload has all its pods, ready, new and none too many."""
        for kind in ("deployments", "statefulsets"):
            for workload in await self.get(f"apps/v1/{kind}"):
                wanted, status = workload["spec"]["replicas"], workload["status"]
                is_seen = status.get("observedGeneration") == workload["metadata"]["generation"]
                counts = {status.get(name, 0) for name in ("replicas", "readyReplicas", "updatedReplicas")}
                if not is_seen or counts != {wanted}:
                    return f"{workload['metadata']['name']}: {status}"
        leaving = [pod for pod in await self.get("pods") if "deletionTimestamp" in pod["metadata"]]
        return f"{leaving[0]['metadata']['name']} is going" if leaving else ""

    async def wait_until_whole(self, seconds: float = READY_SECONDS) -> None:
        """Wait until every workload is as it should be."""
        await wait_while(self.what_is_missing, seconds)


async def wait_while(complaint: Callable[[], Awaitable[str]], seconds: float) -> None:
    """Wait until `complaint` has nothing to say; the last one is what the failure says."""
    deadline = time.monotonic() + seconds
    said = "the API server did not answer"
    while said:
        # The API server may be away for a moment when a node is.
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            said = await complaint()
        assert not said or time.monotonic() < deadline, f"after {seconds:g} s still: {said}"
        await asyncio.sleep(POLL_SECONDS)
