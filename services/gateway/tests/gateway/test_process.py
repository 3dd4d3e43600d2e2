"""The gateway under gunicorn, and its second port: start, SIGTERM, probes, metrics."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from aiohttp import ClientSession

from roomlog_gateway.config import read_config
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_runtime.settings import SettingError
from tests.gateway.client import connect
from tests.gateway.running import MakeGateway, Running
from tests.harness.waiting import eventually, wait_until


@pytest.fixture
def environ(redis_url: str) -> dict[str, str]:
    """The settings of a gateway process."""
    return {
        **os.environ,
        "ROOMLOG_REDIS_URL": redis_url,
        "ROOMLOG_BIND": f"{LOOPBACK}:{free_port()}",
        "ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{free_port()}",
    }


@pytest.fixture
def process(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A gateway under gunicorn, as it is run everywhere."""
    arguments = ("--config", "python:roomlog_gateway.gunicorn_config", "roomlog_gateway.app:create_app")
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *arguments], env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        if process.poll() is None:
            process.kill()


async def test_sigterm_drains_and_ends_the_process_quickly(
    process: subprocess.Popen[str], environ: dict[str, str], http: ClientSession
) -> None:
    """With one connection it is over in a moment, with code 0 and no traceback."""
    await is_ready(http, environ)
    client = await connect(http, f"http://{environ['ROOMLOG_BIND']}/ws")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert (await client.event("reconnect"))["reason"] == "restart"
    assert await client.close_code() == 1012
    await asyncio.to_thread(wait_until, lambda: process.poll() is not None, 10, "the process ends")
    assert process.returncode == 0
    assert time.monotonic() - began < 8
    assert process.stdout is not None
    assert "Traceback" not in process.stdout.read()


async def is_ready(http: ClientSession, environ: dict[str, str]) -> None:
    """Return when the process says that it is ready."""
    async with asyncio.timeout(20):
        while True:
            try:
                async with http.get(f"http://{environ['ROOMLOG_HEALTH_BIND']}/readyz") as response:
                    if response.status == 200:
                        return
            except OSError:
                pass
            await asyncio.sleep(0.05)


async def test_probes_and_metrics_answer_on_the_second_port(gateway: Running, http: ClientSession) -> None:
    """All four paths, and nothing of them on the first port."""
    for path in ("livez", "readyz", "startupz", "metrics"):
        async with http.get(f"{gateway.health}/{path}") as response:
            assert response.status == 200, path
            body = await response.text()
    assert "roomlog_gateway_connections 0.0" in body
    async with http.get(gateway.url.replace("/ws", "/metrics")) as response:
        assert response.status == 404


def test_wrong_settings_are_named() -> None:
    """The process ends with a sentence about the variable."""
    with pytest.raises(SettingError, match="ROOMLOG_MAX_CONNECTIONS"):
        read_config({"ROOMLOG_MAX_CONNECTIONS": "many"})


def test_the_longest_drain_follows_from_the_settings() -> None:
    """gunicorn's and the pod's grace must allow for it."""
    config = read_config(
        {
            "ROOMLOG_MAX_CONNECTIONS": "1000",
            "ROOMLOG_MAX_RECONNECTS_PER_SECOND": "100",
            "ROOMLOG_PRESTOP_SECONDS": "5",
        }
    )
    assert config.drain_seconds == 25.0


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_both_families_reach_the_health_port(make_gateway: MakeGateway, http: ClientSession) -> None:
    """The chart binds to [::], on clusters of either family."""
    port = free_port()
    await make_gateway(ROOMLOG_HEALTH_BIND=f"[::]:{port}")
    for host in (LOOPBACK, "[::1]"):
        async with http.get(f"http://{host}:{port}/livez") as response:
            assert response.status == 200


async def test_a_lasting_task_that_ends_ends_the_process(gateway: Running, http: ClientSession) -> None:
    """Without the poll of heads a lost event would never be found, and nobody would see why."""

    async def defect() -> None:
        raise RuntimeError("a defect")

    gateway.gateway._heads.run = defect  # type: ignore[method-assign]
    gateway.gateway.start()
    await eventually(lambda: gateway.has_drained, 20, "the process is told to end")
    async with http.get(f"{gateway.health}/livez") as response:
        assert response.status == 503


@pytest.mark.parametrize("arguments", [("--workers", "2"), ("-w", "3")])
def test_a_second_worker_is_refused(environ: dict[str, str], arguments: tuple[str, ...]) -> None:
    """The second would find the health port in use, and end the first with it."""
    command = (
        "--config",
        "python:roomlog_gateway.gunicorn_config",
        *arguments,
        "roomlog_gateway.app:create_app",
    )
    words = [sys.executable, "-m", "gunicorn", *command]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "one worker" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTTIN", "SIGUSR2"])
async def test_a_reload_is_refused_and_the_gateway_serves_on(
    process: subprocess.Popen[str], environ: dict[str, str], http: ClientSession, name: str
) -> None:
    """Each of these would start a second process beside the first, on the same health port."""
    await is_ready(http, environ)
    client = await connect(http, f"http://{environ['ROOMLOG_BIND']}/ws")
    process.send_signal(signal.Signals[name])
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while name not in await asyncio.to_thread(process.stdout.readline):
            assert process.poll() is None
    assert (await client.ask("ping"))["status"] == "success"
    async with http.get(f"http://{environ['ROOMLOG_HEALTH_BIND']}/livez") as response:
        assert response.status == 200
    await client.socket.close()
