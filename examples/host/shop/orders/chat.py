"""The room of each order: who is in it, and what the shop says there.

All that the shop knows of Roomlog in Python. Each call is stored in the order's own transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.mail import send_mail
from django.db import transaction
from django.db.models.signals import m2m_changed, post_save

from roomlog import rooms
from roomlog.signals import message_missed
from roomlog_contract.events import Message
from shop.accounts.models import Account

from .models import Order

SHOP = "Shop"
"""Under this name the shop itself speaks."""


def people(accounts: Sequence[Account]) -> Mapping[UUID, Mapping[str, str]]:
    """Return the names that others see: for ROOMLOG["PEOPLE"]."""
    return {account.pk: {"name": account.name} for account in accounts}


def room_of(order: Order) -> UUID:
    """Return the order's room, which is made the first time."""
    return rooms.ensure_room(f"order-{order.pk}", order.item)


def announce(order: Order, text: str, *, about: str) -> None:
    """Let the shop say something in the order's room, once for each thing that it is about."""
    rooms.post_as(room_of(order), text, name=SHOP, uuid=f"{order.pk}-{about}")


def mirror(order: Order) -> None:
    """Let the room have the order's people as its members."""
    with transaction.atomic():
        rooms.sync_members(room_of(order), order.people())


def connect() -> None:
    """Follow the shop's own tables, from both sides of an order's staff, and what people miss in a room."""
    post_save.connect(on_order_saved, sender=Order, dispatch_uid="shop.order_saved")
    m2m_changed.connect(on_staff_changed, sender=Order.staff.through, dispatch_uid="shop.staff_changed")
    message_missed.connect(on_message_missed, dispatch_uid="shop.message_missed")


def on_order_saved(instance: Order, raw: bool, **_: Any) -> None:
    """Mirror a new order, or one that has another customer."""
    if not raw:  # fixtures come with rows of their own
        mirror(instance)


def on_staff_changed(
    instance: Any, action: str, reverse: bool, pk_set: Iterable[UUID] | None, **_: Any
) -> None:
    """Mirror each order whose staff has changed."""
    if action == "pre_clear" and reverse:  # afterwards nobody knows which orders they were
        instance.cleared_orders = list(instance.served_orders.all())
    if not action.startswith("post_"):
        return
    if not reverse:
        orders = [instance]
    elif pk_set is None:
        orders = instance.cleared_orders
    else:
        orders = list(Order.objects.filter(pk__in=pk_set))
    for order in orders:
        mirror(order)


def on_message_missed(message: Message, users: list[UUID], **_: Any) -> None:
    """Write an e-mail to those who are away: `manage.py roomlog chores` calls this."""
    for account in Account.objects.filter(pk__in=users):
        send_mail(f"A message about your order at the {SHOP}", message.text, None, [account.email])
