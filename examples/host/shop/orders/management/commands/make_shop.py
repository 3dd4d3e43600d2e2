"""`manage.py make_shop`: a customer, two of the staff and an order, to look at. Again is harmless."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.tokens import AccessToken

from roomlog.people import person_of
from shop.accounts.models import Account
from shop.orders.chat import room_of
from shop.orders.models import Order

PEOPLE = {"carla": False, "sam": True, "sue": True}
"""Names, and whether they are staff; the first is the customer."""
PASSWORD_CHARACTERS = 12


class Command(BaseCommand):
    """Makes what is missing and prints it as JSON."""

    help = "Create a customer, two of the staff and an order; print them as JSON."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Make and print."""
        carla, *staff = (self._account(name, is_staff) for name, is_staff in PEOPLE.items())
        order, _ = Order.objects.get_or_create(customer=carla, item="A blue bicycle")
        order.staff.set(staff)
        people = (carla, *staff)
        room = {"id": room_of(order).hex, "name": order.item, "members": [one.email for one in people]}
        self.stdout.write(json.dumps({"users": [facts_of(one) for one in people], "rooms": [room]}))

    def _account(self, name: str, is_staff: bool) -> Account:
        email = f"{name}@shop.example"
        account = Account.objects.filter(email=email).first()
        if account is None:
            account = Account.objects.create_user(
                email, name.title(), password_of(email), is_staff=is_staff, is_superuser=is_staff
            )
        return account


def facts_of(account: Account) -> dict[str, Any]:
    """Return the id in the chat, and what opens the shop's pages and, for some minutes, API and gateway."""
    token = str(AccessToken.for_user(account))
    password = password_of(account.email)
    return {"id": person_of(account).pk, "name": account.email, "password": password, "token": token}


def password_of(email: str) -> str:
    """Return the same password each time, but another in each install: the secret key gives it."""
    return salted_hmac("shop.make_shop", email).hexdigest()[:PASSWORD_CHARACTERS]
