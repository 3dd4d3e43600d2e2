"""What reaches a terminal: text of others, unable to command it or to break off the output.

Beside the message's way. Names, texts, errors and whatever else a server says pass through `plain` or
`as_json` before they are printed; `prepare` makes the streams take any character.
"""

import io
import json
import sys
from typing import Any, Final

JOINERS: Final = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
"""Invisible, but a part of emoji and of several scripts; they command nothing."""


def prepare() -> None:
    """Let the standard streams take what the terminal's encoding can't show, and read what it can't be."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # refused later, as what can't be written as JSON


def plain(text: str) -> str:
    """Return a line that can't command the terminal: no escapes, controls, line breaks, overrides."""
    return "".join(
        character if character.isprintable() or character in JOINERS else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def as_json(body: Any) -> str:
    """Return JSON that reads back the same and can't command the terminal: it is escaped further."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return "".join(
        character if character.isprintable() or character in JOINERS else json.dumps(character)[1:-1]
        for character in text
    )
