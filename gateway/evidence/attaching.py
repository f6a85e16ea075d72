"""What a bundle gets beside its rows: what an authority stamped in its time, and the report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from pyhanko.sign.timestamps import TimestampRequestError

from ciao.evidence import lines, stamped
from ciao.evidence.source import Log
from ciao.evidence.writer import Bundle
from ciao.names import GATEWAY_PREFIX
from ciao.tree import inclusion_proof
from gateway.report import making
from gateway.report.making import Told
from gateway.report.signing import Seal, sign

# A day's stamp comes within a day, and one more where the authority was away.
STAMPED_WITHIN = timedelta(days=2)
REASON = "evidence of attendance registration"

Stamped = tuple[datetime, bytes, bytes]


def add_stamps(bundle: Bundle, each: Iterable[Stamped]) -> int:
    """Add the lists of the bundle's time, with their replies; return how many."""
    number = 0
    for at, document, reply in each:
        if bundle.asked.start <= at <= bundle.asked.end + STAMPED_WITHIN:
            name = stamped.FOLDER + hashlib.sha256(document).hexdigest()
            bundle.add(name + stamped.DOCUMENT, document)
            bundle.add(name + stamped.REPLY, reply)
            number += 1
    return number


def add_deletions(bundle: Bundle, journal: Sequence[Log], said: Iterable[tuple[str, int]]) -> int:
    """Add what our own journal says was deleted, each entry with a proof; return how many.

    One that nobody has cosigned yet proves nothing, and is left out.
    """
    logs = {log.origin: log for log in journal}
    made = []
    for origin, seq in said:
        log = logs.get(origin)
        note = log.note_from(seq + 1) if log is not None and seq < log.size else None
        if log is None or note is None:
            continue
        (row,) = log.rows(seq, seq + 1)
        path = [part.hex() for part in inclusion_proof(seq, note.size, log.subtree)]
        line = lines.DeletionLine(log.certificate, note.note, seq, row.leaf.decode(), path)
        made.append(lines.encode(line))
    if made:
        bundle.add(lines.DELETIONS, b"".join(made))
    return len(made)


def add_report(bundle: Bundle, told: Told, seal: Seal | None, say: Callable[[str], None]) -> None:
    """Print the report of what was written, sign it, and add it; `say` tells what is missing."""
    if all(one.terminal.startswith(GATEWAY_PREFIX) for one in bundle.stretches):
        say("there is no report.pdf: no terminal wrote anything in this period")
        return
    printed = making.make(bundle, told)
    if seal is None:
        say("report.pdf is not signed: gateway.toml has no [report] with a certificate")
    else:
        try:
            printed = sign(printed, seal, REASON)
        except TimestampRequestError as error:
            say(f"report.pdf is signed without a time stamp: {error}")
            printed = sign(printed, seal.without_stamper(), REASON)
    bundle.add(making.PDF, printed)
