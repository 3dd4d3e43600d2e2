"""Lets the chart tests run only where helm is, and says how to get it."""

import os
import shutil

import pytest

REQUIRED_VARIABLE = "ROOMLOG_REQUIRE_HELM"
HOW_TO_GET_IT = "no helm here: see https://helm.sh/docs/intro/install/"


@pytest.fixture(scope="session", autouse=True)
def helm() -> None:
    """Skips without helm, unless it is required."""
    if shutil.which("helm") is not None:
        return
    if os.environ.get(REQUIRED_VARIABLE) == "1":
        pytest.fail(f"{REQUIRED_VARIABLE}=1, but {HOW_TO_GET_IT}")
    pytest.skip(HOW_TO_GET_IT)
