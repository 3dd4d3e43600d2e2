"""The table of attacks leaves out no action of the wire."""

from roomlog_contract.actions import COMMANDS
from tests.abuse.attacks import ATTACKS


def test_each_action_is_flooded_by_some_attack() -> None:
    """A new action needs an attack of its own before it can land."""
    flooded = {action for attack in ATTACKS.values() for action in attack.actions}
    assert flooded == COMMANDS.keys()
