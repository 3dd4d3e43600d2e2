"""Django's admin: people, rooms and their members by command, everything else to be looked at.

Where people who run an install enter. A room's log and its members are written by workers alone: what is
changed here becomes a PendingCommand, and no rule of the chat lives here.
"""

from . import hooks, invitations, log, members, operations, people, reports, retention, rooms

__all__ = ["hooks", "invitations", "log", "members", "operations", "people", "reports", "retention", "rooms"]
