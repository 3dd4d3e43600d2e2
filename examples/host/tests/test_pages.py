"""The shop's pages, its API and its staff's pages, with Roomlog in the same project."""

from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from roomlog.people import person_of
from shop.accounts.models import Account
from shop.orders.chat import room_of
from shop.orders.models import Order
from tests.pending import said


def test_the_sample_can_be_made_again(db: None) -> None:
    """And no migration is missing."""
    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check=True, dry_run=True)
    for _ in range(2):
        call_command("make_shop")
    assert (Account.objects.count(), Order.objects.count()) == (3, 1)


def test_a_customer_logs_in_by_email_pays_and_reads(order: Order, carla: Account, client: Client) -> None:
    """Strangers go to the shop's own login, also from the chat."""
    page = reverse("order", args=[order.pk])
    for address in (page, reverse("roomlog:chat")):
        assert client.get(address).headers["location"].startswith("/login/?next=")
    client.post("/login/", {"username": carla.email, "password": "blue bicycle"})
    assert "A blue bicycle" in client.get("/").content.decode()
    shown = client.get(page).content.decode()
    assert "Pay" in shown
    assert '<roomlog-chat websocket="/chat/ws" ticket="/chat/api/v1/ticket/"' in shown
    assert f'user="{person_of(carla).pk}" room="{room_of(order).hex}"' in shown
    client.post(reverse("pay", args=[order.pk]))
    assert said() == ["A blue bicycle is paid."]
    assert "Pay" not in client.get(page).content.decode()


def test_somebody_elses_order_is_not_there(order: Order, sam: Account, client: Client) -> None:
    """The staff have all in one site."""
    client.force_login(sam)
    assert client.get(reverse("order", args=[order.pk])).status_code == 404
    assert client.post(reverse("pay", args=[order.pk])).status_code == 404
    assert "Shop" in client.get("/staff/").content.decode()
    for name in ("accounts_account", "orders_order", "roomlog_chatroom"):
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert client.get(reverse("admin:orders_order_change", args=[order.pk])).status_code == 200


def test_the_chat_shows_names_and_never_emails(order: Order, carla: Account, client: Client) -> None:
    """By the function in ROOMLOG["PEOPLE"]."""
    client.force_login(carla)
    page = client.get(reverse("roomlog:chat"))
    assert page.status_code == 200
    assert f'data-user-id="{person_of(carla).pk}"' in page.content.decode()


def test_programs_come_with_a_token(order: Order, carla: Account, client: Client) -> None:
    """The same SimpleJWT opens the shop's API and Roomlog's, and nothing opens without one."""
    words = {"email": carla.email, "password": "blue bicycle"}
    token = client.post("/api/token/", words).json()["access"]
    headers = {"authorization": f"Bearer {token}"}
    assert [one["id"] for one in client.get("/api/orders/", headers=headers).json()] == [str(order.pk)]
    assert client.get("/chat/api/v1/rooms/", headers=headers).status_code == 200
    assert [client.get(path).status_code for path in ("/api/orders/", "/chat/api/v1/rooms/")] == [401, 401]


def test_a_customer_who_leaves_leaves_the_order(order: Order, carla: Account) -> None:
    """The account goes, with its name; the order stays."""
    person = person_of(carla)
    carla.delete()
    person.refresh_from_db()
    assert person.name == "deleted account"
    order.refresh_from_db()
    assert order.customer is None
