"""Whose request it is."""

from rest_framework.request import Request


def asker(request: Request) -> int:
    """Return the id of the signed-in user."""
    user_id = request.user.pk
    assert user_id is not None, "only the signed-in come here"
    return int(user_id)
