"""The registry of the wire's actions: for each its command, its answers, and the stream that carries it.

Codec, gateway, metrics and schema go by it and need no edit for a new action. What an action does to a room's
log is its rule's business, in the worker; `tests/rules/test_actions.py` names what is still missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from msgspec import Struct

from . import commands, events
from .commands import Command, action_of_struct
from .events import DurableEvent


class Stream(StrEnum):
    """What carries a command to its shard's worker."""

    NONE = "none"
    """The gateway answers it itself; it is in no stream."""
    WRITE = "in"
    """It becomes an event of its room's log."""
    READ = "read"
    """A cursor or a login waits for it, or it changes how its sender sees a room."""
    BROWSE = "browse"
    """Somebody looks at something."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a client may ask for."""

    command: type[Command]
    answers: tuple[type[Struct], ...]
    """Frames of success; of a write the one event."""
    stream: Stream

    @property
    def name(self) -> str:
        """Return the wire's `action`."""
        return action_of_struct(self.command)

    @property
    def is_write(self) -> bool:
        """Tell whether it becomes an event."""
        return self.stream is Stream.WRITE


def _by_name(actions: Iterable[Action]) -> dict[str, Action]:
    return {action.name: action for action in actions}


ACTIONS: Final = _by_name(
    (
        Action(commands.Authenticate, (events.AuthenticateAnswer,), Stream.NONE),
        Action(commands.SelectRoom, (events.SelectRoomAnswer, events.SelectRoomPage), Stream.READ),
        Action(commands.NewMessage, (events.NewMessageEvent,), Stream.WRITE),
        Action(commands.EditMessage, (events.EditMessageEvent,), Stream.WRITE),
        Action(commands.DeleteMessage, (events.DeleteMessageEvent,), Stream.WRITE),
        Action(commands.AddReaction, (events.AddReactionEvent,), Stream.WRITE),
        Action(commands.RemoveReaction, (events.RemoveReactionEvent,), Stream.WRITE),
        Action(commands.PinMessage, (events.PinMessageEvent,), Stream.WRITE),
        Action(commands.UnpinMessage, (events.UnpinMessageEvent,), Stream.WRITE),
        Action(commands.ListPins, (events.ListPinsAnswer,), Stream.BROWSE),
        Action(commands.GetHistory, (events.GetHistoryAnswer,), Stream.BROWSE),
        Action(commands.ListRooms, (events.ListRoomsAnswer,), Stream.BROWSE),
        Action(commands.CreateRoom, (events.CreateRoomEvent,), Stream.WRITE),
        Action(commands.RenameRoom, (events.RenameRoomEvent,), Stream.WRITE),
        Action(commands.SetTopic, (events.SetTopicEvent,), Stream.WRITE),
        Action(commands.SetReceipts, (events.SetReceiptsEvent,), Stream.WRITE),
        Action(commands.ArchiveRoom, (events.ArchiveRoomEvent,), Stream.WRITE),
        Action(commands.RestoreRoom, (events.RestoreRoomEvent,), Stream.WRITE),
        Action(commands.SetDiscoverable, (events.SetDiscoverableEvent,), Stream.WRITE),
        Action(commands.JoinRoom, (events.JoinRoomEvent,), Stream.WRITE),
        Action(commands.InviteUser, (events.InviteUserEvent,), Stream.WRITE),
        Action(commands.RemoveUser, (events.RemoveUserEvent,), Stream.WRITE),
        Action(commands.LeaveRoom, (events.LeaveRoomEvent,), Stream.WRITE),
        Action(commands.SetRole, (events.SetRoleEvent,), Stream.WRITE),
        Action(commands.MuteUser, (events.MuteUserEvent,), Stream.WRITE),
        Action(commands.UnmuteUser, (events.UnmuteUserEvent,), Stream.WRITE),
        Action(commands.BanUser, (events.BanUserEvent,), Stream.WRITE),
        Action(commands.UnbanUser, (events.UnbanUserEvent,), Stream.WRITE),
        Action(commands.MarkRead, (events.MarkReadAnswer,), Stream.READ),
        Action(commands.SetNotifications, (events.SetNotificationsAnswer,), Stream.READ),
        Action(commands.ReportMessage, (events.ReportMessageAnswer,), Stream.BROWSE),
        Action(commands.BlockUser, (events.BlockUserAnswer,), Stream.BROWSE),
        Action(commands.UnblockUser, (events.UnblockUserAnswer,), Stream.BROWSE),
        Action(commands.ListBlocks, (events.ListBlocksAnswer,), Stream.BROWSE),
        Action(commands.Typing, (events.TypingAnswer,), Stream.NONE),
        Action(commands.Watch, (events.WatchAnswer,), Stream.NONE),
        Action(commands.Ping, (events.PingAnswer,), Stream.NONE),
    )
)
"""All that clients may say, by name."""
COMMANDS: Final[dict[str, type[Command]]] = {name: action.command for name, action in ACTIONS.items()}
STREAMS: Final[dict[type[Command], Stream]] = {one.command: one.stream for one in ACTIONS.values()}
EVENTS: Final[dict[str, type[DurableEvent]]] = {
    name: event
    for name, action in ACTIONS.items()
    for event in action.answers
    if issubclass(event, DurableEvent)
}
"""The frame of each kind of events of a log, by its name."""
