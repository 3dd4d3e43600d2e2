"""Hosts, origins and the socket's address as Django and browsers understand them, or one sentence.

Before the message's way. Django compares these texts and never says that one of them can't match; so what
can't is refused at start. It must not import Django: the settings are made from it.
"""

import re
from typing import Final

from roomlog_runtime.settings import SettingError, read_list, read_text

_NAME: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_HOST: Final = re.compile(rf"\*|\.?{_NAME}|\[[0-9A-Fa-f:.]+\]")
_ORIGIN: Final = re.compile(rf"https?://(?:(?:\*\.)?{_NAME}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
_SOCKET: Final = re.compile(rf"wss?://(?:{_NAME}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?(?:/[^\s?#;,]*)?")


def read_hosts(name: str, default: tuple[str, ...]) -> list[str]:
    """Return host names; `.example.org` stands for itself and all below it, `*` for any."""
    hosts = read_list(name, default)
    for host in hosts:
        if host.startswith("*."):
            raise SettingError(name, f"has {host!r}: write {host[1:]!r} for a name and all below it")
        if not _HOST.fullmatch(host):
            raise SettingError(name, f"has {host!r}, not a host name without scheme, port and path")
    return [host.lower() for host in hosts]


def read_origins(name: str) -> list[str]:
    """Return origins, for example https://chat.example.org or https://*.example.org."""
    origins = read_list(name)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise SettingError(
                name, f"has {origin!r}, not an origin as in https://chat.example.org, without a path"
            )
    return [origin.lower() for origin in origins]


def read_socket_url(name: str) -> str:
    """Return the address of the gateway's WebSocket, or nothing for the page's own host."""
    url = read_text(name, "").strip()
    if url and not _SOCKET.fullmatch(url):
        raise SettingError(name, f"is {url[:80]!r}, not an address as in wss://chat.example.org/ws")
    return url


def read_path_prefix(name: str) -> str:
    """Return where a proxy has put the api, as in `/chat`; empty at the root of its host."""
    text = read_text(name, "").strip("/")
    if not re.fullmatch(r"(?:[\w.~-]+(?:/[\w.~-]+)*)?", text, re.ASCII):
        raise SettingError(name, f"is {text!r}, not a path as in /chat")
    return f"/{text}" if text else ""
