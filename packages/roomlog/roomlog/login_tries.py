"""Counts tries to log in, by name and by address, in the database: one count for all processes and doors.

Before people's first request. A try is written before the password is hashed, so parallel tries can't pass a
limit together. Strangers must not lock anybody out: where a name has logged in from before, only failures
there count.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .configuration import configuration
from .models import LoginTry

PAIR_FAILURES: Final = 10
"""Of one name from one address in PAUSE: a person mistypes a few times."""
ADDRESS_FAILURES: Final = 30
"""Of all names from one address in PAUSE."""
PAUSE: Final = timedelta(minutes=1)
NAME_FAILURES: Final = 100
"""Of one name from all addresses that it never logged in from, in NAME_PAUSE: a botnet gets 2,400 a day."""
NAME_PAUSE: Final = timedelta(hours=1)
KNOWN: Final = timedelta(days=90)
"""How long an address counts as one that the name logged in from."""
PRUNED: Final = 100
"""Rows thrown away with each try: more than one try adds."""
IPV6_PREFIX: Final = 64
"""One customer's network: addresses within it cost nothing."""


class TooManyTries(Exception):
    """The password was not looked at. Every door answers 429."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too many tries")
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures within so much time."""

    tries: QuerySet[LoginTry]
    failures: int
    pause: timedelta

    def opens_at(self, now: datetime) -> datetime | None:
        """Return when another try may come, or None if one may now."""
        recent = self.tries.filter(has_succeeded=False, tried_at__gt=now - self.pause).order_by("-tried_at")
        over = recent.values_list("tried_at", flat=True)[self.failures : self.failures + 1]
        return next((tried_at + self.pause for tried_at in over), None)


def begin(name: str, request: HttpRequest | None) -> LoginTry:
    """Write a try down as failed and return it.

    Raises:
        TooManyTries: there were too many failures; this one does not count.
    """
    now = timezone.now()
    _prune(now)
    known, address = _digest("name", name), _digest("address", address_of(request))
    attempt = LoginTry.objects.create(name=known, address=address, tried_at=now, kept_until=now + NAME_PAUSE)
    opens = [opens_at for limit in _limits(attempt) if (opens_at := limit.opens_at(now)) is not None]
    if opens:
        attempt.delete()
        raise TooManyTries(max(1, round((max(opens) - now).total_seconds())))
    return attempt


def succeed(attempt: LoginTry) -> None:
    """Remember that this name logged in from this address, in place of the times before."""
    LoginTry.objects.filter(name=attempt.name, address=attempt.address, has_succeeded=True).delete()
    attempt.has_succeeded = True
    attempt.kept_until = attempt.tried_at + KNOWN
    attempt.save(update_fields=["has_succeeded", "kept_until"])


def address_of(request: HttpRequest | None) -> str:
    """Return who asks: the peer, or what the last trusted proxies wrote into X-Forwarded-For."""
    if request is None:
        return ""
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    proxies = configuration().proxies
    if proxies and forwarded[-1]:
        address = forwarded[-min(proxies, len(forwarded))]
    return _network(address)


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ip_network((parsed.packed, IPV6_PREFIX), strict=False))
    return str(parsed)


def _limits(attempt: LoginTry) -> list[Limit]:
    pair = LoginTry.objects.filter(name=attempt.name, address=attempt.address)
    of_pair = Limit(pair, PAIR_FAILURES, PAUSE)
    if pair.filter(has_succeeded=True).exists():
        return [of_pair]  # its owner's: strangers elsewhere don't count here
    return [
        of_pair,
        Limit(LoginTry.objects.filter(address=attempt.address), ADDRESS_FAILURES, PAUSE),
        Limit(LoginTry.objects.filter(name=attempt.name), NAME_FAILURES, NAME_PAUSE),
    ]


def _prune(now: datetime) -> None:
    old = LoginTry.objects.filter(kept_until__lt=now).values_list("pk", flat=True)[:PRUNED]
    if keys := list(old):
        LoginTry.objects.filter(pk__in=keys).delete()


def _digest(kind: str, value: str) -> str:
    return salted_hmac(f"roomlog.tries.{kind}", value, algorithm="sha256").hexdigest()
