"""Subscriptions: what is confirmed, what is made again, what a confirmation is worth."""

import asyncio

import pytest

from roomlog_gateway.errors import NotSubscribed
from roomlog_gateway.redis.subscriber import Subscriber


class NoLink:
    """A link that remembers what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.cuts = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def cut(self) -> None:
        self.cuts += 1


class Spoken:
    """A subscriber whose Redis is the test."""

    def __init__(self) -> None:
        self.resubscribed = 0
        self.payloads: list[bytes] = []
        self.link = NoLink()
        self.subscriber = Subscriber("redis://127.0.0.1:1/0", lambda: 0.0, self._on_resubscribed)
        self.subscriber.link = self.link  # type: ignore[assignment]

    def subscribe(self, *channels: str) -> "asyncio.Task[None]":
        handlers = dict.fromkeys(channels, self.payloads.append)
        return asyncio.get_running_loop().create_task(self.subscriber.subscribe(handlers))

    def confirm(self, kind: str, channel: str) -> None:
        self.subscriber.link_reply([kind.encode(), channel.encode(), 1])

    def publish(self, channel: str, payload: bytes) -> None:
        self.subscriber.link_reply([b"message", channel.encode(), payload])

    def _on_resubscribed(self) -> None:
        self.resubscribed += 1


@pytest.fixture
async def spoken() -> Spoken:
    """A subscriber whose link is up."""
    spoken = Spoken()
    spoken.subscriber.link_up()
    return spoken


async def turn() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_waits_for_the_confirmation_of_every_channel(spoken: Spoken) -> None:
    """From there on nothing published is missed, and not earlier."""
    task = spoken.subscribe("a", "b")
    await turn()
    spoken.confirm("subscribe", "a")
    await turn()
    assert not task.done()
    spoken.confirm("subscribe", "b")
    await turn()
    assert task.done()


async def test_what_is_confirmed_needs_no_second_command(spoken: Spoken) -> None:
    """Hundred connections of a room subscribe once."""
    spoken.subscribe("a")
    await turn()
    spoken.confirm("subscribe", "a")
    written = len(spoken.link.written)
    await asyncio.wait_for(spoken.subscribe("a"), 1)
    assert len(spoken.link.written) == written


async def test_an_older_confirmation_is_worth_nothing(spoken: Spoken) -> None:
    """Subscribed, unsubscribed and subscribed again at once: only the last word counts."""
    spoken.subscribe("a")
    await turn()
    spoken.subscriber.unsubscribe(["a"])
    again = spoken.subscribe("a")
    await turn()
    spoken.confirm("subscribe", "a")
    third = spoken.subscribe("a")
    await turn()
    spoken.confirm("unsubscribe", "a")
    await turn()
    assert not again.done()
    assert not third.done()
    spoken.confirm("subscribe", "a")
    spoken.confirm("subscribe", "a")
    await turn()
    assert again.done()
    assert third.done()


async def test_after_a_lost_link_all_is_subscribed_again_before_anybody_goes_on(
    spoken: Spoken,
) -> None:
    """Confirmations of the old link mean nothing; heads are asked for once all is subscribed."""
    spoken.subscribe("a")
    await turn()
    spoken.confirm("subscribe", "a")
    spoken.subscriber.link_down()
    known, task = spoken.subscribe("a"), spoken.subscribe("b")
    await turn()
    assert not known.done()
    spoken.link.written.clear()
    spoken.subscriber.link_up()
    await turn()
    assert [b"SUBSCRIBE" in data and b"a" in data and b"b" in data for data in spoken.link.written] == [True]
    spoken.confirm("subscribe", "a")
    await turn()
    assert not task.done()
    assert spoken.resubscribed == 0
    spoken.confirm("subscribe", "b")
    await turn()
    assert known.done()
    assert task.done()
    assert spoken.resubscribed == 1


async def test_without_a_confirmation_it_gives_up(spoken: Spoken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told after 5 s; the channel stays wanted."""
    monkeypatch.setattr("roomlog_gateway.redis.subscriber.SUBSCRIBE_SECONDS", 0.01)
    with pytest.raises(NotSubscribed):
        await spoken.subscribe("a")


async def test_a_payload_after_unsubscribe_is_dropped(spoken: Spoken) -> None:
    """It was under way when the last member left."""
    spoken.subscribe("a")
    await turn()
    spoken.confirm("subscribe", "a")
    spoken.publish("a", b"one")
    spoken.subscriber.unsubscribe(["a"])
    spoken.publish("a", b"two")
    assert spoken.payloads == [b"one"]


async def test_a_notice_that_fails_ends_nothing(spoken: Spoken, capsys: pytest.CaptureFixture[str]) -> None:
    """One bad notice is logged; the next is handled."""

    def fail(payload: bytes) -> None:
        raise ValueError("bad notice")

    spoken.subscriber.want({"bad": fail, "good": spoken.payloads.append})
    spoken.publish("bad", b"x")
    spoken.publish("good", b"y")
    assert spoken.payloads == [b"y"]
    assert "notice_failed" in capsys.readouterr().out


async def test_a_resubscription_releases_only_those_who_waited_before_it(spoken: Spoken) -> None:
    """A channel that is wanted while all are subscribed again waits for its own confirmation."""
    spoken.subscribe("a")
    await turn()
    spoken.subscriber.link_down()
    spoken.subscriber.link_up()
    late = spoken.subscribe("b")
    await turn()
    spoken.confirm("subscribe", "a")
    await turn()
    assert spoken.resubscribed == 1
    assert not late.done()
    spoken.confirm("subscribe", "b")
    await turn()
    assert late.done()
