"""The chores that tell a webhook of events, in virtual time, and a receiver that is not always well.

Beside the message's way, with dice of its own. What is sent when, the cursors and the pauses are those of the
product (`roomlog.hooks.delivery`); who looks for work and the connections to the receiver are not.
"""

import asyncio
import json
import random
from http import HTTPStatus
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from roomlog.chores.schedule import TryLater
from roomlog.hooks.delivery import Answer, Post, Stretch, deliver
from roomlog.models import ChatRoom, Webhook
from tests.harness.hook_receiver import Receiver
from tests.judge.deliveries import Deliveries, Delivery
from tests.judge.topics import NAME_KIND, TOPIC_KIND

from .processes import Process, current
from .store import Store

LOOK_SECONDS: Final = 0.2
"""Between two turns of the chores: all rooms in each."""
WAY_SECONDS: Final = (0.001, 0.02)
"""One way between the chores and the receiver."""
TIMEOUT_SECONDS: Final = 10.0
"""After which the chores no longer wait for an answer, as in the product."""
PAUSE_SECONDS: Final = (0.0, 1.5)
"""Between two troubles."""
ILL_SECONDS: Final = (0.3, 4.0)
"""Short: the product doubles its pause with each failure, and a run rests only for a while."""
FROZEN_SECONDS: Final = (0.5, 8.0)
TROUBLES: Final = 6
"""Of one run."""
WELL, REFUSING, HANGING, DEAF = "well", "refusing", "hanging", "deaf"
"""How the receiver is: deaf, it takes what comes, and its answers are lost."""


class Hooks:
    """One webhook for all rooms, those who tell it, and what they told."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: random.Random) -> None:
        self.deliveries = Deliveries(since={})
        self._loop, self._dice = loop, dice
        self._receiver = Receiver(answer=self._answer)
        self._mood = WELL
        self._chores: list[Process] = []

    def make(self, since: dict[str, int]) -> None:
        """Store the webhook: it is told of all that comes after these heads."""
        webhook = Webhook.objects.create(name="all", url=self._receiver.url, date_created=timezone.now())
        self._receiver.secret = webhook.secret
        self.deliveries.since = since

    async def live(self) -> None:
        """Do the chores among troubles of receiver and process; in the end one process works, and is well."""
        self._start()
        for _ in range(TROUBLES):
            await asyncio.sleep(self._dice.uniform(*PAUSE_SECONDS))
            trouble = self._dice.choice([self._fall_ill, self._fall_ill, self._be_killed, self._be_frozen])
            await trouble()

    def has_told(self, store: Store) -> bool:
        """Tell whether the receiver has each room's last event."""
        taken = {(one.room, one.seq) for one in self.deliveries.told if one.is_taken}
        since = self.deliveries.since or {}
        heads = {room.hex: seq for room, seq in store.heads().items()}
        return all(seq <= since.get(room, 0) or (room, seq) in taken for room, seq in heads.items())

    def stop(self) -> None:
        """End every process."""
        for process in self._chores:
            process.kill()

    # -- what goes wrong --

    async def _fall_ill(self) -> None:
        self._mood = self._dice.choice([REFUSING, HANGING, DEAF])
        await asyncio.sleep(self._dice.uniform(*ILL_SECONDS))
        self._mood = WELL

    async def _be_killed(self) -> None:
        """Between two waits, such as that for an answer."""
        self._chores[-1].kill()
        await asyncio.sleep(self._dice.uniform(*PAUSE_SECONDS))
        self._start()

    async def _be_frozen(self) -> None:
        """Its lease goes to another one, and for a moment both work."""
        former = self._chores[-1]
        former.freeze()
        await asyncio.sleep(self._dice.uniform(*PAUSE_SECONDS))
        self._start()
        await asyncio.sleep(self._dice.uniform(*FROZEN_SECONDS))
        former.thaw()
        await asyncio.sleep(self._dice.uniform(*ILL_SECONDS))
        former.kill()

    def _start(self) -> None:
        self._chores.append(Process(self._loop, f"chores-{len(self._chores)}"))
        self._chores[-1].begin(self._work)

    # -- the chores --

    def _work(self) -> None:
        """Tell of all rooms, again and again. In a thread of the process."""
        while True:
            try:
                webhook = Webhook.objects.get()
                self.deliveries.is_stopped = webhook.stopped != Webhook.Stop.NONE
                for room in list(ChatRoom.objects.order_by("pk").values_list("pk", flat=True)):
                    self._tell(Stretch(webhook.pk, room))
            except (DatabaseError, InterfaceError):
                connection.close()
            current().wait(LOOK_SECONDS)

    def _tell(self, stretch: Stretch) -> None:
        delivery, answer = deliver(stretch, lambda: True), None
        try:
            while True:
                began = self._loop.time()
                answer = self._send(delivery.send(answer), began)  # type: ignore[arg-type] # None begins it
        except (StopIteration, TryLater):
            return

    def _send(self, post: Post, began: float) -> Answer:
        """Bring it to the receiver and return what came of it."""
        current().wait(self._dice.uniform(*WAY_SECONDS))
        mood, forged = self._mood, self._receiver.forged
        status = self._receiver.receive(post.headers, post.body)
        event, is_taken = json.loads(post.body), status == HTTPStatus.OK
        said = _words_of(event["type"], event["data"]), post.headers["webhook-id"], began
        data, is_signed = event["data"], self._receiver.forged == forged
        place = data["room"], data["seq"], event["type"], data["uuid"]
        self.deliveries.told.append(Delivery(*place, *said, is_taken, is_signed))
        if mood == HANGING:
            current().wait(TIMEOUT_SECONDS)
            return "TimeoutError"
        current().wait(self._dice.uniform(*WAY_SECONDS))
        return "ConnectionResetError" if mood == DEAF else status

    def _answer(self, event: dict[str, Any]) -> int:
        is_well = self._mood in (WELL, DEAF)
        return int(HTTPStatus.OK if is_well else HTTPStatus.INTERNAL_SERVER_ERROR)


def _words_of(kind: str, data: dict[str, Any]) -> str:
    """Return what an event says to people."""
    said = data["message"] if kind == "new_message" else data
    words: str = said.get({TOPIC_KIND: "topic", NAME_KIND: "name"}.get(kind, "text"), "")
    return words
