"""The account that `roomlog login` keeps for this machine's user, until `roomlog logout`.

One file that only its owner can read: `roomlog/login.json` in `$XDG_CONFIG_HOME`, else in `~/.config`.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path("roomlog", "login.json")


@dataclass(frozen=True)
class SavedLogin:
    """What was saved."""

    url: str
    token: str
    api: str = ""
    """Empty: beside `url`."""


class LoginUnreadable(Exception):
    """The file is there and is not what `save` writes."""


def path() -> Path:
    """Return where the login is kept."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / FILE


def save(login: SavedLogin) -> Path:
    """Keep the login in place of an earlier one and return the file, which nobody else can ever read."""
    kept = path()
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(login), file)
    return fresh.replace(kept)


def load() -> SavedLogin | None:
    """Return the saved login, or None.

    Raises:
        LoginUnreadable: it can't be read.
    """
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
        return SavedLogin(str(found["url"]), str(found["token"]), str(found.get("api", "")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        raise LoginUnreadable(
            f"{path()} can't be read; run `roomlog login` again, or `roomlog logout`"
        ) from None


def forget() -> bool:
    """Delete the login; tell whether there was one."""
    try:
        path().unlink()
    except FileNotFoundError:
        return False
    return True
