"""How many examples each property tries in a proof: a plug-in of pytest for tier 0.

ROOMLOG_EXAMPLES holds the number; it counts for all properties, those of projects with a profile of their own
included.
"""

import os
from typing import Final

import pytest
from hypothesis import settings

VARIABLE: Final = "ROOMLOG_EXAMPLES"
PROFILE: Final = "proof"

settings.register_profile(PROFILE, max_examples=int(os.environ.get(VARIABLE, "100")), deadline=None)
settings.load_profile(PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish() -> None:
    """Load the profile again: a project's own conftest has loaded another meanwhile."""
    settings.load_profile(PROFILE)
