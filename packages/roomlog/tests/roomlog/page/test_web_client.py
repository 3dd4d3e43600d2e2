"""The browser's client, clients/web/roomlog.js, in a real browser: events and commands."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route

from tests.harness.scripted_gateway import ME, ROOM, Gateway, message, refusal, success


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
    gateway.send(success(asked) | page | {"seq": 5, "events": [message(4), message(5)], "more": True})
    asked = gateway.expect("select_room", 3)
    assert asked["since"] == {"epoch": "e1", "seq": 5}
    gateway.send(success(asked) | page | {"seq": 7, "events": [message(6), message(7)], "more": False})
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
    gateway.send(success(asked) | {"room": ROOM, "epoch": "e2", "seq": 1, "room_messages": []})
    gateway.until(lambda: len(gateway.seen("snapshot")) == 2)
    gateway.send(message(2, epoch="e2"))
    gateway.until(lambda: gateway.applied() == [2])


def test_a_page_of_another_log_is_not_continued(gateway: Gateway) -> None:
    """A restore between question and answer: nothing of the page is applied, the room is read afresh."""
    gateway.open_room()
    gateway.send({"action": "sync_required", "rooms": [ROOM]})
    asked = gateway.expect("select_room", 2)
    page = {"room": ROOM, "epoch": "e2", "seq": 4, "events": [message(4, epoch="e2")], "more": False}
    gateway.send(success(asked) | page)
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


def test_a_message_is_pinned_and_unpinned(gateway: Gateway) -> None:
    """By its id, as a command of the outbox; the pinned ones are asked for without it."""
    gateway.page.evaluate("room => { client.pinMessage(room, 41); client.unpinMessage(room, 41); }", ROOM)
    for action in ("pin_message", "unpin_message"):
        frame = gateway.expect(action)
        assert frame == {"uuid": frame["uuid"], "action": action, "room": ROOM, "message": 41}
        gateway.send(success(frame) | {"room": ROOM, "epoch": "e1", "seq": 4, "user": ME})
    gateway.until(lambda: gateway.page.evaluate("client.outbox.length") == 0)
    gateway.page.evaluate("room => { client.request('list_pins', { room }); }", ROOM)
    assert gateway.expect("list_pins")["room"] == ROOM


def test_the_answer_to_authenticate_may_take_several_frames(gateway: Gateway) -> None:
    """The client is online with the last; what a lost connection began to say is forgotten."""
    gateway.open_room()
    gateway.is_answering = False
    for number, rooms in ((2, "bc"), (3, "dea")):
        gateway.lose(1001)
        gateway.page.clock.fast_forward(1_000)
        *parts, last = [answer(gateway.expect("authenticate", number), room * 32) for room in rooms]
        for part in parts:
            gateway.send(part | {"more": True})
        gateway.page.evaluate("0")
        assert gateway.state() == "connecting"
        assert gateway.page.evaluate("[...client.rooms.keys()]") == ["a" * 32]
    gateway.send(last | {"more": False})
    gateway.until(lambda: gateway.state() == "online")
    assert gateway.page.evaluate("[...client.rooms.keys()]") == ["d" * 32, "e" * 32, "a" * 32]


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
    gateway.send(refusal(gateway.expect("new_message"), "busy", retry_after_ms=5_000))
    gateway.page.clock.run_for(4_000)
    assert gateway.sent() == [uuid]
    gateway.page.clock.run_for(2_000)
    gateway.until(lambda: gateway.sent() == [uuid, uuid])


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


def answer(frame: dict[str, Any], room: str) -> dict[str, Any]:
    """Return an answer to authenticate with one room."""
    summary = {"id": room, "name": "", "kind": "group", "read_seq": 0, "unread": 0, "epoch": "e1", "seq": 3}
    return success(frame) | {"user": ME, "rooms": [summary]}


def test_who_moderates_has_a_method_for_each_action(gateway: Gateway) -> None:
    """They wait in the outbox like all that becomes an event; an end that is left out is null."""
    gateway.open_room()
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "set_role": ("setRole(room, 3, 'reader')", {"role": "reader"}),
        "mute_user": ("muteUser(room, 3, 1796000000)", {"until": 1_796_000_000}),
        "unmute_user": ("unmuteUser(room, 3)", {}),
        "ban_user": ("banUser(room, 3)", {"until": None}),
        "unban_user": ("unbanUser(room, 3)", {}),
    }
    for action, (call, facts) in calls.items():
        uuid = gateway.page.evaluate(f"room => client.{call}", ROOM)
        asked = gateway.expect(action)
        assert asked == {"uuid": uuid, "action": action, "room": ROOM, "user": 3, **facts}
        gateway.send(refusal(asked, "forbidden"))


def test_whoever_joins_has_a_method(gateway: Gateway) -> None:
    """A token goes with the command; open rooms and the room behind a token are asked of the api."""
    gateway.open_room()
    calls: list[tuple[str, dict[str, Any]]] = [
        ("joinRoom(room, 'secret')", {"action": "join_room", "invitation": "secret"}),
        ("setDiscoverable(room, false)", {"action": "set_discoverable", "discoverable": False}),
    ]
    for call, facts in calls:
        uuid = gateway.page.evaluate(f"room => client.{call}", ROOM)
        asked = gateway.expect(facts["action"])
        assert asked == {"uuid": uuid, "room": ROOM, **facts}
        gateway.send(refusal(asked, "forbidden"))
    found: dict[str, Any] = {"rooms": [], "next": None}
    gateway.page.route("**/api/v1/rooms/discoverable/?q=tea", lambda route: route.fulfill(json=found))
    gateway.page.route("**/api/v1/invitation/", lambda route: route.fulfill(status=404))
    assert gateway.page.evaluate("() => client.findRooms({ q: 'tea' })") == found
    assert gateway.page.evaluate("() => client.door('guess')") is None


def test_a_search_asks_the_api(gateway: Gateway) -> None:
    """A page of what was found; each refusal and silence is an error that a program can tell."""
    asked: list[dict[str, list[str]]] = []
    answers: list[dict[str, Any] | None] = [
        {"json": {"messages": [{"seq": 3}], "next": "77"}},
        {"status": 429, "headers": {"Retry-After": "41"}},
        {"status": 403},
        {"status": 503},
        None,
    ]

    def fulfil(route: Route) -> None:
        asked.append(parse_qs(urlsplit(route.request.url).query))
        answer = answers.pop(0)
        if answer is None:
            route.abort()
        else:
            route.fulfill(**answer)

    gateway.page.route("**/api/v1/search/**", fulfil)
    call = """async query => {
      const { SignedOut, Throttled, Unreachable } = await import("/roomlog.js");
      const kinds = { SignedOut, Throttled, Unreachable };
      const name = (error) => Object.keys(kinds).find((kind) => error instanceof kinds[kind]);
      return client.search(query).catch((error) => [name(error), error.retryAfterSeconds]);
    }"""
    said = [gateway.page.evaluate(call, {"text": "tea", "author": 8, "cursor": "9"}) for _ in range(5)]
    assert said[0] == {"messages": [{"seq": 3}], "next": "77"}
    assert said[1:] == [["Throttled", 41], ["SignedOut", None], ["Unreachable", None], ["Unreachable", None]]
    assert asked == 5 * [{"text": ["tea"], "author": ["8"], "cursor": ["9"]}]


def test_a_file_is_uploaded_for_a_message(gateway: Gateway) -> None:
    """To the room, with its name; each refusal is an error that a program can tell."""
    stored = {"id": "5" * 32, "name": "a.txt", "thumbnail": None}
    refused = {"error_code": "bad_value", "detail": "`file`: The file is empty."}
    answers: list[dict[str, Any] | None] = [
        {"status": 201, "json": stored},
        {"status": 400, "json": refused},
        {"status": 429, "headers": {"Retry-After": "41"}},
        {"status": 401},
        {"status": 503, "json": {"error_code": "busy", "detail": "later"}},
        None,
    ]
    bodies: list[bytes] = []

    def fulfil(route: Route) -> None:
        bodies.append(route.request.post_data_buffer or b"")
        answer = answers.pop(0)
        if answer is None:
            route.abort()
        else:
            route.fulfill(**answer)

    gateway.page.route("**/api/v1/attachments/", fulfil)
    call = """async room => {
      const { Refused, SignedOut, Throttled, Unreachable } = await import("/roomlog.js");
      const kinds = { Refused, SignedOut, Throttled, Unreachable };
      const name = (error) => Object.keys(kinds).find((kind) => error instanceof kinds[kind]);
      const { told } = client.upload(room, new File(["hello"], "a.txt"));
      return told.catch((error) => [name(error), error.code ?? error.message]);
    }"""
    said = [gateway.page.evaluate(call, ROOM) for _ in range(6)]
    assert said[0] == stored
    assert said[1] == ["Refused", "bad_value"]
    assert [kind for kind, _ in said[2:]] == ["Throttled", "SignedOut", "Unreachable", "Unreachable"]
    assert all(ROOM.encode() in body and b'filename="a.txt"' in body for body in bodies)
    address = f"/api/v1/attachments/{stored['id']}/"
    assert gateway.page.evaluate("id => client.fileAddress(id)", stored["id"]) == address
