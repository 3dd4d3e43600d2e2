"""`roomlog chat`: one room in a terminal, to read and to write. Needs textual, the extra `chat`.

Last stage of a message's way. What is shown `talk.py` knows; here are the widgets and the questions.
"""

import time
from typing import ClassVar, Final
from uuid import uuid4

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from roomlog_client.client import RoomlogClient
from roomlog_client.errors import Disconnected, RoomlogError
from roomlog_client.events import RoomSummary
from roomlog_contract.limits import TEXT_CODE_POINTS

from .account import Account
from .messages import connected, find_room, summary_of
from .progress import complain
from .talk import Talk
from .terminal import plain

HINT: Final = "Write a message; PageUp for earlier ones, Ctrl+C ends"
LOOK_SECONDS: Final = 0.25
"""Between two looks at the connection."""
PATIENCE_SECONDS: Final = 86_400.0
"""A message waits for an answer as long as somebody would leave the chat open; until then it is repeated."""


async def chat(account: Account, room: str) -> None:
    """Show a room until its reader ends it.

    Raises:
        Disconnected: the server does not want this user any more.
    """
    async with connected(account) as client:
        summary = summary_of(client, await find_room(client, room))
        app = Chat(client, summary)
        ended_by = await app.run_async()  # deadline: none wanted, a person ends it
        if app.unanswered:
            complain(f"messages without an answer: {app.unanswered}; each may be stored or not")
        if ended_by is not None:
            raise ended_by


class Said(VerticalScroll, can_focus=False):
    """All that was said; tells when somebody looks at its beginning, and keeps its end in sight."""

    class AtBeginning(Message):
        """The first line is in sight."""

    is_at_end = True
    """As it was when somebody scrolled last: what comes later moves the end, not the reader."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Notice where somebody looks."""
        super().watch_scroll_y(old_value, new_value)
        self.is_at_end = new_value >= self.max_scroll_y
        if new_value <= 0:
            self.post_message(self.AtBeginning())

    def on_resize(self) -> None:
        """Stay at the end."""
        if self.is_at_end:
            self.show_end()

    def show_end(self) -> None:
        """Scroll to the last line."""
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)


class Chat(App[Disconnected | None]):
    """The whole screen."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "#state { background: $panel; } #said { height: 1fr; } #typing { height: 1; color: $text-muted; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", priority=True),
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
    ]

    def __init__(self, client: RoomlogClient, room: RoomSummary) -> None:
        """`client` is connected, and nobody else reads its events."""
        super().__init__()
        self._client = client
        self._room = room
        self._talk = Talk(room.id, client.user)
        self._is_asking = False
        # Held, not looked up: while the screen is taken down, what arrives still has somewhere to go.
        self._said, self._input = Said(id="said"), Input(placeholder=HINT, max_length=TEXT_CODE_POINTS)
        self._rows, self._status, self._typists = Static(id="rows"), Static(id="state"), Static(id="typing")

    @property
    def unanswered(self) -> int:
        """How many messages of one's own wait for an answer."""
        return self._talk.pending()

    def compose(self) -> ComposeResult:
        """Return state, messages, typists and the typing line, from the top."""
        yield self._status
        with self._said:
            yield self._rows
        yield self._typists
        yield self._input

    def on_mount(self) -> None:
        """Begin to follow the room, and to look at the connection."""
        self._input.focus()
        self._client.watch(self._room.id)
        self.run_worker(self._follow())
        self.set_interval(LOOK_SECONDS, self._look)
        self._paint()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Let the others know that something is typed."""
        if event.value:
            self._client.typing(self._room.id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send what was typed; it is shown as pending until the server has it."""
        if event.value.strip():
            event.input.clear()
            self.run_worker(self._send(event.value))

    def on_said_at_beginning(self) -> None:
        """Ask for what stands above."""
        if self._talk.wants_earlier and not self._is_asking:
            self._is_asking = True
            self.run_worker(self._ask_earlier())

    def action_page(self, direction: int) -> None:
        """Scroll by a page."""
        self._said.scroll_relative(y=direction * self._said.size.height, animate=False)

    async def _follow(self) -> None:
        try:
            async for item in self._client.events():  # deadline: none wanted, it waits for people
                self._talk.apply(item, time.monotonic())
                self._paint()
            await self._client.ready()  # it has ended, and says why
        except Disconnected as error:
            self.exit(error)

    async def _send(self, text: str) -> None:
        uuid, refusal = str(uuid4()), ""
        self._talk.wait(uuid, text)
        self._paint()
        try:
            await self._client.send(self._room.id, text, uuid=uuid, timeout_seconds=PATIENCE_SECONDS)
        except RoomlogError as error:
            refusal = str(error)
        self._talk.settle(uuid, refusal)
        self._paint()

    async def _ask_earlier(self) -> None:
        try:
            self._talk.add_earlier(await self._client.get_history(self._room.id, before=self._talk.oldest))
        except RoomlogError:
            return  # the state says why; scrolling asks again
        finally:
            self._is_asking = False
        self._paint(from_end=self._said.max_scroll_y - self._said.scroll_y)

    def _look(self) -> None:
        if not self._client.is_connected:
            self._talk.disconnected()
        for line, text in (
            (self._status, self._state()),
            (self._typists, self._talk.typing(time.monotonic())),
        ):
            if str(line.content) != text:
                line.update(Text(text))

    def _state(self) -> str:
        if self._talk.has_left:
            state = "you are not in this room any more"
        elif not self._client.is_connected:
            state = "offline, trying to connect"
        elif self._talk.is_degraded:
            state = "the server accepts nothing at the moment"
        else:
            state = "online" if self._talk.online is None else f"{self._talk.online} online"
        pending = f", {self.unanswered} pending" if self.unanswered else ""
        return f"{plain(self._room.name or self._room.id)}: {state}{pending}"

    def _paint(self, *, from_end: float | None = None) -> None:
        """Draw all rows; `from_end` is how far from the end what is in sight was, where that must stay."""
        rows = [Text(row.text, row.style) for row in self._talk.rows()]
        self._rows.update(Text("\n").join(rows))
        self._look()
        self.call_after_refresh(self._keep_place, from_end)

    def _keep_place(self, from_end: float | None) -> None:
        said = self._said
        if said.is_at_end:
            said.show_end()
        elif from_end is not None:
            said.scroll_to(y=said.max_scroll_y - from_end, animate=False, immediate=True)
        if said.max_scroll_y == 0:
            said.post_message(Said.AtBeginning())
