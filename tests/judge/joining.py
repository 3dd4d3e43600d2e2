"""Rooms that are open to everybody, and invitations, in the words of the checker. It judges nothing."""

from collections.abc import Collection
from typing import Final, NamedTuple

DISCOVERABLE_KIND: Final = "set_discoverable"
"""The kind of rows that open a room to everybody, or close it; their text says which."""
JOINING_KIND: Final = "join_room"
"""The kind of rows by which somebody comes in without being brought."""


class Invitation(NamedTuple):
    """One invitation as the database holds it in the end."""

    id: str
    room: str
    role: str
    until_ms: int
    most_uses: int
    """0 for no bound."""
    uses: int
    revoked_ms: int
    """When it was revoked, by the server's clock; 0 where it was not."""


class Admission(NamedTuple):
    """What the log says of an invitation by which somebody came in."""

    room: str
    seq: int
    invitation: str


class Doors(NamedTuple):
    """Who may come in where, as the database has it in the end."""

    discoverable: list[str] = []
    """The rooms that are open to everybody."""
    invitations: list[Invitation] = []
    admissions: list[Admission] = []

    def of_rooms(self, rooms: Collection[str]) -> "Doors":
        """Return those of some rooms alone."""
        return Doors(
            [room for room in self.discoverable if room in rooms],
            [one for one in self.invitations if one.room in rooms],
            [one for one in self.admissions if one.room in rooms],
        )


NO_DOORS: Final = Doors()
