"""The question that a connection's token or ticket is to the workers. Pure."""

from typing import Final

from roomlog_contract.commands import Authenticate
from roomlog_contract.envelope import Identify

NOBODY: Final = Identify(uuid="identify")
"""The question of a connection that has shown no token."""


def login_of(command: Authenticate) -> Identify:
    """Return the question whose the token or ticket of this command is."""
    return Identify(uuid="identify", token=command.token, ticket=command.ticket)
