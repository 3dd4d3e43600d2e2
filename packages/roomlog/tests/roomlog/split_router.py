"""A router that puts rooms elsewhere than their people."""


class SplitRouter:
    """As a project with a database for each app has it."""

    def db_for_read(self, model: type[object], **hints: object) -> str | None:
        """Return the database of rooms; of all else nothing."""
        return "rooms" if model.__name__ == "ChatRoom" else None

    db_for_write = db_for_read
