"""Tier 2's ablations: each takes something out of the product that is there to be taken out."""

import sys
from pathlib import Path

import pytest

from tests.harness.manage import run
from tests.harness.topology import ABLATED
from tests.proof.tier_2 import ABLATIONS

ROOT = Path(__file__).parents[2]
PLACES = {
    "answer after commit": ("roomlog_worker.consumer", "Consumer._commit"),
    "heads poll": ("roomlog_gateway.gateway", "HeadPoll._ask_all"),
    "gap fetch": ("roomlog_gateway.rooms.gap_fetcher", "GapFetcher.watch"),
}
"""What each removes: module, and the function in it."""
LOOK = """
import importlib, operator
if {module!r}.startswith("roomlog_worker"):
    import django
    django.setup()
print(operator.attrgetter({function!r})(importlib.import_module({module!r})).__code__.co_filename)
"""


@pytest.mark.parametrize("name", [ablation.safeguard for ablation in ABLATIONS])
def test_an_ablation_reaches_the_product(name: str) -> None:
    """A process that starts with its name has the ablation's function in place of its own."""
    module, function = PLACES[name]
    environ = {"DJANGO_SETTINGS_MODULE": "roomlog_api.check_settings", "PYTHONPATH": str(ABLATED)}
    words = [sys.executable, "-c", LOOK.format(module=module, function=function)]
    done = run(words, environ | {"ABLATION": name}, 120, ROOT, check=True)
    assert done.stdout.strip() == str(ABLATED / "sitecustomize.py")
