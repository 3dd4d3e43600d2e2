"""Bad input against real processes: a named error or the right close code, and neighbours who chat on.

One stack for all; the neighbours sit in the room that is abused, on the same gateway and worker. The tables
are in `bad_inputs.py` and its three companions; `abuse.py` says how an outcome is named.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from functools import partial
from uuid import uuid4

import pytest

from tests.abuse.inputs import bad_frames, bad_inputs, bad_states, bad_values
from tests.abuse.inputs.bad_inputs import BadInput, frame
from tests.abuse.inputs.neighbours import Neighbours
from tests.abuse.inputs.provoking import AFTER, AT_ONCE, Place, close_of, next_of, provoke, sign_in
from tests.harness.raw import PING, TEXT, Closed, RawSocket, text
from tests.harness.raw import frame as raw_frame
from tests.harness.stack import UNHURRIED, User, build_stack
from tests.harness.stack_databases import Databases
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.stack
Groups = dict[str, Callable[[], Iterator[BadInput]]]
AT_THE_GATEWAY: Groups = {
    group.__name__: group
    for group in (
        bad_inputs.documents,
        bad_inputs.damaged_frames,
        bad_inputs.impossible_values,
        bad_inputs.wrong_names,
        bad_inputs.unknown_actions,
        bad_values.wrong_values,
        bad_values.missing_keys,
        bad_values.bad_texts,
        bad_frames.broken_frames,
        bad_frames.closings,
        bad_frames.lenient,
        bad_frames.invalid_texts,
        bad_frames.sizes,
        bad_frames.odd_but_good_frames,
        bad_frames.handshakes,
        bad_frames.broken_requests,
    )
}
"""What never reaches a worker, and is the same for every database."""
AT_THE_DATABASE: Groups = {
    group.__name__: group
    for group in (
        bad_states.wrong_states,
        bad_states.conflicts,
        bad_states.strangers,
        bad_states.odd_but_good,
    )
}
on_one_database = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One gateway and one worker, eight abusers, and two neighbours who chat until the last test is over."""
    stack = build_stack(tmp_path_factory.mktemp("abused") / "stack", databases, environ=UNHURRIED)
    try:
        stack.start()
        one, other, stranger, *abusers = stack.make_users(3 + AT_ONCE)
        room, foreign = stack.make_rooms([[one, other, *abusers], [one, other]])
        direct = stack.make_rooms([[abuser, one] for abuser in abusers], kind="direct")
        words = {
            "@room@": room.id,
            "@ROOM@": room.id.upper(),
            "@other@": foreign.id,
            "@member@": str(one.id),
            "@stranger@": str(stranger.id),
            "@host@": stack.websocket().split("/")[2],
            "@epoch@": stack.sql("SELECT epoch FROM roomlog_install")[0][0],
            "@message@": str(asyncio.run(_speak(stack.websocket(), one, foreign.id))),
        }
        neighbours = Neighbours(stack.websocket(), room, (one, other))
        neighbours.start()
        rooms = {user: own.id for user, own in zip(abusers, direct, strict=True)}
        yield Place(stack, neighbours, abusers, words, rooms)
        neighbours.stop()
    finally:
        assert stack.close() == []


@pytest.fixture(autouse=True)
def _undisturbed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does to the stack, the neighbours chat on."""
    yield
    if "place" in request.fixturenames:
        request.getfixturevalue("place").neighbours.assert_chatting()


async def _speak(url: str, user: User, room: str) -> int:
    """Say something in a room and return the message's id."""
    async with RawSocket(url) as socket:
        await sign_in(socket, user)
        await socket.write(text(frame("new_message", {"room": f'"{room}"', "text": '"before"'})))
        answer = await next_of(socket, user)
        assert not isinstance(answer, Closed)
        return int(answer["message"]["id"])


# -- the tables -------------------------------------------------------------------------------------


@on_one_database
@pytest.mark.parametrize("group", AT_THE_GATEWAY)
def test_bad_input_is_refused_by_its_name(place: Place, group: str) -> None:
    """Every input of the group has exactly the outcome that its table says, and the neighbours chat on."""
    check(place, list(AT_THE_GATEWAY[group]()))


