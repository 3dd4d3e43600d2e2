"""What `manage.py check` says of a project: each fault with what to write instead.

Before the message's way; importing registers the checks. A fault found here costs a sentence; found later it
costs a message. Workers ask for the checks of `TAG` at their start.
"""

from . import database, project, values
from .tag import TAG

__all__ = ["TAG", "database", "project", "values"]
