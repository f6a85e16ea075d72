"""What the ledger holds, as values."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

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
    boot: str
    up_ms: int
    synced: bool


class Tap(Struct, frozen=True):
    """A tap as the ledger knows it now; a Struct, because each goes through many states.

    `derived_at` (RFC 3339, and in ms) is its time by a later step of its terminal's clock, `basis`
    the entry that says so. `cleared` counts the restored backups after which it was searched for
    and not found; `released` where a person let it go.

    `badge` is the keyed HMAC of its UID once it was unsealed, b"" where it can't be; `worker`
    the registry's opaque name for the person. `flag` says what is odd about it. `polls` counts how
    often the ONSS was asked about it since it was accepted.
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
    boot: str
    up_ms: int
    synced: bool
    derived_at: str | None
    derived_ms: int | None
    basis: str | None
    cleared: int
    released: bool
    flag: str | None
    badge: bytes | None
    worker: str | None
    employer: str | None
    onss_id: str | None
    state: State
    reason: str | None
    tries: int
    polls: int
    alone: bool
    due_ms: int
    since: Moment

    @property
    def stamped_at(self) -> str:
        """When it was made, RFC 3339: as it says, or as it was derived."""
        return self.derived_at or self.at

    @property
    def stamped_ms(self) -> int:
        """The same, in milliseconds since 1970."""
        return self.at_ms if self.derived_ms is None else self.derived_ms

    @property
    def timed(self) -> bool:
        """Whether that can be trusted, or a person took it so."""
        return self.synced or self.derived_at is not None or self.released


@dataclass(frozen=True, slots=True)
class Sealed:
    """A tap's leaf and its sealed payload; None where the payload is gone."""

    leaf: bytes
    payload: bytes | None
