"""`roomlog`: the command line. Each command is a few lines around the client; see `roomlog --help`."""

from .commands import main

__all__ = ["main"]
