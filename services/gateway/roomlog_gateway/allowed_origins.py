"""Which pages may open a socket. At the upgrade: the browser's `Origin` against the operator's patterns.

Both sides are brought to one form first (RFC 6454 section 6.1), so that capitals, default ports and names in
other alphabets compare. A pattern that could never match is refused at start. It must not resolve names.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from roomlog_runtime.errors import SettingError

REMEMBERED: Final = 64
"""Answers for the pages that people come from: few, and each is long to make."""
ANY: Final = "*"
SETTING: Final = "ROOMLOG_ALLOWED_ORIGINS"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_WILDCARD: Final = "*."
_HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


def read_origins(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns in one form.

    Raises:
        SettingError: one is no origin, `*` or `https://*.example.org`.
    """
    return tuple(pattern if pattern == ANY else _pattern(pattern) for pattern in patterns)


@lru_cache(REMEMBERED)
def is_allowed(origin: str, host: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a page of this origin may connect to this host; its own pages always may."""
    if ANY in patterns:
        return True
    known = normal(origin)
    if known is None:
        return False
    scheme, _, rest = known.partition("://")
    if normal(f"{scheme}://{host}") == known:
        return True
    for pattern in patterns:
        wanted_scheme, _, wanted = pattern.partition("://")
        if wanted.startswith(_WILDCARD):
            if scheme == wanted_scheme and rest.endswith(wanted[1:]) and rest != wanted[1:]:
                return True
        elif known == pattern:
            return True
    return False


def normal(origin: str) -> str | None:
    """Return `scheme://host[:port]` in lower case, ASCII and without a default port; None for all else."""
    try:
        parts = urlsplit(origin)
        port = parts.port
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host.encode("idna").decode().lower()
    except (ValueError, UnicodeError):
        return None
    is_bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in _DEFAULT_PORTS or not is_bare or not _HOST.fullmatch(host):
        return None
    shown = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def _pattern(pattern: str) -> str:
    scheme, _, rest = pattern.removesuffix("/").partition("://")
    is_wild = rest.startswith(_WILDCARD)
    known = normal(f"{scheme}://{rest.removeprefix(_WILDCARD)}")
    if known is None or (is_wild and "[" in rest):
        raise SettingError(
            SETTING,
            "has a part that is not an origin; write https://a.example, https://*.example.org or *",
        )
    return known.replace("://", f"://{_WILDCARD}") if is_wild else known
