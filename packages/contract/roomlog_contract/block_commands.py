"""What a client may say of people whom its user does not want to hear; `commands.py` has all else."""

from typing import Annotated

from msgspec import Meta

from . import limits
from .command import Command
from .values import UserNumber


class _OfPerson(Command, frozen=True, kw_only=True):
    """What names somebody, in whatever room."""

    user: UserNumber


class BlockUser(_OfPerson, frozen=True, kw_only=True, tag="block_user"):
    """Blocks somebody for the sender, unseen by everybody else."""


class UnblockUser(_OfPerson, frozen=True, kw_only=True, tag="unblock_user"):
    """Ends that."""


class ListBlocks(Command, frozen=True, kw_only=True, tag="list_blocks"):
    """Reads whom the sender has blocked, in the order of their ids."""

    after: Annotated[int, Meta(ge=0, lt=limits.EXACT_INTEGER)] = 0
    """The last user of the page before."""
