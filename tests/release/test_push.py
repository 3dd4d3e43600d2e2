"""What `make push` says to docker and helm, and the values that it prints; no registry is needed."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.chart.render import containers, pod_specs, render, settled
from tests.harness.tools import need

ROOT = Path(__file__).parents[2]
SECONDS = 60
REGISTRY = "registry.example.org/team"
NAMES = ("gateway", "worker", "api")
FAKE = """#!/usr/bin/env bash
echo "${0##*/} $*" >> "$CALLS"
[[ $1 != push || ${0##*/} != docker ]] || {
  echo "The push refers to repository [${2%:*}]"
  echo "7: digest: sha256:$(printf '%s' "$2" | sha256sum | cut -c1-64) size: 2416" | grep "$PUSHED" || true
}
"""
"""Writes down what it is asked, and ends a push as Docker does."""

Push = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """The list of all commands that were run."""
    return tmp_path / "calls"


@pytest.fixture
def push(tmp_path: Path, calls: Path) -> Push:
    """Runs the script with a docker and a helm that only take notes."""
    for name in ("docker", "helm"):
        (tmp_path / name).write_text(FAKE)
        (tmp_path / name).chmod(0o755)

    def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path}:{os.environ['PATH']}"
        return subprocess.run(
            ["deploy/release/push", *words],
            cwd=ROOT,
            env={**os.environ, "PATH": path, "CALLS": str(calls), "PUSHED": ".", "IMAGE_TAG": "7", **environ},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    return run


def test_the_printed_values_install_what_was_pushed(push: Push) -> None:
    """By digest, so that nobody can change the images later; the embedded servers stay where they are."""
    need("helm")
    done = push(f"{REGISTRY}/", "")
    assert done.returncode == 0, done.stderr
    pods = pod_specs(render(settled(yaml.safe_load(done.stdout))))
    for component, name in (*zip(NAMES, NAMES, strict=True), ("migrate", "api")):
        for container in containers(pods[component]):
            image, _, digest = container["image"].partition("@sha256:")
            assert (image, len(digest)) == (f"{REGISTRY}/roomlog/{name}", 64)
    assert containers(pods["postgresql"])[0]["image"] == "postgres:17"


def test_images_of_the_checkout_are_tagged_and_pushed(push: Push, calls: Path) -> None:
    """Under the tag that they were built with; no release is needed."""
    assert push(REGISTRY).returncode == 0
    wanted = [
        line
        for name in NAMES
        for line in (
            f"docker tag roomlog/{name}:7 {REGISTRY}/roomlog/{name}:7",
            f"docker push {REGISTRY}/roomlog/{name}:7",
        )
    ]
    assert calls.read_text().splitlines() == wanted


def test_a_release_is_loaded_from_dist_and_its_chart_follows(push: Push, calls: Path) -> None:
    """Its own version is the tag, whatever was built since."""
    done = push(REGISTRY, "1.2.3", PLAIN_HTTP="1")
    assert done.returncode == 0, done.stderr
    said = calls.read_text().splitlines()
    assert said[:3] == [
        "docker load --quiet --input dist/roomlog-gateway-1.2.3.docker.tar",
        f"docker tag roomlog/gateway:1.2.3 {REGISTRY}/roomlog/gateway:1.2.3",
        f"docker push {REGISTRY}/roomlog/gateway:1.2.3",
    ]
    assert said[-1] == f"helm push dist/roomlog-1.2.3.tgz oci://{REGISTRY}/charts --plain-http"
    assert set(yaml.safe_load(done.stdout)) == set(NAMES)


def test_without_a_registry_nothing_is_pushed(push: Push, calls: Path) -> None:
    """A push that names no digest is a failure."""
    done = push("", "1.2.3")
    assert done.returncode != 0
    assert "REGISTRY=registry.example.org/team" in done.stderr
    assert not calls.exists()
    done = push(REGISTRY, PUSHED="nothing")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert "docker push" in done.stderr
    assert len(calls.read_text().splitlines()) == 2
