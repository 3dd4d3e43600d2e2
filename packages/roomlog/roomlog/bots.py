"""Bots: accounts that programs sign in to, with tokens of `BotToken`.

Before the message's way. Sockets and REST take these tokens where `ROOMLOG["AUTHENTICATORS"]` names `bots`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone

from .bot_token import BotToken
from .people import as_user, is_active
from .shown_once import digest_of, new_secret
from .signed_in import SignedIn

PREFIX: Final = "roomlog_bot_"
"""By it the database is asked about no other token, and scanners find one that was published."""
MOST_DAYS: Final = 3_650
USE_NOTED_EVERY: Final = timedelta(hours=1)
"""A request writes nothing if the last noted use is younger."""


def make_token(row: BotToken, days: int) -> str:
    """Store a new row of a person and a name, and return its token, which nobody can read again.

    It ends after so many days, at most MOST_DAYS.

    Raises:
        IntegrityError: the person has a token of this name.
    """
    token = PREFIX + new_secret()
    row.digest, row.expires_at = digest_of(token), timezone.now() + timedelta(days=days)
    row.save(force_insert=True)
    return token


def bot_account(name: str) -> AbstractBaseUser:
    """Return the account of this login name, made without a password if it is missing.

    Raises:
        ValidationError: the project's accounts need more than a name: make it yourself.
    """
    model = get_user_model()
    found = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    if found is not None:
        return found
    made = model(**{model.USERNAME_FIELD: name})
    made.set_unusable_password()
    made.full_clean(exclude=["password"])
    made.save()
    return made


def account_of(token: str) -> tuple[AbstractBaseUser, datetime] | None:
    """Return the active account of a token that has not ended, and the token's end."""
    row = next(iter(_valid([token])), None)
    if row is None or row.person.user is None:
        return None
    return row.person.user, row.expires_at


def signed_in_bots(tokens: Collection[str]) -> dict[str, SignedIn]:
    """Return whose tokens these are, without strangers', in one query; none where no token is a bot's."""
    by_digest = {digest_of(token): token for token in tokens}
    now = timezone.now()
    return {
        by_digest[row.digest]: SignedIn(
            as_user(row.person), max(1, round((row.expires_at - now).total_seconds() * 1_000))
        )
        for row in _valid(tokens)
    }


def _valid(tokens: Iterable[str]) -> list[BotToken]:
    digests = [digest_of(token) for token in tokens if token.startswith(PREFIX)]
    if not digests:
        return []
    now = timezone.now()
    rows = BotToken.objects.filter(is_active("person__user"), digest__in=digests, expires_at__gt=now)
    found = list(rows.select_related("person__user"))
    _note_use(found, now)
    return found


def _note_use(rows: Iterable[BotToken], now: datetime) -> None:
    """Store that these are in use, unless that is known of the last hour."""
    oldest = now - USE_NOTED_EVERY
    stale = [row.pk for row in rows if row.last_used_at is None or row.last_used_at < oldest]
    if stale:
        BotToken.objects.filter(pk__in=stale).update(last_used_at=now)
