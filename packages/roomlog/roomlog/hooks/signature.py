"""Signs what is sent, as Standard Webhooks (standardwebhooks.com) says: any of its libraries verifies it."""

import base64
import hmac
from hashlib import sha256

from .webhook import SECRET_PREFIX


def signed_headers(secret: str, identity: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers of a delivery; `timestamp` is now, in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{identity}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, sha256)).decode()
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