@pytest.mark.parametrize("group", AT_THE_DATABASE)
def test_what_the_database_says_is_answered_by_its_name(place: Place, group: str) -> None:
    """The same for commands that only a worker can refuse, on both databases."""
    check(place, list(AT_THE_DATABASE[group]()))


def check(place: Place, cases: list[BadInput]) -> None:
    """Fail with every case that had another outcome."""
    outcomes = asyncio.run(provoke(place, cases))
    wrong = [
        f"{case.name}: {outcome}, not {case.expected}"
        for case, outcome in zip(cases, outcomes, strict=True)
        if outcome != case.expected
    ]
    assert not wrong, "\n".join(wrong)


def test_there_are_enough_of_them() -> None:
    """At least 1,200 kinds, each with a name of its own."""
    groups = AT_THE_GATEWAY | AT_THE_DATABASE
    names = [(group, case.name) for group, cases in groups.items() for case in cases()]
    assert len(names) >= 1_200
    assert len(set(names)) == len(names)


# -- what takes more than one frame -----------------------------------------------------------------


@on_one_database
async def test_three_invalid_tokens_close_with_4401(place: Place) -> None:
    """Each is answered; the third is the last, whatever follows it."""
    user = place.abusers[0]
    async with RawSocket(place.url) as socket:
        await socket.open()
        for _ in range(3):
            await socket.write(text(frame("authenticate", {"token": '"guess"'})))
            reply = await next_of(socket, user)
            assert not isinstance(reply, Closed)
            assert reply["error_code"] == "invalid_token"
        assert await close_of(socket, user) == ([], 4401)


@on_one_database
@pytest.mark.parametrize("is_stranger", [True, False])
async def test_a_flood_of_commands_is_answered_then_closed_with_1008(place: Place, is_stranger: bool) -> None:
    """Forty pass, two hundred are refused one by one, then the connection is closed."""
    user = place.abusers[0]
    async with RawSocket(place.url) as socket:
        await (socket.open() if is_stranger else sign_in(socket, user))
        await socket.write(text(frame("ping")) * 2_000)
        errors, code = await close_of(socket, user)
        assert code == 1008
        assert 200 <= len(errors) < 400
        assert set(errors) == {"rate_limited"}


async def test_a_flood_of_messages_is_answered_then_closed_with_1008(place: Place) -> None:
    """What passes is stored and delivered, the rest is refused; nobody else waits for it."""
    user = place.abusers[1]
    uuids = [f'"{uuid4().hex}"' for _ in range(1_000)]
    messages = [frame("new_message", {"uuid": uuid, "text": '"flood"'}) for uuid in uuids]
    async with RawSocket(place.url) as socket:
        await sign_in(socket, user)
        filled = [place.fill(message, user) for message in messages]
        await socket.write(b"".join(map(text, filled)))
        errors, code = await close_of(socket, user)
        assert code == 1008
        assert set(errors) <= {"rate_limited", "busy"}


@on_one_database
@pytest.mark.parametrize("opcode", [PING, TEXT])
async def test_a_flood_of_frames_is_closed_with_1008(place: Place, opcode: int) -> None:
    """Pings are counted like commands; refused commands like good ones."""
    user = place.abusers[2]
    async with RawSocket(place.url) as socket:
        await sign_in(socket, user)
        payload = b"x" * 100 if opcode == PING else b'{"uuid": "x", "action": "x"}'
        await socket.write(raw_frame(opcode, payload) * 2_000)
        _, code = await close_of(socket, user)
        assert code == 1008


@on_one_database
async def test_the_eleventh_connection_of_a_user_is_refused(place: Place) -> None:
    """It is told why and closed with 1008; the ten go on."""
    user = place.abusers[3]
    sockets = [RawSocket(place.url) for _ in range(11)]
    for socket in sockets:
        await socket.__aenter__()
    try:
        for socket in sockets[:10]:
            await sign_in(socket, user)
        reading = [asyncio.create_task(next_of(socket, user)) for socket in sockets[:10]]  # answers pings
        await sockets[10].open()
        await sockets[10].write(text(frame("authenticate", {"token": f'"{user.token}"'})))
        assert await close_of(sockets[10], user) == (["too_many_connections"], 1008)
        for socket in sockets[:10]:
            await socket.write(text(AFTER))
        assert Closed(None) not in await asyncio.gather(*reading)
    finally:
        for socket in sockets:
            await socket.__aexit__()


