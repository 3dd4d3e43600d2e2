"""An order of one customer, served by some of the staff."""

from uuid import uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet

from shop.accounts.models import Account


class NotNew(Exception):
    """The order is paid already."""


class Order(models.Model):
    """What somebody bought."""

    class State(models.TextChoices):
        """How far it is."""

        NEW = "new"
        PAID = "paid"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    item = models.CharField(max_length=100)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="orders")
    staff = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="served_orders", blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.item

    def people(self) -> QuerySet[Account]:
        """Return who talks about it: the customer and the staff who serve it."""
        return Account.objects.filter(Q(orders=self) | Q(served_orders=self)).distinct()

    @staticmethod
    def of(account: Account) -> "QuerySet[Order]":
        """Return the orders that an account may see."""
        return Order.objects.filter(Q(customer=account) | Q(staff=account)).distinct()


def pay(order: Order) -> None:
    """Mark an order as paid and say so in its room: both happen, or neither.

    Raises:
        NotNew: it was paid before.
    """
    from . import chat

    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, state=Order.State.NEW).update(state=Order.State.PAID):
            raise NotNew
        chat.announce(order, f"{order.item} is paid.", about="paid")
