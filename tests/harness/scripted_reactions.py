"""The reactions to a message of the scripted chat, as its events leave them.

Beside the message's way; nothing is judged here.
"""

from collections.abc import Iterable
from typing import Any


def reactions_of(events: Iterable[dict[str, Any]], message: dict[str, Any], me: int) -> dict[str, Any]:
    """Return what an answer says of the reactions to a message, as the user `me` sees them."""
    standing: dict[tuple[str, int], dict[str, Any]] = {}
    reacted = [one for one in events if "emoji" in one and one["message"]["seq"] == message["seq"]]
    for event in reacted:
        if event["action"] == "add_reaction":
            standing[event["emoji"], event["user"]["id"]] = event["user"]
        else:
            del standing[event["emoji"], event["user"]["id"]]
    by_emoji: dict[str, list[dict[str, Any]]] = {}
    for (emoji, _), user in standing.items():
        by_emoji.setdefault(emoji, []).append(user)
    shown = {} if message["deleted"] else by_emoji
    return {
        "reactions": {
            emoji: {"count": len(users), "users": users[:5], "mine": any(user["id"] == me for user in users)}
            for emoji, users in shown.items()
        },
        "reacted_seq": reacted[-1]["seq"] if reacted else None,
    }
