"""What a call ended with, for the ledger: a word that names no person, and the rest sealed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.onss.answers import Answer, Outcome

# (plaintext, info) -> sealed. Who holds the private key can read what the service answered.
SealAnswer = Callable[[bytes, bytes], bytes]


def in_a_word(answer: Outcome) -> str:
    """Name how a call ended: its HTTP status, or why there was no answer."""
    return str(answer.status) if isinstance(answer, Answer) else answer.reason.value


def plaintext(answer: Outcome) -> bytes:
    """Write an outcome whole, body and all: to be sealed, it may echo a NISS."""
    if isinstance(answer, Answer):
        fields = {
            "status": answer.status,
            "headers": dict(answer.headers),
            "body": answer.body,
            "trace_id": answer.trace_id,
            "renewed": answer.renewed,
        }
    else:
        fields = {"reason": answer.reason, "sent": answer.sent, "trace_id": answer.trace_id}
    return msgspec.json.encode(fields)


def attempt_info(attempt: int) -> bytes:
    """Bind a sealed answer to its attempt."""
    return f"ciao/1 attempt {attempt}".encode()


def search_info(tap: int) -> bytes:
    """Bind a sealed search answer to its tap."""
    return f"ciao/1 search {tap}".encode()
