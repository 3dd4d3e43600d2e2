"""Where a command connects and as whom: options, the environment, this folder's demo, or a saved login.

A token is never an option: the list of processes shows those to everybody.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from roomlog_client.api import api_beside

from .saved_login import LoginUnreadable, SavedLogin, load

DEMO_FILE: Final = Path(".roomlog/demo.json")
"""Written by `roomlog demo` in the folder where it runs."""
DEFAULT_URL: Final = "ws://127.0.0.1:8080/ws"
_PLACE: Final = r"s?://[^\s/?#@]+(?:/\S*)?"
ADDRESS: Final = re.compile(f"(?:ws|http){_PLACE}")
API_ADDRESS: Final = re.compile(f"http{_PLACE}")


class NoAccount(Exception):
    """Nobody said as whom to connect."""


@dataclass(frozen=True)
class Account:
    """An address and a token for it."""

    url: str
    token: str
    api: str = ""
    """Where the paths of REST begin; empty: beside `url`."""


def find_account(
    url: str | None, token_file: Path | None, demo_user: str | None, api: str | None = None
) -> Account:
    """Return the account that the options, the environment, the demo or a login name, in this order.

    A saved token goes to the address that it was saved for, and to no other.

    Raises:
        NoAccount: none of them names a token.
    """
    given, given_api, demo = (url or "").strip(), (api or "").strip(), _demo()
    token = _token(token_file, demo_user, demo)
    if token is None:
        return _account_of(_saved(), given, given_api)
    if not given:
        given, given_api = demo.get("websocket") or DEFAULT_URL, given_api or demo.get("api", "")
    return account_at(given, token, given_api)


def account_at(url: str, token: str, api: str) -> Account:
    """Return the account of a gateway and its api; empty: beside it.

    Raises:
        NoAccount: an address has another form.
    """
    if not ADDRESS.fullmatch(url):
        raise NoAccount("--url or ROOMLOG_URL does not have the form ws://host:port/ws or wss://host/ws")
    if api and not API_ADDRESS.fullmatch(api):
        raise NoAccount("--api or ROOMLOG_API_URL does not have the form https://host/api/v1/")
    return Account(url, token, api)


def demo_settings() -> dict[str, str]:
    """Return the settings of the demo's processes that the demo chose itself; empty where none runs here."""
    settings: dict[str, str] = _demo().get("settings", {})
    return settings


def _account_of(saved: SavedLogin, url: str, api: str) -> Account:
    if url and url != saved.url:
        raise NoAccount(f"the saved login is for {saved.url}; run `roomlog login --url {url}`")
    kept = saved.api or api_beside(saved.url)
    if api and api != kept:
        raise NoAccount(f"the saved login is for {kept}; run `roomlog login --url {saved.url} --api {api}`")
    return account_at(saved.url, saved.token, saved.api)


def _token(token_file: Path | None, demo_user: str | None, demo: dict[str, Any]) -> str | None:
    if token_file is not None:
        if not (token := _read(token_file).strip()):
            raise NoAccount(f"{token_file} is empty")
        return token
    if demo_user is None and (token := os.environ.get("ROOMLOG_TOKEN", "").strip()):
        return token
    users = demo.get("users", [])
    for user in users:
        if demo_user in (None, user["name"]):
            return str(user["token"])
    names = ", ".join(user["name"] for user in users)
    if demo_user is not None and users:
        raise NoAccount(f"the demo has no user {demo_user}; it has {names}")
    if demo_user is not None:
        raise NoAccount("--as names a user of the demo, and no `roomlog demo` runs in this folder")
    return None


def _saved() -> SavedLogin:
    try:
        saved = load()
    except LoginUnreadable as error:
        raise NoAccount(str(error)) from None
    if saved is None:
        raise NoAccount(
            "run `roomlog login`, set ROOMLOG_TOKEN or --token-file, or run this where `roomlog demo` runs"
        )
    return saved


def _demo() -> dict[str, Any]:
    if not DEMO_FILE.exists():
        return {}
    try:
        demo = json.loads(_read(DEMO_FILE))
    except ValueError:
        demo = None
    if not isinstance(demo, dict):
        raise NoAccount(f"{DEMO_FILE} is not what a demo writes; start `roomlog demo` again, or delete it")
    return demo


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise NoAccount(f"{path} can't be read: {reason}") from None
