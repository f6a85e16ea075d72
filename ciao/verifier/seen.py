"""Cosigned checkpoints, each checked once: signatures, quorum, and its moment. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ciao import notes
from ciao.checkpoint import Checkpoint
from ciao.notes import Note, NoteBroken, VerifierKey
from ciao.verifier.findings import Findings, Place
from ciao.verifier.policy import Policy
from ciao.verifier.timing import CLOSE_S


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint that its log signed; `moment_s` is when the quorum had cosigned it.

    `cosigners`: whom the policy names, each with when (Unix seconds).
    """

    size: int
    root: bytes
    sha256: str
    moment_s: int | None
    cosigners: Mapping[str, int]
    witnessed: bool = False


def own_checkpoint(note: str, key: VerifierKey, findings: Findings, place: Place) -> Seen | None:
    """Read a checkpoint of a log; None, with a failure said, where it is not the log's own."""
    found = _own(note, key, findings, place)
    return None if found is None else _seen(note, found[1], None, {})


def cosigned(
    note: str, key: VerifierKey, policy: Policy, findings: Findings, place: Place
) -> Seen | None:
    """Read a checkpoint that the quorum must have cosigned; None, with a failure said, if not."""
    found = _own(note, key, findings, place)
    if found is None:
        return None
    parsed, checkpoint = found
    at = place.sized(checkpoint.size)
    try:
        times = policy.times(parsed)
    except NoteBroken:
        findings.fail("cosignature", at)
        return _seen(note, checkpoint, None, {})
    moment_s = policy.moment(times)
    if moment_s is None:
        findings.fail("quorum", at)
    witnessed_s = policy.witnessed(times)
    if moment_s is not None and abs((witnessed_s or moment_s) - moment_s) > CLOSE_S:
        findings.fail("witness_time", at)
    return _seen(note, checkpoint, moment_s, times, witnessed_s is not None)


def add_times(known: dict[str, tuple[int, int]], more: Mapping[str, tuple[int, int]]) -> None:
    """Widen each cosigner's first and last time by further ones."""
    for name, (first, last) in more.items():
        begun, ended = known.get(name, (first, last))
        known[name] = (min(begun, first), max(ended, last))


def _own(
    note: str, key: VerifierKey, findings: Findings, place: Place
) -> tuple[Note, Checkpoint] | None:
    try:
        parsed = notes.parse(note)
        notes.verify(parsed, key)
        checkpoint = Checkpoint.parse(parsed.text)
        if checkpoint.origin != key.name:
            raise NoteBroken("a checkpoint of another log")
    except NoteBroken:
        findings.fail("log_signature", place)
        return None
    return parsed, checkpoint


def _seen(
    note: str,
    checkpoint: Checkpoint,
    moment_s: int | None,
    cosigners: Mapping[str, int],
    witnessed: bool = False,
) -> Seen:
    digest = hashlib.sha256(note.encode()).hexdigest()
    return Seen(checkpoint.size, checkpoint.root, digest, moment_s, cosigners, witnessed)
