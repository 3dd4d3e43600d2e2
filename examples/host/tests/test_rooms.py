"""Each order has a room, with the order's people in it, whatever changes them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from roomlog.models import ChatMessage, PendingCommand
from roomlog.signals import message_missed
from roomlog_contract.commands import CreateRoom
from shop.accounts.models import Account
from shop.orders import chat
from shop.orders.models import NotNew, Order, pay
from tests.pending import members, said, waiting

Change = Callable[[Order, Account, Account], object]


def test_a_new_order_has_a_room_with_its_customer(order: Order, carla: Account, sam: Account) -> None:
    """Another customer replaces the first."""
    order.save()
    (made,) = [one.command for one in waiting() if isinstance(one.command, CreateRoom)]
    assert made.name == "A blue bicycle"
    assert members() == {carla}
    assert {row.room for row in PendingCommand.objects.all()} == {chat.room_of(order)}
    order.customer = sam
    order.save()
    assert members() == {sam}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda order, sam, sue: order.staff.add(sam), {"Carla", "Sam"}),
        (lambda order, sam, sue: order.staff.set([sue]), {"Carla", "Sue"}),
        (lambda order, sam, sue: (order.staff.set([sam, sue]), order.staff.remove(sue)), {"Carla", "Sam"}),
        (lambda order, sam, sue: (order.staff.set([sam, sue]), order.staff.clear()), {"Carla"}),
        (lambda order, sam, sue: sam.served_orders.add(order), {"Carla", "Sam"}),
        (
            lambda order, sam, sue: (order.staff.set([sam, sue]), sam.served_orders.remove(order)),
            {"Carla", "Sue"},
        ),
        (lambda order, sam, sue: (order.staff.set([sam, sue]), sam.served_orders.clear()), {"Carla", "Sue"}),
    ],
    ids=["add", "set", "remove", "clear", "add, reversed", "remove, reversed", "clear, reversed"],
)
def test_the_staff_of_an_order_are_in_its_room(
    order: Order, sam: Account, sue: Account, change: Change, left: set[str]
) -> None:
    """However they come and go."""
    change(order, sam, sue)
    assert {account.name for account in members()} == left


def test_paying_and_saying_so_are_one(order: Order) -> None:
    """The shop says it once, under its own name; the second try changes and says nothing."""
    pay(order)
    with pytest.raises(NotNew):
        pay(order)
    order.refresh_from_db()
    assert order.state == Order.State.PAID
    assert said() == ["A blue bicycle is paid."]
    assert PendingCommand.objects.get(uuid=f"{order.pk}-paid").user.name == "Shop"


def test_what_is_rolled_back_was_never_said(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error after the message undoes both."""
    announce = chat.announce

    def fail(*words: object, **more: str) -> None:
        announce(*words, **more)
        raise OSError

    monkeypatch.setattr(chat, "announce", fail)
    with pytest.raises(OSError):  # noqa: PT011 - our own, without words
        pay(order)
    order.refresh_from_db()
    assert order.state == Order.State.NEW
    assert said() == []


def test_those_who_are_away_get_an_email(order: Order, carla: Account, sam: Account, mailoutbox: Any) -> None:
    """Each alone: nobody reads another's address."""
    message = SimpleNamespace(text="It is ready.")
    message_missed.send(ChatMessage, room=chat.room_of(order), message=message, users=[carla.pk, sam.pk])
    sent = [(mail.to, mail.body) for mail in mailoutbox]
    assert sorted(sent) == [([carla.email], "It is ready."), ([sam.email], "It is ready.")]
