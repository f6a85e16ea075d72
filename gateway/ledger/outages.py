"""What terminals told of outages: read-only, while their gateway runs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from ciao import entries
from ciao.entries import Entry
from gateway.ledger.schema import IS_OUTAGE
from gateway.ledger.store import connect_read_only, explained


def outage_entries(path: Path, terminal: str | None = None) -> list[tuple[str, str, Entry]]:
    """List (terminal, origin, entry) of each entry on an outage, in order; raise BadInput.

    Found by an index of their own: it costs what there is, not what is held.
    """
    with closing(connect_read_only(path)) as db, explained(path):
        rows = db.execute(
            "SELECT log.terminal, log.origin, entry.leaf"
            " FROM entry INDEXED BY entry_outage JOIN log ON log.id = entry.log"
            f" WHERE {IS_OUTAGE} AND (? IS NULL OR log.terminal = ?)"
            " ORDER BY entry.log, entry.seq",
            [terminal, terminal],
        ).fetchall()
    found = []
    for owner, origin, leaf in rows:
        try:
            found.append((owner, origin, entries.decode(leaf)))
        except (entries.NotUnderstood, entries.LeafBroken):
            continue
    return found