async def _silent(place: Place, start: bytes, drops: bytes) -> int | None:
    """Open, send a start, then a byte now and then, and return the close code."""
    async with RawSocket(place.url) as socket:
        await socket.open()
        await socket.write(start)
        closing = asyncio.create_task(close_of(socket, place.abusers[4]))
        for drop in drops:
            await asyncio.wait([closing], timeout=0.3)
            await socket.write(bytes([drop]))
        return (await closing)[1]


@on_one_database
async def test_who_does_not_authenticate_is_closed_with_4408(place: Place) -> None:
    """Silence, pings, half a frame and a frame that dribbles in all end after five seconds."""
    login = text(place.fill(frame("authenticate"), place.abusers[4]))
    closings = await asyncio.gather(
        _silent(place, b"", b""),
        _silent(place, text(frame("ping")), b""),
        _silent(place, login[:20], b""),
        _silent(place, b"", login),
        _silent(place, text(frame("list_rooms")), b""),
    )
    assert set(closings) == {4408}


@on_one_database
async def test_who_leaves_without_a_word_is_forgotten(place: Place) -> None:
    """Sockets that are cut at every stage leave no connection behind."""
    request = place.fill("GET /ws HTTP/1.1\r\nHost: @host@\r\nUpg", place.abusers[5]).encode()
    for stage in range(5):
        for _ in range(10):
            async with RawSocket(place.url) as socket:
                if stage == 1:
                    await socket.write(request)
                elif stage == 2:
                    await socket.open()
                elif stage >= 3:
                    await sign_in(socket, place.abusers[5])
                if stage == 4:
                    await socket.write(text(frame("ping"))[:9])
                socket.cut()
    open_connections = partial(_metric, place, "roomlog_gateway_connections")
    await asyncio.to_thread(wait_until, lambda: open_connections() == 2, 10.0, "only the neighbours are left")


def _metric(place: Place, name: str) -> float:
    return place.stack.metrics("gateway-0").total(name)


# -- afterwards -------------------------------------------------------------------------------------


def test_nothing_of_it_was_stored(place: Place) -> None:
    """No refused text, no room, no member, no dead letter; and every log is without a gap."""
    sql = place.stack.sql
    assert sql("SELECT count(*) FROM roomlog_roomevent WHERE text = %s", "never stored") == [(0,)]
    assert sql("SELECT count(*) FROM roomlog_chatroom WHERE name = %s", "never made") == [(0,)]
    assert sql("SELECT count(*) FROM roomlog_membership") == [(2 + AT_ONCE + 2 + 2 * AT_ONCE,)]
    assert sql("SELECT count(*) FROM roomlog_deadletter") == [(0,)]
    logs = sql("SELECT count(DISTINCT seq), max(seq), min(seq) FROM roomlog_roomevent GROUP BY room_id")
    assert [log for log in logs if log[0] != log[1] or log[2] != 1] == []


def test_no_log_has_a_traceback_an_error_or_a_word_of_it(place: Place) -> None:
    """Nobody must look at anything; no text and no token is in any log."""
    place.stack.assert_no_traceback()
    for name, log in place.stack.logs().items():
        entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        assert [entry for entry in entries if entry.get("level") in ("error", "critical")] == [], name
        secrets = ["never stored", "hello", *(user.token for user in place.abusers)]
        assert [word for word in secrets if word in log] == [], name


@on_one_database
def test_nobody_was_closed_with_1011(place: Place) -> None:
    """The gateway counted its closings, and "internal error" is none of them."""
    closings = place.stack.metrics("gateway-0")
    assert closings.total("roomlog_gateway_closed_total") > 0
    assert closings.total("roomlog_gateway_closed_total", code="1011") == 0
    assert closings.total("roomlog_gateway_closed_total", code="1001") == 0
