"""A release installs by what is in dist/: its images and its chart, and nothing of the checkout."""

import os
import sys
from pathlib import Path

import pytest

from tests.e2e import settings
from tests.e2e.cluster import SERVICES, Cluster, run

VERSION = "9.8.7"
RELEASE_SECONDS = 600.0


@pytest.mark.skipif(not settings.IS_FULL, reason="SIZE=full alone builds a release")
async def test_a_release_installs_from_dist_alone(
    elsewhere: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nodes get the images' files, helm the chart's, with no values; then people chat."""
    dist = tmp_path / "dist"
    monkeypatch.setenv("RELEASE_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("PYTHON_IMAGE", os.environ.get("PYTHON_IMAGE", "python:3.13-slim"))
    build = (sys.executable, "deploy/release/release.py", VERSION, "--dist", str(dist))
    await run(*build, seconds=RELEASE_SECONDS)
    for name in SERVICES:
        archive = str(dist / f"roomlog-{name}-{VERSION}.docker.tar")
        await run("kind", "load", "image-archive", "--name", settings.CLUSTER, archive)
        await run("docker", "image", "rm", f"roomlog/{name}:{VERSION}")
    chart = str(dist / f"roomlog-{VERSION}.tgz")
    await elsewhere.helm("install", settings.RELEASE, chart, "--wait", "--timeout", "4m")
    assert "median" in await elsewhere.helm_test()
    for name in SERVICES:
        images = {pod["spec"]["containers"][0]["image"] for pod in await elsewhere.pods(name)}
        assert images == {f"roomlog/{name}:{VERSION}"}
