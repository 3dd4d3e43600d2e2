"""What waits for a worker, as the shop's transactions have left it."""

from roomlog.models import PendingCommand, Person
from roomlog_contract.commands import NewMessage
from roomlog_contract.envelope import Envelope, SyncMembers, decode_envelope
from shop.accounts.models import Account


def waiting() -> list[Envelope]:
    """Return the commands, the oldest first."""
    return [decode_envelope(bytes(row.envelope)) for row in PendingCommand.objects.order_by("id")]


def said() -> list[str]:
    """Return the texts of the messages."""
    return [one.command.text for one in waiting() if isinstance(one.command, NewMessage)]


def members() -> set[Account]:
    """Return the accounts of the last wanted set of members."""
    *_, last = (one.command for one in waiting() if isinstance(one.command, SyncMembers))
    return {person.user for person in Person.objects.filter(pk__in=last.users)}
