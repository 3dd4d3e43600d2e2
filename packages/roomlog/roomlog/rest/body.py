"""What every body of a request or an answer is."""

from typing import Any

from rest_framework import serializers


class Body(serializers.Serializer[Any]):
    """A body that is no model: nothing is saved through it."""

    example: Any = None
    """What the description of the interface shows."""
