"""The project's settings for Roomlog: the dictionary `ROOMLOG`, with a default for each key.

Before the message's way. Nothing else in the app reads a setting of its own. What stands here is believed;
`checks` finds what is wrong with it. It must not import models, which may not be ready.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from django.conf import settings

from roomlog.file_types import TYPES
from roomlog_contract import limits
from roomlog_contract.keyspace import DEFAULT_PREFIX, Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_runtime.redis_url import DEFAULT_URL

SETTING: Final = "ROOMLOG"
FORM_BYTES: Final = 64 * 1024
"""What the form of an upload has beside its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a project may say, each under the field's name in capitals."""

    redis_url: str = DEFAULT_URL
    """The Redis of gateways and workers."""
    redis_prefix: str = DEFAULT_PREFIX
    """What every key and channel begins with: another one for each install that shares a Redis."""
    shards: int = DEFAULT_SHARDS
    """How many shards the rooms are spread over, the same as in gateways; the first `migrate` fixes it."""
    websocket_url: str | None = None
    """Where the chat page connects to; empty for `ws` beside the page, None for that or, under DEBUG, for the
    gateway's usual port on the page's host."""
    find_people: str = "shared_rooms"
    """Whom a signed-in person finds by name: `finding.FindPeople`."""
    people: str | None = None
    """Dotted path of the function that names people and has their pictures: `people_hook`."""
    authenticators: Sequence[str] = ("authtoken", "bots")
    """Whose tokens sign in, by name or as dotted paths of functions: `authenticators`."""
    policy: str | None = None
    """Dotted path of the class or module with the project's own rules: `policy`."""
    edit_window_seconds: float | None = None
    """How old a message may be when its author edits it; None: any age."""
    retention_days: int | None = None
    """After how many days a room's events are pruned, unless the room has a rule of its own; None: never."""
    away_seconds: float = 60.0
    """How old a message is when `signals.message_missed` is sent.

    A connection that broke unnoticed counts as there for up to 50 s.
    """
    webhooks: str = "off"
    """Where `roomlog chores` delivers webhooks to: `off` (nowhere), `public` or `private`.

    `public`: addresses of the Internet, by https; `private` also allows private networks and http.
    """
    proxies: int = 0
    """Trusted proxies in front: so many of X-Forwarded-For's last addresses are true."""
    attachment_bytes: int = 10 * 1024 * 1024
    """The largest file that people upload."""
    attachment_bytes_per_day: int = 200 * 1024 * 1024
    """What one person uploads within 24 h."""
    attachment_types: Sequence[str] = TYPES
    """The media types of files that people upload; `file_types` says how a file gets its type."""
    attachment_redirect: bool = False
    """Send downloads to the storage's own signed address, as S3 has it, instead of passing bytes on."""
    partitions: int = 0
    """Into how many parts `migrate` splits the log of a new database, by room; 0: it is one table.

    Decided once, by migration 0014, while the log is empty.
    """
    read_replica: str | None = None
    """Alias of a replica in DATABASES, for history and searches; None: the primary answers everything."""
    rooms_per_user: int = limits.ROOMS_PER_USER
    room_creations_per_minute: int = limits.ROOM_CREATIONS_PER_MINUTE

    @property
    def upload_bytes(self) -> int:
        """Return how large an upload's request may be: the file, and a form around it."""
        return self.attachment_bytes + FORM_BYTES

    @property
    def keyspace(self) -> Keyspace:
        """Return what this install's keys and channels are called."""
        return Keyspace(self.redis_prefix, self.shards)


KEYS: Final = {field.name.upper(): field.name for field in fields(Configuration)}


def said() -> Mapping[str, Any]:
    """Return what the project's settings say, unchecked."""
    dictionary = getattr(settings, SETTING, {})
    return dictionary if isinstance(dictionary, Mapping) else {}


def configuration() -> Configuration:
    """Return the settings of this moment; keys that don't exist are `checks`' to find."""
    return Configuration(**{KEYS[key]: value for key, value in said().items() if key in KEYS})
