"""`python -m roomlog_api COMMAND`: an operator's commands, in the image known as `roomlog`.

Beside the message's way. The commands are Django's; this gives them the api's settings and one sentence where
those are wrong.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

from roomlog_runtime.settings import SettingError

COMMANDS: Final = {
    "doctor": "Check Redis, database, workers and clocks; say what to do. Exits with 1 if anything is wrong.",
    "new-epoch": "Invalidate every cursor. To restore: scale workers to 0, restore, new-epoch, scale up.",
    "erase": "Take the texts out of all messages of a user: USER, its primary key, or --person ID.",
    "trace": "Tell where the message of UUID is, and which processes had it when; --json for programs.",
    "export": "Write what a user said, or a room's log, as JSON lines: USER, --person ID or --room ID.",
}
DJANGOS: Final = {
    "doctor": ["doctor"],
    "new-epoch": ["new_epoch"],
    "erase": ["roomlog", "erase"],
    "export": ["roomlog", "export"],
    "trace": ["roomlog", "trace"],
}
"""What each is called beside a project's own commands."""
HELP: Final = {"--help", "-h"}
SETTINGS: Final = (
    "It reads the api's settings from the environment: ROOMLOG_SECRET_KEY, ROOMLOG_DATABASE_URL, …"
)
USAGE: Final = f"usage: roomlog {{{','.join(COMMANDS)}}} [--help]"


def main(words: Sequence[str] | None = None) -> int:
    """Carry out one command and return the exit status."""
    name, *rest = (sys.argv[1:] if words is None else words) or [""]
    if name not in COMMANDS:
        print(USAGE, file=sys.stderr)  # noqa: T201 - a command line's own channel
        return 2
    if HELP & set(rest):  # without settings: whoever asks may have none yet
        print(f"usage: roomlog {name}\n\n{COMMANDS[name]}\n\n{SETTINGS}")  # noqa: T201 - the same
        return 0
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["roomlog", *DJANGOS[name], *rest])
    except SettingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the same
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
