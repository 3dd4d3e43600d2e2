"""The browser's client, clients/web/link.js, in a real browser: its connection, lost and found."""

import pytest

from tests.harness.scripted_gateway import START, Gateway, message, refusal, success


@pytest.mark.parametrize("code", [4401, 4403])
def test_who_was_cut_off_stays_away(gateway: Gateway, code: int) -> None:
    """Unauthenticated or revoked: the same would happen again."""
    gateway.sockets[-1].close(code=code)
    gateway.until(lambda: gateway.state() == "ended")
    gateway.page.clock.run_for(60_000)
    assert len(gateway.sockets) == 1


def test_an_announced_restart_is_waited_for(gateway: Gateway) -> None:
    """The server spreads its clients: each comes back when it was told, neither sooner nor much later."""
    gateway.send({"action": "reconnect", "after_ms": 8_000, "reason": "restart"})
    gateway.page.evaluate("0")
    gateway.lose(1012)
    gateway.page.clock.run_for(6_000)
    assert len(gateway.sockets) == 1
    gateway.page.clock.run_for(3_000)
    gateway.until(lambda: len(gateway.sockets) == 2)


def test_a_ticket_that_ends_is_renewed_on_the_socket(gateway: Gateway) -> None:
    """The rooms go on where they are; a renewal that is refused leaves it to the next connection."""
    gateway.open_room()
    gateway.send({"action": "expiring", "expires_in_ms": 60_000})
    renewal = gateway.expect("authenticate", 2)
    assert renewal == {"uuid": "renew", "action": "authenticate", "ticket": "ticket-2"}
    gateway.send(message(4))
    gateway.until(lambda: gateway.applied() == [4])
    gateway.is_answering = False
    gateway.send({"action": "expiring", "expires_in_ms": 60_000})
    gateway.send(refusal(gateway.expect("authenticate", 3), "invalid_token"))
    gateway.send(message(5))
    gateway.until(lambda: gateway.applied() == [4, 5])
    assert (gateway.state(), len(gateway.sockets)) == ("online", 1)
    gateway.is_answering = True
    gateway.lose(4402)
    gateway.page.clock.run_for(1_000)
    gateway.connected(2)
    assert gateway.expect("authenticate", 4)["ticket"] == "ticket-4"


def test_tries_become_rarer_up_to_ten_seconds(gateway: Gateway) -> None:
    """Full jitter under a ceiling that doubles from half a second: here always half of it."""
    delays = []
    for number in range(8):
        loss = gateway.lose(1013)
        delays.append(loss["delayMs"])
        gateway.page.clock.fast_forward(11_000)
        gateway.connected(number + 2)
    assert delays == pytest.approx([250, 500, 1000, 2000, 4000, 5000, 5000, 5000])


def test_a_silent_link_is_given_up_within_ten_seconds(gateway: Gateway) -> None:
    """A ping after some silence, and no word after it: the socket may be dead without knowing it."""
    gateway.page.clock.run_for(10_000)
    gateway.expect("ping")
    gateway.until(lambda: len(gateway.sockets) == 2 or gateway.state() == "waiting")


def test_what_the_browser_says_of_the_network_counts_at_once(gateway: Gateway) -> None:
    """No waiting for pings when it goes, none for the next try when it is back."""
    gateway.page.context.set_offline(True)
    gateway.until(lambda: gateway.state() == "waiting")
    gateway.page.evaluate("Math.random = () => 1")
    gateway.page.context.set_offline(False)
    gateway.connected(2)


def test_a_page_that_is_looked_at_again_tries_at_once(gateway: Gateway) -> None:
    """A phone wakes up: its timers stood still, so what it shows may be old."""
    gateway.lose(1013)
    gateway.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    gateway.connected(2)
    gateway.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    gateway.expect("ping")


def test_somebody_may_have_it_tried_now(gateway: Gateway) -> None:
    """The pause is for crowds; one person's click goes before it."""
    gateway.lose(1013)
    gateway.page.evaluate("client.retry()")
    gateway.connected(2)


@pytest.mark.parametrize("year", [1990, 2090])
def test_a_clock_that_is_set_stops_nothing(gateway: Gateway, year: int) -> None:
    """Pings, repeats and deadlines go by a clock that only grows."""
    gateway.page.clock.run_for(2_000)
    gateway.page.clock.set_system_time(f"{year}-01-01")
    gateway.page.clock.run_for(4_000)
    gateway.send(success(gateway.expect("ping")) | {"time_ms": 0})
    uuid = gateway.say("one")
    gateway.until(lambda: gateway.sent() == [uuid])
    for number in range(2, 6):
        gateway.page.clock.run_for(5_500)
        gateway.send(success(gateway.expect("ping", number)) | {"time_ms": 0})
    gateway.until(lambda: gateway.sent() == [uuid, uuid])
    assert (len(gateway.sockets), gateway.losses()) == (1, []), "each pong is a sign of life"


def test_a_clock_set_back_keeps_the_order_over_a_reload(gateway: Gateway) -> None:
    """What was typed first is sent first by the next page too, under the same uuid, and then forgotten."""
    gateway.lose(1013)
    first = gateway.say("one")
    gateway.page.clock.set_system_time("1990-01-01")
    second = gateway.say("two")
    gateway.page.reload()
    gateway.page.evaluate(START)
    gateway.until(lambda: gateway.sent() == [first])
    gateway.send(message(4, uuid=first))
    gateway.until(lambda: gateway.sent() == [first, second])
    gateway.send(message(5, uuid=second))
    gateway.until(lambda: gateway.page.evaluate("localStorage.length") == 0)


def test_a_refused_ticket_is_told(gateway: Gateway) -> None:
    """Trying goes on, and the state says what the server answered."""
    gateway.is_answering = False
    gateway.lose(1013)
    gateway.page.clock.fast_forward(1_000)
    gateway.send(refusal(gateway.expect("authenticate", 2), "invalid_token"))
    gateway.until(lambda: len(gateway.losses()) == 2)
    assert gateway.losses()[1]["reason"] == "invalid_token"
