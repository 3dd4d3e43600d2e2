"""Events and messages as lines on standard output: people's words can't command the terminal."""

from datetime import datetime
from typing import Any, Final

from roomlog_client.events import Event

from .terminal import as_json, plain

TIME: Final = "%Y-%m-%d %H:%M:%S"
CHANGES: Final = frozenset(
    {"edit_message", "delete_message", "add_reaction", "remove_reaction", "pin_message", "unpin_message"}
)
"""Events that concern an earlier message."""


def say_event(event: Event, room: str) -> None:
    """Print an event with its room's name."""
    _say_line(event.body.get("message", {}), room, event.seq, event.user.username, what(event))


def say_found(message: dict[str, Any], room: str) -> None:
    """Print a message that a search found."""
    _say_line(message, room, message["seq"], message["user"]["username"], words_of(message))


def _say_line(message: dict[str, Any], room: str, seq: int, who: str, what: str) -> None:
    print(f"{_time(message)} {plain(room)} {seq} {plain(who)}: {plain(what)}", flush=True)


def _time(message: dict[str, Any]) -> str:
    """Return a message's time on this machine's clock; no event but a message has one on the wire."""
    milliseconds = message.get("timestamp_ms")
    if milliseconds is None:
        return " " * len(f"{datetime.max:{TIME}}")
    return f"{datetime.fromtimestamp(milliseconds / 1000):{TIME}}"


def what(event: Event) -> str:
    """Return what is said; of any other event its action, and the seq of the message that it changes."""
    if event.action == "new_message":
        return words_of(event.body["message"])
    if event.action in CHANGES:
        said = event.text or event.body.get("emoji", "")
        return f"({event.action} {event.body['message']['seq']}) {said}".rstrip()
    return f"({event.action})"


def words_of(message: dict[str, Any]) -> str:
    """Return what a message says, and the names of its files."""
    files = [f"[{file['name']}]" for file in message.get("attachments", ())]
    return " ".join(filter(None, (message["text"], *files)))


def say_json(event: Event, room: str) -> None:
    """Print an event as it came."""
    say_found_json(event.body, room)


def say_found_json(message: dict[str, Any], room: str) -> None:
    """Print a message, or an event, as it came."""
    print(as_json(message), flush=True)
