"""Tickets: a browser's pass for one authenticate, so that its token or session stays where it is.

Made by the api for a signed-in user, read by workers; both know the secret key. A ticket opens a socket for a
minute. It dies with the token or session that it came from and with the user's password, which the recheck of
a socket finds out. It shows neither: a token is bound by its digest, and a session's key is masked.
"""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from importlib import import_module
from secrets import token_hex
from typing import Any, Final, NamedTuple, cast

import msgspec
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature, Signer
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework.authtoken.models import Token

from . import selectors
from .models import Person
from .people import as_user, is_active, person_of
from .signed_in import SignedIn

SALT: Final = "roomlog.ticket"
TICKET_SECONDS: Final = 60
"""From the page's request to the worker's look. The database's clock measures both ends: those of machines
don't matter."""
DATABASE_SESSIONS: Final = (
    "Roomlog binds sockets to sessions and must find them in the database: set SESSION_ENGINE to "
    "django.contrib.sessions.backends.db or cached_db."
)


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """What a ticket says."""

    user: int
    """The person's id: whoever gets a deleted user's key is another person."""
    issued_at: float
    """Seconds since 1970 by the database's clock."""
    password: str
    """Digest of the user's session auth hash, which changes with the password."""
    token: str = ""
    """Digest of the token that it came from."""
    session: str = ""
    """Key of the session that it came from; masked in the ticket."""
    nonce: str = ""


def make_ticket(user: AbstractBaseUser, *, token: str = "", session: str = "") -> str:
    """Return a ticket for this user, bound to a token's key or a session's key, good for TICKET_SECONDS."""
    assert bool(token) != bool(session), "a ticket comes from a token or a session"
    nonce = token_hex(16)
    ticket = Ticket(
        user=person_of(user).pk,
        issued_at=selectors.database_seconds(),
        password=_digest(user.get_session_auth_hash()),
        token=_digest(token) if token else "",
        session=_mask(session.encode(), nonce, str(settings.SECRET_KEY)).hex(),
        nonce=nonce,
    )
    return Signer(salt=SALT).sign_object(msgspec.to_builtins(ticket))


def read_ticket(text: str) -> Ticket | None:
    """Return what a ticket says, however old, or None if it is not ours."""
    for secret in map(str, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)):
        try:
            said = Signer(key=secret, fallback_keys=[], salt=SALT).unsign_object(text)
            ticket = msgspec.convert(said, Ticket)
            session = _mask(bytes.fromhex(ticket.session), ticket.nonce, secret).decode()
        except (BadSignature, ValueError, msgspec.ValidationError):
            continue
        return msgspec.structs.replace(ticket, session=session)
    return None


def signed_in_by_ticket(asked: Collection[tuple[str, bool]]) -> dict[tuple[str, bool], SignedIn]:
    """Return the active user of each ticket whose token or session still stands.

    `asked` are tickets, each with whether it is a recheck: a socket that came in time may stay after the
    ticket's minute.
    """
    tickets = {one: ticket for one in asked if (ticket := read_ticket(one[0])) is not None}
    if not tickets:
        return {}
    oldest = 0.0 if all(recheck for _, recheck in tickets) else selectors.database_seconds() - TICKET_SECONDS
    standing = _Standing(tickets.values())
    return {
        (text, is_recheck): found
        for (text, is_recheck), ticket in tickets.items()
        if (is_recheck or ticket.issued_at >= oldest) and (found := standing.holder(ticket)) is not None
    }


def session_model() -> type[AbstractBaseSession]:
    """Return the table of the sessions.

    Raises:
        ImproperlyConfigured: the project keeps its sessions elsewhere.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not issubclass(store, SessionStore):
        raise ImproperlyConfigured(DATABASE_SESSIONS)
    return cast("type[AbstractBaseSession]", store.get_model_class())


class _Session(NamedTuple):
    said: Mapping[str, Any]
    expires_in_ms: int
    """By the database's clock."""


class _Standing:
    """What tickets are bound to, as the database has it now; read at once for all of them."""

    def __init__(self, tickets: Collection[Ticket]) -> None:
        ids = {ticket.user for ticket in tickets}
        self._people = Person.objects.select_related("user").filter(is_active("user")).in_bulk(ids)
        by_token = {ticket.user for ticket in tickets if ticket.token}
        keys = {ticket.session for ticket in tickets if ticket.session}
        self._tokens = _tokens_of(by_token) if by_token else {}
        self._sessions = _live_sessions(keys) if keys else {}

    def holder(self, ticket: Ticket) -> SignedIn | None:
        """Return the ticket's person if everything that it is bound to still stands, and until when."""
        person = self._people.get(ticket.user)
        user = None if person is None else person.user
        if user is None or not _is_among(ticket.password, map(_digest, _auth_hashes(user))):
            return None
        assert person is not None
        if ticket.token:
            stands = _is_among(ticket.token, [self._tokens.get(ticket.user, "")])
            return SignedIn(as_user(person)) if stands else None
        session = self._sessions.get(ticket.session, _Session({}, 0))
        is_theirs = session.said.get(SESSION_KEY) == user._meta.pk.value_to_string(user)
        stands = is_theirs and _is_among(session.said.get(HASH_SESSION_KEY, ""), _auth_hashes(user))
        return SignedIn(as_user(person), session.expires_in_ms) if stands else None


def _tokens_of(people: Collection[int]) -> dict[int, str]:
    """Return the digest of each person's token."""
    rows = Token.objects.filter(user__roomlog_person__in=people)
    return {person: _digest(key) for person, key in rows.values_list("user__roomlog_person", "key")}


def _live_sessions(keys: Collection[str]) -> dict[str, _Session]:
    rows: Any = session_model()._default_manager.filter(session_key__in=keys, expire_date__gt=Now())
    return {
        row.session_key: _Session(
            row.get_decoded(), round((row.expire_date - row.now).total_seconds() * 1000)
        )
        for row in rows.annotate(now=Now())
    }


def _auth_hashes(user: AbstractBaseUser) -> list[str]:
    """Return the hash that sessions of this user hold, and those of the secret keys before."""
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]


def _is_among(value: str, allowed: Collection[str] | Iterator[str]) -> bool:
    return any(constant_time_compare(value, one) for one in allowed)


def _digest(secret: str) -> str:
    # Tokens and auth hashes are random: nobody finds them from a digest.
    return sha256(secret.encode()).hexdigest()


def _mask(session: bytes, nonce: str, secret: str) -> bytes:
    """Mask a session's key, or unmask it: a pad that only the secret key gives, another for each ticket."""
    pad = salted_hmac(f"{SALT}.session", nonce, secret=secret, algorithm="sha512").digest()
    return bytes(a ^ b for a, b in zip(session, pad, strict=False))
