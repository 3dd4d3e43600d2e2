"""The dictionary `ROOMLOG`: keys that don't exist, and values that can't be meant."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import DEFAULT_DB_ALIAS
from django.utils.module_loading import import_string

from roomlog.authenticators import APPS, BOTS, SIMPLEJWT
from roomlog.configuration import KEYS, SETTING
from roomlog.file_types import KNOWN
from roomlog.finding import FindPeople
from roomlog.partitions import MOST_PARTITIONS
from roomlog.policy import QUESTIONS, policy_at
from roomlog_contract.limits import REPEAT_DAYS
from roomlog_contract.shards import SHARD_NUMBERS
from roomlog_runtime.errors import SettingError
from roomlog_runtime.redis_prefix import check_redis_prefix
from roomlog_runtime.redis_url import DEFAULT_URL, check_redis_url

from .tag import TAG

MOST_PROXIES: Final = 10
MOST_SECONDS: Final = 86_400
WEBHOOKS: Final = ("off", "public", "private")
_SOCKET: Final = re.compile(r"wss?://[^/\s?#]+(/[^\s?#]*)?")


@register(TAG)
def check_values(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse a dictionary that says something else than its project means."""
    dictionary = getattr(settings, SETTING, {})
    if not isinstance(dictionary, Mapping):
        hint = f'Write {SETTING} = {{"REDIS_URL": "{DEFAULT_URL}"}}.'
        return [Error(f"{SETTING} is no dictionary.", hint=hint, id="roomlog.E014")]
    return [*_unknown(dictionary), *_wrong(dictionary), *_missing(dictionary)]


def _unknown(dictionary: Mapping[Any, Any]) -> Iterator[CheckMessage]:
    for key in dictionary:
        if key not in KEYS:
            near = get_close_matches(str(key).upper(), KEYS, n=1)
            hint = f'Write "{near[0]}".' if near else f"The keys are {', '.join(sorted(KEYS))}."
            yield Error(f"{SETTING}[{key!r}] is no setting of Roomlog.", hint=hint, id="roomlog.E003")


def _wrong(dictionary: Mapping[Any, Any]) -> Iterator[CheckMessage]:
    for key, check in _CHECKS.items():
        hint = check(dictionary[key]) if key in dictionary else None
        if hint:
            # Never the value: an address may hold a password.
            yield Error(f'{SETTING}["{key}"] has a wrong value.', hint=hint, id="roomlog.E004")


def _missing(dictionary: Mapping[Any, Any]) -> Iterator[CheckMessage]:
    if "REDIS_URL" not in dictionary and not settings.DEBUG:
        hint = f'Write {SETTING} = {{"REDIS_URL": "redis://host:6379/0", …}}, as gateways have it.'
        yield Error(f'{SETTING}["REDIS_URL"] is not set.', hint=hint, id="roomlog.E005")


def _redis_url(value: Any) -> str | None:
    return _refusal(check_redis_url, value)


def _redis_prefix(value: Any) -> str | None:
    return _refusal(check_redis_prefix, value)


def _shards(value: Any) -> str | None:
    is_known = isinstance(value, int) and value in SHARD_NUMBERS
    return None if is_known else f"Write one of {', '.join(map(str, SHARD_NUMBERS))}."


def _refusal(check: Callable[[str], object], value: Any) -> str | None:
    """Return what the other services say of the same value."""
    if not isinstance(value, str):
        return "Write a text."
    try:
        check(value)
    except SettingError as error:
        return f"{error}."
    return None


def _websocket_url(value: Any) -> str | None:
    if value is None or value == "" or (isinstance(value, str) and _SOCKET.fullmatch(value)):
        return None
    return 'Write an address as in "wss://chat.example.org/ws", or "" for `ws` beside the chat page.'


def _find_people(value: Any) -> str | None:
    choices = [choice.value for choice in FindPeople]
    return None if value in choices else f"Write one of {', '.join(choices)}."


def _webhooks(value: Any) -> str | None:
    if value not in WEBHOOKS:
        return f"Write one of {', '.join(WEBHOOKS)}."
    is_missing = value != "off" and find_spec("aiohttp") is None
    return "Install what delivers them: roomlog[webhooks]." if is_missing else None


