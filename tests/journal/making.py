"""A journal in a folder, entries to put into it, and a cosigner that receipts it."""

from __future__ import annotations

import hashlib
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ciao import entries, notes
from ciao.journal import Journal, Owner, Row
from ciao.journal.store import note_digest
from ciao.names import cosigner_name, enrolled_key_name
from ciao.notes import Signer
from hardware.clock import VirtualClock

DOMAIN = "badges.example.be"
TERMINAL = "hall-3"
ENROLLED = Signer(
    enrolled_key_name(DOMAIN, TERMINAL), Ed25519PrivateKey.from_private_bytes(b"e" * 32)
)
COSIGNER = Signer(cosigner_name(DOMAIN, "main"), Ed25519PrivateKey.from_private_bytes(b"c" * 32))
SHA = "ab" * 32


def a_clock() -> VirtualClock:
    """06:02 on a Monday morning in Brussels, well synchronised."""
    return VirtualClock(datetime(2026, 3, 2, 6, 2, tzinfo=ZoneInfo("Europe/Brussels")))


def a_journal(directory: Path, seed: int = 1) -> Journal:
    """A journal that is not open yet; its keys and segment ids follow from the seed."""
    owner = Owner(DOMAIN, TERMINAL, ENROLLED)
    return Journal(directory, owner, random.Random(seed).randbytes, "test")


@contextmanager
def opened(directory: Path, seed: int = 1) -> Iterator[Journal]:
    """An open journal, for as long as the block lasts."""
    journal = a_journal(directory, seed)
    journal.open(a_clock()())
    try:
        yield journal
    finally:
        journal.close()


def tap(journal: Journal, payload: bytes | None = None) -> bytes:
    """Append a tap with a payload; return the payload."""
    sealed = payload if payload is not None else f"sealed {journal.size}".encode()
    entry = entries.Tap(
        **entries.common(a_clock()(), journal.size),
        direction="in",
        chosen="button",
        declaration="1Y1000NF9KCQZ",
        binding=SHA,
        tier="uid",
        key=SHA[:16],
        payload=hashlib.sha256(sealed).hexdigest(),
        opening=SHA,
    )
    journal.append(entry, sealed)
    return sealed


def boot(journal: Journal) -> None:
    """Append an entry without a payload."""
    journal.append(entries.Boot(**entries.common(a_clock()(), journal.size), clean=True))


def heartbeat(journal: Journal, note: str | None = None) -> None:
    """Append a heartbeat that names a cosigned note."""
    digest = note_digest(note) if note else None
    common = entries.common(a_clock()(), journal.size)
    journal.append(entries.Heartbeat(**common, works={"reader": True}, note=digest))


def cosigned(journal: Journal, size: int | None = None, at_s: int = 1772427732) -> str:
    """The receipt that a gateway would give for the journal's first `size` entries."""
    checkpoint = journal.checkpoint(journal.size if size is None else size)
    return COSIGNER.cosign(notes.parse(checkpoint), at_s).encode()


def settle(journal: Journal, size: int | None = None) -> str:
    """Receipt the journal up to a size; return the cosigned note."""
    note = cosigned(journal, size)
    journal.settle(note, journal.size if size is None else size)
    return note


def everything(journal: Journal) -> list[Row]:
    """Every entry of the current segment."""
    return list(journal.rows(0, journal.size))


def decoded(journal: Journal) -> list[entries.Entry]:
    """Every entry of the current segment, read back."""
    return [entries.decode(row.leaf) for row in everything(journal)]


@contextmanager
def full_disk(bytes_max: int = 0) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond so many bytes.

    A real refusal by a real file system, of every write that a full disk would refuse.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
