"""Values of frames and rows in the one form in which a history has them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def text_of(data: dict[str, Any] | None) -> str:
    """Return a message's data as one text for each content; empty for none."""
    if data is None:
        return ""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def milliseconds_of(stored: datetime | str) -> int:
    """Return whole milliseconds since 1970, as frames have them; SQLite gives a text in UTC."""
    moment = datetime.fromisoformat(f"{stored}+00:00") if isinstance(stored, str) else stored
    return (moment - _BEGINNING) // timedelta(milliseconds=1)
