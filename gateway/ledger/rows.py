"""What the ledger holds, as values."""

from __future__ import annotations

from dataclasses import dataclass

from ciao.registration import State


@dataclass(frozen=True, slots=True)
class Log:
    """One segment of a terminal: its key, how far we hold it, and our newest receipt."""

    id: int
    origin: str
    terminal: str
    key: bytes
    certificate: str
    size: int
    checkpoint: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was so, by the wall clock and by the time since a boot.

    Only the second can be trusted for how long ago it was: wall clocks are set.
    """

    at_ms: int
    boot: str
    up_ms: int

    def elapsed_ms(self, now: Moment) -> int:
        """How long ago at least; after a reboot, all that is sure is the time since then."""
        return now.up_ms - self.up_ms if now.boot == self.boot else now.up_ms


@dataclass(frozen=True, slots=True)
class NewTap:
    """A tap as it comes into the ledger. `first_*` is where it was first journalled.

    `synced` says whether the terminal's clock could be trusted.
    """

    terminal: str
    payload: bytes
    log: int
    seq: int
    first_origin: str
    first_seq: int
    at: str
    at_ms: int
    received_ms: int
    direction: str
    fresh: bool
    synced: bool


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap as the ledger knows it now.

    `badge` is the keyed HMAC of its UID once it was unsealed, b"" where it can't be; `worker`
    the registry's opaque name for the person. `flag` says what is odd about it.
    """

    id: int
    terminal: str
    payload: bytes
    log: int
    seq: int
    first_origin: str
    first_seq: int
    at: str
    at_ms: int
    received_ms: int
    direction: str
    fresh: bool
    flag: str | None
    badge: bytes | None
    worker: str | None
    employer: str | None
    onss_id: str | None
    state: State
    reason: str | None
    since: Moment
    tries: int
    alone: bool
    due_ms: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A tap's leaf and its sealed payload; None where the payload is gone."""

    leaf: bytes
    payload: bytes | None
