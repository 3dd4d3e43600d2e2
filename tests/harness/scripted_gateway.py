"""A gateway that says what a test says, for clients/web in a real browser.

Beside the message's way. It answers authenticate by itself; everything else is the test's.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute

import roomlog

WEB: Final = Path(roomlog.__file__).with_name("static") / "roomlog"
ORIGIN: Final = "http://roomlog.test"
ROOM: Final = "a" * 32
DEADLINE_SECONDS: Final = 10.0
POLL_MS: Final = 20
AHEAD_SECONDS: Final = 2.0
"""The page's clock stops at a time that can't have passed meanwhile, sooner than the first ping."""
ME: Final = {"id": 7, "username": "alice"}
START: Final = """async () => {
  const { Roomlog } = await import("/roomlog.js");
  Object.assign(window, { seen: [], tickets: 0 });
  window.client = new Roomlog({
    url: "ws://roomlog.test/ws",
    ticket: async () => `ticket-${++window.tickets}`,
    userId: 7,
    storage: localStorage,
    storagePrefix: "outbox-7:",
  });
  for (const name of ["state", "snapshot", "event", "settled", "refused"])
    client.addEventListener(name, ({ detail }) => {
      seen.push([name, { ...JSON.parse(JSON.stringify(detail)) }]);
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
        self.is_answering = True
        """Unset, the answer to authenticate is the test's."""
        self.sockets: list[WebSocketRoute] = []
        self.frames: list[dict[str, Any]] = []
        page.route("**/*", _serve)
        page.route_web_socket("ws://roomlog.test/ws", self._accept)

    def _accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self._received(socket, json.loads(text)))

    def _received(self, socket: WebSocketRoute, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        if frame["action"] == "authenticate" and self.is_answering:
            room = {"id": ROOM, "name": "lobby", "kind": "group", "read_seq": 0, "unread": 0} | self.head
            socket.send(json.dumps(success(frame) | {"user": ME, "rooms": [room]}))

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
        return until(self.page, condition, lambda: f"frames {self.frames}")

    def state(self) -> str:
        """Return the client's state."""
        return str(self.page.evaluate("client.state"))

    def open_room(self) -> None:
        """Have the room shown, from its head on."""
        self.page.evaluate("room => client.open(room)", ROOM)
        asked = self.expect("select_room")
        self.send(success(asked) | {"room": ROOM, "room_messages": []} | self.head)
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
        """Return how long the client said that it would wait, each time."""
        return [detail for detail in self.seen("state") if detail["state"] == "waiting"]

    def _of(self, action: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["action"] == action]


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(ORIGIN).lstrip("/")
    if name:
        route.fulfill(path=WEB / name, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>test</title>", content_type="text/html")


def success(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the beginning of an answer to this frame."""
    return {"uuid": frame["uuid"], "action": frame["action"], "status": "success"}


def refusal(frame: dict[str, Any], code: str, **more: Any) -> dict[str, Any]:
    """Return an error that answers this frame."""
    facts = {"uuid": frame["uuid"], "action": frame["action"], "status": "error"}
    return facts | {"error_code": code, "error_message": code} | more


@pytest.fixture
def gateway(browser: Browser) -> Iterator[Gateway]:
    """A page with a connected client; its time stands still until the test moves it."""
    context = browser.new_context()
    page = context.new_page()
    scripted = Gateway(page)
    page.clock.install()
    page.goto(ORIGIN)
    page.evaluate("Math.random = () => 0.5")
    page.evaluate(START)
    scripted.until(lambda: scripted.state() == "online")
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + AHEAD_SECONDS)
    yield scripted
    context.close()


def until(page: Page, condition: Callable[[], Any], facts: Callable[[], str] = str) -> Any:
    """Return the condition's first true value, while playwright carries frames of the page."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"never happened; {facts()}"
        page.wait_for_timeout(POLL_MS)
    return value
