"""Edge: the binding and the roster this terminal holds, as files that survive a restart.

Beside them enrolment may have left `predecessor.note`: the last cosigned note of the hardware
that this one replaces.

What was received is kept as received, still signed and sealed, and checked again when read: a
terminal starts without a network, on what it was last told. Whole files, replaced durably.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ciao import binding, wire
from ciao.binding import BindingRefused, Signed
from ciao.checkpoint import Checkpoint
from ciao.journal import StoreFailed
from ciao.keys import replace_file
from ciao.names import Origin
from ciao.notes import VerifierKey, parse
from ciao.reading import Reading
from ciao.roster import Roster, open_roster

SERIAL_NONE = 0
PREDECESSOR = "predecessor.note"
BEFORE_MAX = 64
_BINDINGS = "bindings.json"


class _Kept(msgspec.Struct, frozen=True):
    """The message as received, and the bundle in force, which it may no longer hold."""

    message: bytes
    in_force: str | None = None
    # Those that were in force before, which entries still name; oldest first.
    before: list[str] = []


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom this terminal believes, and what only it can open."""

    terminal: str
    provisioning: VerifierKey
    seal_key: X25519PrivateKey


@dataclass(slots=True)
class Held:
    """What is held now. `bound` is the bundle in force; without one nothing can be stamped.

    `predecessor` is the cosigned note of the hardware before this one, where there was one.
    """

    directory: Path
    trust: Trust
    bound: Signed | None = None
    roster: Roster | None = None
    predecessor: str | None = None
    _message: bytes = b""
    known: Sequence[Signed] = field(default_factory=list)
    _trusted: list[VerifierKey] = field(default_factory=list)
    _before: list[str] = field(default_factory=list)

    def load(self) -> list[str]:
        """Read what was kept; return a reason for each file that no longer holds."""
        self._trusted = [self.trust.provisioning]
        problems = []
        try:
            kept = msgspec.json.decode(self._bindings.read_bytes(), type=_Kept)
            self._take(kept.message, None)
            if kept.in_force is not None:
                self.bound = binding.open_signed(kept.in_force, self._trusted)
            self._before = kept.before
        except FileNotFoundError:
            pass
        except (msgspec.MsgspecError, BindingRefused, OSError) as error:
            problems.append(f"{self._bindings.name}: {error}")
        try:
            self.roster = self._open_roster(self._rosters.read_bytes(), SERIAL_NONE)
        except FileNotFoundError:
            pass
        except (BindingRefused, OSError) as error:
            problems.append(f"{self._rosters.name}: {error}")
        try:
            self.predecessor = self._read_predecessor()
        except FileNotFoundError:
            pass
        except (ValueError, OSError) as error:
            problems.append(f"{PREDECESSOR}: {error}")
        return problems

    def bindings_arrived(self, message: bytes) -> None:
        """Check and keep a binding message; raise BindingRefused, then nothing changed.

        Raises StoreFailed where it could not be kept: then it serves until the next start.
        """
        if len(message) > wire.MESSAGE_SIZE_MAX:
            raise BindingRefused("malformed", f"{len(message)} bytes")
        if message == self._message:
            return
        self._take(message, max(self.known, key=_serial, default=None))
        self._keep()

    def roster_arrived(self, sealed: bytes) -> None:
        """Check and keep a sealed roster; raise BindingRefused or StoreFailed, as above."""
        serial = self.roster.serial if self.roster else SERIAL_NONE
        roster = self._open_roster(sealed, serial)
        if roster != self.roster:
            self.roster = roster
            _replace(self._rosters, sealed)

    def due(self, now: Reading) -> Signed | None:
        """Return the bundle that should come into force now, or None where nothing changes."""
        chosen = binding.in_force(self.known, self.bound, now)
        if chosen is None or (self.bound and chosen.sha256 == self.bound.sha256):
            return None
        return chosen

    def enforce(self, chosen: Signed) -> None:
        """A bundle came into force; its entry is in the journal already. Raises StoreFailed."""
        if self.bound is not None:
            self._before = [*self._before, self.bound.note][-BEFORE_MAX:]
        self.bound = chosen
        self._keep()

    @property
    def _bindings(self) -> Path:
        return self.directory / _BINDINGS

    @property
    def _rosters(self) -> Path:
        return self.directory / "roster.sealed"

    def _read_predecessor(self) -> str:
        """Read the note; raise ValueError unless it is of a log of this terminal."""
        note = (self.directory / PREDECESSOR).read_text(encoding="utf-8")
        origin = Origin.parse(Checkpoint.parse(parse(note).text).origin)
        if origin.owner != self.trust.terminal:
            raise ValueError(f"a note of another terminal's log: {origin}")
        return note

    def _take(self, message: bytes, newest: Signed | None) -> None:
        trust = self.trust
        serial_min = newest.binding.serial if newest else SERIAL_NONE
        opened = binding.open_message(message, trust.provisioning, trust.terminal, serial_min)
        last = opened[-1]
        if newest and last.binding.serial == serial_min and last.sha256 != newest.sha256:
            raise BindingRefused("older", f"another bundle of serial {serial_min}")
        self.known = opened
        self._message = message
        links = msgspec.json.decode(message, type=binding.Bindings).succession
        self._trusted = binding.trusted_keys(trust.provisioning, links)

    def _keep(self) -> None:
        kept = _Kept(self._message, self.bound.note if self.bound else None, self._before)
        _replace(self._bindings, msgspec.json.encode(kept))

    def _open_roster(self, sealed: bytes, serial_min: int) -> Roster:
        trust = self.trust
        return open_roster(sealed, trust.seal_key, self._trusted, trust.terminal, serial_min)


def kept_bindings(directory: Path) -> tuple[list[str], list[str]]:
    """Read from outside every bundle a terminal keeps, as signed, and the succession of keys.

    None where there is none, or none that can be read: then its entries can't be tied to one.
    """
    try:
        kept = msgspec.json.decode((directory / _BINDINGS).read_bytes(), type=_Kept)
        message = msgspec.json.decode(kept.message, type=binding.Bindings)
    except (OSError, msgspec.MsgspecError):
        return [], []
    in_force = [kept.in_force] if kept.in_force is not None else []
    every = dict.fromkeys([*kept.before, *in_force, *message.bindings])
    return list(every), message.succession


def _serial(signed: Signed) -> int:
    return signed.binding.serial


def _replace(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise StoreFailed(f"{path}: {error}") from error
