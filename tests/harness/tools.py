"""Lets tests run only where their tools are, and says how to get them; the fixtures are for a conftest."""

import os
import shutil

import pytest

REQUIRED_VARIABLE = "ROOMLOG_REQUIRE_TOOLS"
HOW_TO_GET_IT = {
    "helm": "see https://helm.sh/docs/intro/install/",
    "npm": "see https://nodejs.org/",
    "openssl": "Debian: apt-get install openssl; macOS: brew install openssl",
    "promtool": "Debian: apt-get install prometheus; macOS: brew install prometheus",
    "shellcheck": "Debian: apt-get install shellcheck; macOS: brew install shellcheck",
    "versitygw": "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0",
}


def need(tool: str) -> None:
    """Skips without the tool, or fails where it is required."""
    if shutil.which(tool) is not None:
        return
    missing = f"no {tool} here: {HOW_TO_GET_IT[tool]}"
    if os.environ.get(REQUIRED_VARIABLE) == "1":
        pytest.fail(f"{REQUIRED_VARIABLE}=1, but {missing}")
    pytest.skip(missing)


@pytest.fixture(scope="session")
def helm() -> None:
    """Needs helm."""
    need("helm")


@pytest.fixture(scope="session")
def shellcheck() -> None:
    """Needs shellcheck."""
    need("shellcheck")


@pytest.fixture(scope="session")
def promtool() -> None:
    """Needs promtool."""
    need("promtool")
