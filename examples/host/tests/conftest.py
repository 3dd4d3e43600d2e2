"""What the shop's tests share: a customer, two of the staff and an order."""

import pytest
from pytest_django import Settings

from shop.accounts.models import Account
from shop.orders.models import Order


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    """A slow hash would be most of the run."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def carla(db: None) -> Account:
    """A customer."""
    return Account.objects.create_user("carla@shop.example", "Carla", "blue bicycle")


@pytest.fixture
def sam(db: None) -> Account:
    """One of the staff."""
    return Account.objects.create_superuser("sam@shop.example", "Sam", "spare wheels")


@pytest.fixture
def sue(db: None) -> Account:
    """Another of the staff."""
    return Account.objects.create_superuser("sue@shop.example", "Sue", "inner tubes")


@pytest.fixture
def order(carla: Account) -> Order:
    """Carla's order."""
    return Order.objects.create(customer=carla, item="A blue bicycle")
