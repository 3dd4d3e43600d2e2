"""The app of the orders."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Keeps each order's room like the order."""

    name = "shop.orders"

    def ready(self) -> None:
        """Listen to changes of orders."""
        from . import chat

        chat.connect()