def _proxies(value: Any) -> str | None:
    return _whole_number(value, 0, MOST_PROXIES)


def _seconds(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if is_number and 0 <= value <= MOST_SECONDS else f"Write seconds from 0 to {MOST_SECONDS}."


def _window(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if value is None or (is_number and value > 0) else "Write seconds above 0, or None."


def _retention(value: Any) -> str | None:
    hint = _whole_number(value, REPEAT_DAYS, None)
    return f"{hint[:-1]}, or None to keep everything." if hint and value is not None else None


def _at_least_one(value: Any) -> str | None:
    return _whole_number(value, 1, None)


def _whole_number(value: Any, least: int, most: int | None) -> str | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and value >= least and (most is None or value <= most):
        return None
    return f"Write a whole number from {least}{'' if most is None else f' to {most}'}."


def _types(value: Any) -> str | None:
    is_known = isinstance(value, list | tuple) and set(map(str, value)) <= KNOWN
    return None if is_known else f"Write a list of {', '.join(sorted(KNOWN))}."


def _partitions(value: Any) -> str | None:
    return _whole_number(value, 0, MOST_PARTITIONS)


def _replica(value: Any) -> str | None:
    entry = settings.DATABASES.get(value) if isinstance(value, str) and value != DEFAULT_DB_ALIAS else None
    if value is None or (entry is not None and "postg" in entry["ENGINE"]):
        return None
    return 'Write the alias of a PostgreSQL replica in DATABASES other than "default", or None.'


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "Write True or False."


def _authenticators(value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return f"Write a list of {', '.join(APPS)}, {BOTS} and dotted paths of functions."
    return next((hint for name in value if (hint := _authenticator(name))), None)


def _authenticator(name: Any) -> str | None:
    if name == BOTS:
        return None
    if name not in APPS:
        return _function(name)
    if find_spec(APPS[name].partition(".")[0]) is None:
        return f"Install the package of {APPS[name]}."
    is_missing = name != SIMPLEJWT and not apps.is_installed(APPS[name])
    return f'Write INSTALLED_APPS += ["{APPS[name]}"] for {name}.' if is_missing else None


def _function(value: Any) -> str | None:
    if value is None:
        return None
    try:
        found = import_string(value)
    except (ImportError, AttributeError, TypeError) as error:
        return f'Write the dotted path of a function, as in "shop.chat.people" ({type(error).__name__}).'
    return None if callable(found) else f"{value} can't be called: write the dotted path of a function."


def _policy(value: Any) -> str | None:
    if value is None:
        return None
    try:
        found = policy_at(value)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        return (
            f'Write the dotted path of a class or module, as in "shop.chat.Rules" ({type(error).__name__}).'
        )
    unknown = [name for name in vars(found) if name.startswith("may_") and name not in QUESTIONS]
    return f"{unknown[0]} is no question: write {', '.join(QUESTIONS)}." if unknown else None


_CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = {
    "REDIS_URL": _redis_url,
    "REDIS_PREFIX": _redis_prefix,
    "SHARDS": _shards,
    "WEBSOCKET_URL": _websocket_url,
    "FIND_PEOPLE": _find_people,
    "PEOPLE": _function,
    "AUTHENTICATORS": _authenticators,
    "POLICY": _policy,
    "EDIT_WINDOW_SECONDS": _window,
    "RETENTION_DAYS": _retention,
    "AWAY_SECONDS": _seconds,
    "WEBHOOKS": _webhooks,
    "PROXIES": _proxies,
    "ATTACHMENT_BYTES": _at_least_one,
    "ATTACHMENT_BYTES_PER_DAY": _at_least_one,
    "ATTACHMENT_TYPES": _types,
    "ATTACHMENT_REDIRECT": _flag,
    "PARTITIONS": _partitions,
    "READ_REPLICA": _replica,
    "ROOMS_PER_USER": _at_least_one,
    "ROOM_CREATIONS_PER_MINUTE": _at_least_one,
}
assert _CHECKS.keys() == KEYS.keys(), "each setting has its check"
