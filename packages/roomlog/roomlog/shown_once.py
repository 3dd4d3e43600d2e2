"""Random secrets that are shown once and stored as hashes: bots' tokens and the addresses of incoming hooks.

Before the message's way. A fast hash is enough, because nobody guesses 256 random bits.
"""

import secrets
from hashlib import sha256


def new_secret() -> str:
    """Return 256 random bits in 43 characters that any address may hold."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return what is stored of a secret: 64 hex digits."""
    return sha256(secret.encode()).hexdigest()
