"""What every command has: the base of the structs in `commands.py`."""

from typing import Self

from msgspec import Struct

from .values import Uuid


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action"):
    """What every command has; `action` is the struct's tag.

    Defaults are left out, so that a field added later does not change the hash of an earlier body.
    """

    uuid: Uuid

    def normalized(self) -> Self:
        """Return the command as it is carried out and stored."""
        return self

    def check(self) -> None:
        """Refuse what types can't say.

        Raises:
            RefusedCommand: without uuid and action, which the caller knows.
        """
