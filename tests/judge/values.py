"""Values of frames and rows in the one form in which a history has them."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def text_of(data: dict[str, Any] | None) -> str:
    """Return a message's data as one text for each content; empty for none."""
    if data is None:
        return ""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_of(data: str, files: Iterable[str]) -> str:
    """Return what a message brings besides its text as one text: its data (`text_of`) and its files' ids."""
    return " ".join(filter(None, (data, *files)))


def content_of_frame(message: dict[str, Any]) -> str:
    """Return the same of a message on the wire."""
    return content_of(text_of(message.get("data")), (file["id"] for file in message.get("attachments", ())))


def files_in(content: str) -> list[str]:
    """Return the ids of the files of a message without data."""
    return [] if content.startswith("{") else content.split()


def claimed(kept: Iterable[str], claims: Collection[str]) -> list[str]:
    """Return the files that the database says are a message's, in the order in which its event keeps them.

    One that the event alone has is left out, one that it lacks comes last: neither is as it was sent.
    """
    kept = list(kept)
    return [*(one for one in kept if one in claims), *sorted(set(claims) - set(kept))]


def claims_by_message(rows: Iterable[tuple[str, int, str]]) -> dict[tuple[str, int], set[str]]:
    """Return the files of each message, by its room and seq, of rows of room, seq and file."""
    found: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for room, seq, file in rows:
        found[room, seq].add(file)
    return dict(found)


def milliseconds_of(stored: datetime | str) -> int:
    """Return whole milliseconds since 1970, as frames have them; texts without a zone are in UTC."""
    moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _BEGINNING) // timedelta(milliseconds=1)
