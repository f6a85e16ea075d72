"""What a call said and what it ended with, for the ledger: what may name a person is sealed."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from gateway.onss.answers import Answer, Outcome


class Sealer(Protocol):
    """Seals what was said to the service and by it, each for its place (`info`), and opens it."""

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """Seal."""

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Open what was sealed for this place; raise ciao.sealing.SealBroken."""


class Sent(msgspec.Struct, frozen=True):
    """What a call said of one stamp: as whose, by the registry's opaque name, and the item."""

    worker: str
    item: dict[str, Any]


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


def sent_info(trace_id: str, tap: int) -> bytes:
    """Bind what was sealed of one stamp to the call by its trace id."""
    return f"ciao/1 sent {trace_id} {tap}".encode()


def search_info(tap: int) -> bytes:
    """Bind a sealed search answer to its tap."""
    return f"ciao/1 search {tap}".encode()
