"""The browser's client, clients/web/roomlog.js, in a real browser against a scripted gateway."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute

import roomlog_api
from tests.faults.browser import browser

__all__ = ["browser"]

WEB: Final = Path(roomlog_api.__file__).with_name("web")
ORIGIN: Final = "http://roomlog.test"
ROOM: Final = "a" * 32
DEADLINE_SECONDS: Final = 10.0
POLL_MS: Final = 20
ME: Final = {"id": 7, "username": "alice"}
START: Final = """async () => {
  const { Roomlog, SignedOut } = await import("/roomlog.js");
  Object.assign(window, { seen: [], tickets: 0, isSignedOut: false });
  window.client = new Roomlog({
    url: "ws://roomlog.test/ws",
    ticket: async () => {
      if (window.isSignedOut) throw new SignedOut();
      return `ticket-${++window.tickets}`;
    },
    storage: localStorage,
    storagePrefix: "outbox-7:",
  });
  for (const name of ["state", "snapshot", "event", "settled", "refused"])
    client.addEventListener(name, ({ detail }) => {
      seen.push([name, { ...JSON.parse(JSON.stringify(detail)), at: Date.now() }]);
    });
  client.start();
}"""


def message(seq: int, epoch: str = "e1", uuid: str = "", **more: Any) -> dict[str, Any]:
    """Return a new_message event."""
    body = {"id": seq, "seq": seq, "user": ME, "text": f"text {seq}"}
    facts = {"uuid": uuid or f"u{seq}", "action": "new_message", "status": "success"}
    return facts | {"room": ROOM, "epoch": epoch, "seq": seq, "message": body} | more


class Gateway:
    """Answers authenticate by itself; everything else is the test's."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.head = {"epoch": "e1", "seq": 3}
        self.rooms = True
        self.sockets: list[WebSocketRoute] = []
        self.frames: list[dict[str, Any]] = []
        page.route("**/*", _serve)
        page.route_web_socket("ws://roomlog.test/ws", self._accept)

    def _accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self._received(socket, json.loads(text)))

    def _received(self, socket: WebSocketRoute, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        if frame["action"] == "authenticate":
            room = {"id": ROOM, "name": "lobby", "kind": "group", "read_seq": 0, "unread": 0} | self.head
            answer = {"user": ME, "rooms": [room] if self.rooms else []}
            socket.send(json.dumps(_success(frame) | answer))

    def send(self, frame: dict[str, Any]) -> None:
        """Say something on the present connection."""
        self.sockets[-1].send(json.dumps(frame))

    def expect(self, action: str, number: int = 1) -> dict[str, Any]:
        """Return the number-th frame of this action, once it is there."""
        frame: dict[str, Any] = self.until(lambda: self._of(action)[number - 1 :])[0]
        return frame

    def seen(self, name: str) -> list[Any]:
        """Return what the application heard under this name."""
        heard: list[Any] = self.page.evaluate(
            "name => seen.filter(([n]) => n === name).map(([, d]) => d)", name
        )
        return heard

    def applied(self) -> list[int]:
        """Return the seqs that were handed to the application, in order."""
        return [detail["event"]["seq"] for detail in self.seen("event")]

    def until(self, condition: Callable[[], Any]) -> Any:
        """Return the condition's first true value."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (value := condition()):
            assert time.monotonic() < deadline, f"never happened; frames {self.frames}"
            self.page.wait_for_timeout(POLL_MS)  # playwright carries frames meanwhile
        return value

    def state(self) -> str:
        """Return the client's state."""
        return str(self.page.evaluate("client.state"))

    def open_room(self) -> None:
        """Have the room shown, from its head on."""
        self.page.evaluate("room => client.open(room)", ROOM)
        asked = self.expect("select_room")
        self.send(_success(asked) | {"room": ROOM, "room_messages": []} | self.head)
        self.until(lambda: self.seen("snapshot"))

    def say(self, text: str) -> str:
        """Have a message sent and return its uuid."""
        return str(
            self.page.evaluate("([room, text]) => client.send('new_message', { room, text })", [ROOM, text])
        )

    def sent(self) -> list[str]:
        """Return the uuids of all sendings of messages."""
        return [frame["uuid"] for frame in self._of("new_message")]

    def lose(self, code: int) -> dict[str, Any]:
        """Close the connection and return what the client says of its next try."""
        known = len(self.losses())
        self.sockets[-1].close(code=code)
        loss: dict[str, Any] = self.until(lambda: self.losses()[known:])[0]
        return loss

    def connected(self, number: int) -> None:
        """Wait for the number-th connection to be welcomed."""
        self.until(lambda: len(self.sockets) == number and self.state() == "online")

    def losses(self) -> list[dict[str, Any]]:
        """Return when the client began to wait for its next try, and until when."""
        return [detail for detail in self.seen("state") if detail["state"] == "waiting"]

    def _of(self, action: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["action"] == action]


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(ORIGIN).lstrip("/")
    if name:
        route.fulfill(path=WEB / name, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>test</title>", content_type="text/html")


def _success(frame: dict[str, Any]) -> dict[str, Any]:
    return {"uuid": frame["uuid"], "action": frame["action"], "status": "success"}


def _error(frame: dict[str, Any], code: str, **more: Any) -> dict[str, Any]:
    facts = {"uuid": frame["uuid"], "action": frame["action"], "status": "error"}
    return facts | {"error_code": code, "error_message": code} | more


@pytest.fixture
def gateway(browser: Browser) -> Iterator[Gateway]:
    """A page with a connected client; time stands at the test's word."""
    context = browser.new_context()
    page = context.new_page()
    scripted = Gateway(page)
    page.clock.install()
    page.goto(ORIGIN)
    page.evaluate("Math.random = () => 0.5")
    page.evaluate(START)
    scripted.until(lambda: scripted.state() == "online")
    yield scripted
    context.close()


def test_events_are_handed_on_once_and_in_order(gateway: Gateway) -> None:
    """What was seen already is ignored, whoever repeats it."""
    gateway.open_room()
    for seq in (4, 4, 3, 5):
        gateway.send(message(seq))
    gateway.until(lambda: gateway.applied() == [4, 5])


def test_a_gap_is_asked_for_and_filled(gateway: Gateway) -> None:
    """Nothing above the gap is handed on before what is missing, however many pages that takes."""
    gateway.open_room()
    gateway.send(message(7))
    asked = gateway.expect("select_room", 2)
    assert asked["since"] == {"epoch": "e1", "seq": 3}
    page = {"room": ROOM, "epoch": "e1"}
    gateway.send(_success(asked) | page | {"seq": 5, "events": [message(4), message(5)], "more": True})
    asked = gateway.expect("select_room", 3)
    assert asked["since"] == {"epoch": "e1", "seq": 5}
    gateway.send(_success(asked) | page | {"seq": 7, "events": [message(6), message(7)], "more": False})
    gateway.send(message(8))
    gateway.until(lambda: gateway.applied() == [4, 5, 6, 7, 8])


@pytest.mark.parametrize(
    "hint",
    [
        {"action": "heads", "rooms": {ROOM: {"epoch": "e1", "seq": 4}}},
        {"action": "sync_required", "rooms": [ROOM]},
    ],
)
def test_a_lost_last_event_is_asked_for(gateway: Gateway, hint: dict[str, Any]) -> None:
    """Without a later event only the server can tell; the client asks from its cursor."""
    gateway.open_room()
    gateway.send(hint)
    assert gateway.expect("select_room", 2)["since"] == {"epoch": "e1", "seq": 3}


@pytest.mark.parametrize(
    "hint",
    [
        {"action": "reset", "room": ROOM, "epoch": "e2"},
        {"action": "heads", "rooms": {ROOM: {"epoch": "e2", "seq": 1}}},
        message(1, epoch="e2"),
    ],
)
def test_another_log_is_read_afresh(gateway: Gateway, hint: dict[str, Any]) -> None:
    """After a restore no cursor counts: the room's state is replaced, not continued."""
    gateway.open_room()
    gateway.send(hint)
    asked = gateway.expect("select_room", 2)
    assert "since" not in asked
    gateway.send(_success(asked) | {"room": ROOM, "epoch": "e2", "seq": 1, "room_messages": []})
    gateway.until(lambda: len(gateway.seen("snapshot")) == 2)
    gateway.send(message(2, epoch="e2"))
    gateway.until(lambda: gateway.applied() == [2])


def test_a_page_of_another_log_is_not_continued(gateway: Gateway) -> None:
    """A restore between question and answer: nothing of the page is applied, the room is read afresh."""
    gateway.open_room()
    gateway.send({"action": "sync_required", "rooms": [ROOM]})
    asked = gateway.expect("select_room", 2)
    page = {"room": ROOM, "epoch": "e2", "seq": 4, "events": [message(4, epoch="e2")], "more": False}
    gateway.send(_success(asked) | page)
    assert "since" not in gateway.expect("select_room", 3)
    assert gateway.applied() == []


def test_a_lost_connection_is_resumed_from_the_cursor(gateway: Gateway) -> None:
    """The next connection has a new ticket and says how far the client is."""
    gateway.open_room()
    gateway.send(message(4))
    gateway.until(lambda: gateway.applied() == [4])
    gateway.lose(1001)
    gateway.page.clock.fast_forward(1_000)
    again = gateway.expect("authenticate", 2)
    assert (again["ticket"], again["cursors"]) == ("ticket-2", {ROOM: {"epoch": "e1", "seq": 4}})


def test_an_unanswered_message_is_repeated_under_its_name(gateway: Gateway) -> None:
    """Unknown is not failed: the same uuid goes out again, before anything younger of the room."""
    first, second = gateway.say("one"), gateway.say("two")
    gateway.until(lambda: gateway.sent() == [first])
    gateway.lose(1012)
    gateway.page.clock.fast_forward(1_000)
    gateway.until(lambda: gateway.sent() == [first, first])
    gateway.send(message(4, uuid=first))
    gateway.until(lambda: gateway.sent() == [first, first, second])
    assert [detail["command"]["uuid"] for detail in gateway.seen("settled")] == [first]


def test_silence_is_no_answer(gateway: Gateway) -> None:
    """After 15 s without a word the same uuid is sent again on the same connection."""
    uuid = gateway.say("one")
    gateway.until(lambda: gateway.sent() == [uuid])
    gateway.page.clock.run_for(14_000)
    assert gateway.sent() == [uuid]
    gateway.page.clock.run_for(3_000)
    gateway.until(lambda: gateway.sent() == [uuid, uuid])


def test_a_busy_server_is_asked_again_when_it_says(gateway: Gateway) -> None:
    """`busy` means not accepted: the message waits as long as it was told, under the same uuid."""
    uuid = gateway.say("one")
    gateway.send(_error(gateway.expect("new_message"), "busy", retry_after_ms=5_000))
    gateway.page.clock.run_for(4_000)
    assert gateway.sent() == [uuid]
    gateway.page.clock.run_for(2_000)
    gateway.until(lambda: gateway.sent() == [uuid, uuid])


def test_a_definite_refusal_ends_a_message(gateway: Gateway) -> None:
    """It is told to the application and not repeated; the next one goes."""
    first, second = gateway.say("one"), gateway.say("two")
    gateway.send(_error(gateway.expect("new_message"), "muted", room=ROOM))
    gateway.until(lambda: gateway.sent() == [first, second])
    (refusal,) = gateway.seen("refused")
    assert (refusal["command"]["uuid"], refusal["code"]) == (first, "muted")


def test_an_answer_to_a_repeat_is_no_event(gateway: Gateway) -> None:
    """`duplicate` settles the command; the event itself comes by the log, and only from there."""
    gateway.open_room()
    uuid = gateway.say("one")
    gateway.until(lambda: gateway.sent() == [uuid])
    gateway.send(message(4, uuid=uuid, duplicate=True))
    gateway.until(lambda: gateway.seen("settled"))
    assert gateway.applied() == []
    gateway.send(message(4, uuid=uuid))
    gateway.until(lambda: gateway.applied() == [4])


def test_what_waits_survives_a_reload(gateway: Gateway) -> None:
    """A closed tab loses nothing: the next page sends it, under the same uuid, and then forgets it."""
    uuid = gateway.say("one")
    gateway.until(lambda: gateway.sent() == [uuid])
    gateway.page.reload()
    gateway.page.evaluate(START)
    gateway.until(lambda: gateway.sent() == [uuid, uuid])
    gateway.send(message(4, uuid=uuid))
    gateway.until(lambda: gateway.page.evaluate("localStorage.length") == 0)


@pytest.mark.parametrize("code", [4401, 4403])
def test_who_was_cut_off_stays_away(gateway: Gateway, code: int) -> None:
    """Unauthenticated or revoked: the same would happen again."""
    gateway.sockets[-1].close(code=code)
    gateway.until(lambda: gateway.state() == "ended")
    gateway.page.clock.run_for(60_000)
    assert len(gateway.sockets) == 1


def test_who_is_signed_out_stays_away(gateway: Gateway) -> None:
    """Without a ticket there is nothing to try."""
    gateway.page.evaluate("window.isSignedOut = true")
    gateway.lose(1001)
    gateway.page.clock.fast_forward(1_000)
    gateway.until(lambda: gateway.state() == "ended")


def test_an_announced_restart_is_waited_for(gateway: Gateway) -> None:
    """The server spreads its clients: each comes back when it was told, neither sooner nor much later."""
    gateway.send({"action": "reconnect", "after_ms": 8_000, "reason": "restart"})
    gateway.page.evaluate("0")
    gateway.lose(1012)
    gateway.page.clock.run_for(6_000)
    assert len(gateway.sockets) == 1
    gateway.page.clock.run_for(3_000)
    gateway.until(lambda: len(gateway.sockets) == 2)


def test_tries_become_rarer_up_to_ten_seconds(gateway: Gateway) -> None:
    """Full jitter under a ceiling that doubles from half a second: here always half of it."""
    delays = []
    for number in range(8):
        loss = gateway.lose(1013)
        delays.append(loss["retryAt"] - loss["at"])
        gateway.page.clock.fast_forward(11_000)
        gateway.connected(number + 2)
    assert delays == pytest.approx([250, 500, 1000, 2000, 4000, 5000, 5000, 5000], abs=50)


def test_a_silent_link_is_given_up(gateway: Gateway) -> None:
    """A ping every 25 s without any word in 10 s: the socket may be dead without knowing it."""
    gateway.page.clock.run_for(27_000)
    gateway.expect("ping")
    gateway.page.clock.run_for(12_000)
    gateway.until(lambda: len(gateway.sockets) == 2)


def test_the_outbox_has_a_bound(gateway: Gateway) -> None:
    """The hundred-and-first waiting message is refused at once, to the one who typed it."""
    for number in range(100):
        gateway.say(str(number))
    refused = gateway.page.evaluate(
        """room => {
          try { client.send("new_message", { room, text: "x" }); } catch (error) { return error.message; }
        }""",
        ROOM,
    )
    assert refused == "too many messages wait"
