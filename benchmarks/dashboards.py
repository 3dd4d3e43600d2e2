"""`python -m benchmarks.dashboards`: draw the chart's dashboards over a real run into docs/dashboards.

Beside everything: two gateways, two workers and the api on PostgreSQL, chat, kills of a gateway, a worker and
Redis, and a real Prometheus. The answers to the panels' queries go to a file, from which
dashboards_drawing.py draws the pictures in the peers' environment. It must not judge anything.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command, probe
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.load import Load, Shape
from tests.harness.stack import Room, Stack, User, build_stack
from tests.harness.stack_databases import postgres_databases

ROOT: Final = Path(__file__).parents[1]
BOARDS: Final = ROOT / "deploy/helm/roomlog/files/dashboards"
PICTURES: Final = ROOT / "docs/dashboards"
PEERS: Final = ROOT / ".roomlog/peers/bin/python"
PEOPLE: Final = 12
ROOMS: Final = 6
SCRAPE_SECONDS: Final = 2
RATE: Final = "10s"
"""Grafana's $__rate_interval at this interval: four scrapes and one more."""
STOP_SECONDS: Final = 10.0
READY_SECONDS: Final = 30.0
FAULTS: Final = ("gateway-1", "worker-0", "valkey")
"""What is killed and started again, one after the other, at equal intervals."""
VARIABLES: Final = {"$namespace": "chat", "$pod": ".+", "$__rate_interval": RATE}


def main() -> None:
    """Run, record and draw."""
    parser = argparse.ArgumentParser(description="Draw the chart's dashboards over a real run.")
    parser.add_argument("--seconds", type=float, default=240.0, help="of chat (default: 240)")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="roomlog-dashboards-") as directory:
        data = Path(directory) / "panels.json"
        with postgres_databases() as databases:
            stack = build_stack(Path(directory) / "stack", databases, gateways=2, workers=2, api=True)
            port = free_port()
            prometheus = _prometheus(stack, Path(directory), port)
            try:
                stack.start()
                prometheus.start()
                prometheus.wait_ready(READY_SECONDS)
                began = time.time()
                asyncio.run(_chat(stack, seconds))
                boards = _boards(f"http://{LOOPBACK}:{port}", began, time.time())
                data.write_text(json.dumps(list(boards)))
            finally:
                stop_all([prometheus], STOP_SECONDS)
                stack.close()
        PICTURES.mkdir(exist_ok=True)
        subprocess.run([PEERS, "-m", "benchmarks.dashboards_drawing", data, PICTURES], cwd=ROOT, check=True)


async def _chat(stack: Stack, seconds: float) -> None:
    people = await asyncio.to_thread(stack.make_users, PEOPLE)
    members = [[person for index, person in enumerate(people) if (index + room) % 3] for room in range(ROOMS)]
    rooms = await asyncio.to_thread(stack.make_rooms, members)
    urls = [stack.websocket(number) for number in range(2)]
    asking = asyncio.create_task(_ask(stack, people, rooms))
    async with Load(urls, people, rooms, seed=1, shape=Shape(pause_seconds=(0.2, 0.6))) as load:
        for name in FAULTS:
            await asyncio.sleep(seconds / (len(FAULTS) + 1))
            async with load.fault("kill -9", name):
                await asyncio.to_thread(stack.kill, name)
                await asyncio.to_thread(stack.start, name)
        await asyncio.sleep(seconds / (len(FAULTS) + 1))
        await load.hush()
    asking.cancel()


async def _ask(stack: Stack, people: list[User], rooms: list[Room]) -> None:
    """Read histories over REST, one after the other, as an app beside the sockets does."""
    while True:
        for room in rooms:
            reader = next(person for person in people if person in room.members)
            url = f"{stack.page}/api/v1/rooms/{room.id}/messages/"
            asked = Request(url, headers={"Authorization": f"Token {reader.token}"})
            await asyncio.to_thread(_read, asked)
            await asyncio.sleep(0.25)


def _prometheus(stack: Stack, directory: Path, port: int) -> Child:
    """Return a Prometheus that sees the processes under the labels that a PodMonitor gives to pods."""
    server = shutil.which("prometheus")
    if server is None:
        raise SystemExit(
            "no prometheus here; Debian: apt-get install prometheus; macOS: brew install prometheus"
        )
    targets = [
        {
            "targets": [stack.health(name).removeprefix("http://")],
            "labels": {"namespace": "chat", "pod": f"roomlog-{name}"},
        }
        for name in stack.names
        if name != "valkey"
    ]
    scrapes = [{"job_name": "chat/roomlog", "static_configs": targets}]
    config = directory / "prometheus.yml"  # JSON is YAML
    config.write_text(
        json.dumps({"global": {"scrape_interval": f"{SCRAPE_SECONDS}s"}, "scrape_configs": scrapes})
    )
    arguments = (
        f"--config.file={config}",
        f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--web.listen-address={LOOPBACK}:{port}",
    )
    command = Command("prometheus", (server, *arguments), is_ready=probe(port, "/-/ready"))
    return Child(command, directory / "prometheus.log")


def _boards(address: str, began: float, ended: float) -> Iterator[dict[str, Any]]:
    """Yield each dashboard with what its panels' queries answer between two moments."""
    for path in sorted(BOARDS.glob("*.json")):
        board = json.loads(path.read_text())
        panels = [panel for panel in board["panels"] if panel["type"] != "row"]
        for panel in panels:
            panel["series"] = [
                {"legend": target.get("legendFormat", ""), **series}
                for target in panel["targets"]
                for series in _answer(address, target["expr"], began, ended)
            ]
        yield {"name": path.stem, "title": board["title"], "began": began, "ended": ended, "panels": panels}


def _answer(address: str, query: str, began: float, ended: float) -> list[dict[str, Any]]:
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    asked = urlencode({"query": query, "start": began, "end": ended, "step": SCRAPE_SECONDS})
    answer = json.loads(_read(Request(f"{address}/api/v1/query_range?{asked}")))
    series: list[dict[str, Any]] = answer["data"]["result"]
    return series


def _read(asked: Request) -> bytes:
    with urlopen(asked, timeout=READY_SECONDS) as answer:
        read: bytes = answer.read()
    return read


if __name__ == "__main__":
    main()
