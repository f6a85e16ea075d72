"""What the gateway needs of the registry: the seam between the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from ciao.binding import Binding
from provisioning.registry.records import Resolution, Terminal

# Opens sealed bytes for their place (`info`); raises SealBroken. One for each HPKE key we hold.
Opener = Callable[[bytes, bytes], bytes]


class People(Protocol):
    """`provisioning.registry.Registry`, or its twin in tests. Only read from; nothing is cached."""

    def version(self) -> int:
        """Count its changes: another number, another content."""

    def badge_hmac(self, uid: bytes) -> bytes:
        """Name a badge by a keyed HMAC, 32 bytes."""

    def resolve(self, badge_hmac: bytes, at: datetime) -> Resolution | None:
        """Say whose badge it was at a moment; None where nobody's, as far as is known now."""

    def terminal(self, terminal: str) -> Terminal | None:
        """Look up a terminal."""

    def terminals(self) -> Sequence[Terminal]:
        """List the terminals."""

    def site_of(self, terminal: str) -> str:
        """Name the site that a terminal was bound to last; "" where it never was."""

    def binding(self, sha256: str) -> Binding | None:
        """Return any bundle ever issued, by its hash; raise BindingRefused if tampered with."""

    def binding_message(self, terminal: str, at: datetime) -> bytes | None:
        """Return the retained message with a terminal's bundles."""

    def sealed_roster(self, terminal: str) -> bytes | None:
        """Return a terminal's newest roster, sealed to it."""
