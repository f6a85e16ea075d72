"""Something fresh to sign: a terminal whose clock is wrong can't be asked for the time. Pure.

A challenge is its time, a nonce, and our own keyed hash of both, so none need be kept. One may be
used again within its five minutes: whoever does gets the certificate of the same key once more.
"""

from __future__ import annotations

import hmac

CHALLENGE_LIFE_S = 300
NONCE_SIZE = 16


def make(key: bytes, nonce: bytes, now_s: int) -> str:
    """Make a challenge."""
    text = f"{now_s}.{nonce.hex()}"
    return f"{text}.{_mac(key, text)}"


def holds(key: bytes, challenge: str, now_s: int) -> bool:
    """Say whether a challenge is ours, and recent."""
    text, _, mac = challenge.rpartition(".")
    if not hmac.compare_digest(_mac(key, text).encode(), mac.encode()):
        return False
    return 0 <= now_s - int(text.partition(".")[0]) <= CHALLENGE_LIFE_S


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()
