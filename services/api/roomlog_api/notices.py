"""Wakes the owner of a shard and tells open sockets that their user's rights changed."""


def connect() -> None:
    """Listen to the signals."""
