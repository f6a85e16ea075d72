"""The ledger's tables, by migrations: run in a step of its own, before anything is served.

What happened is append-only, and triggers hold it so: leaves and their hashes, transitions,
attempts, searches. What is derived from it (`tap`, `line`) is kept current beside it.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from gateway.ledger import corrections, deletion_tables

migrations = Migrations("ciao-ledger")

# hashes: the subtrees that this leaf completes, level 0 upward (ciao.tree).
# payload: NULL where there is none, or where it is gone (then flag says so).
_CUSTODY = """
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    terminal TEXT NOT NULL,
    key BLOB NOT NULL,
    certificate TEXT NOT NULL,
    size INTEGER NOT NULL,
    checkpoint TEXT NOT NULL,
    receipt TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
);
CREATE INDEX log_of_terminal ON log (terminal);
CREATE TABLE entry (
    log INTEGER NOT NULL REFERENCES log (id),
    seq INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    hashes BLOB NOT NULL,
    payload BLOB,
    flag TEXT,
    tap INTEGER REFERENCES tap (id),
    PRIMARY KEY (log, seq)
) WITHOUT ROWID;
CREATE INDEX entry_flagged ON entry (flag) WHERE flag IS NOT NULL;
CREATE TABLE note (
    sha256 BLOB PRIMARY KEY,
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    note TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX note_of_origin ON note (origin, size);
CREATE TABLE refused (
    terminal TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, reason)
) WITHOUT ROWID;
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

# since_*: when the tap came into its state, by the wall clock, and by boot id and boottime.
# A line is one worker's open taps at one terminal; `head` is the one whose turn it is.
_FORWARDING = """
CREATE TABLE tap (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    payload BLOB NOT NULL,
    log INTEGER NOT NULL REFERENCES log (id),
    seq INTEGER NOT NULL,
    first_origin TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    direction TEXT NOT NULL,
    fresh INTEGER NOT NULL,
    flag TEXT,
    badge BLOB,
    worker TEXT,
    employer TEXT,
    onss_id TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    since_ms INTEGER NOT NULL,
    since_boot TEXT NOT NULL,
    since_up_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    alone INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL,
    UNIQUE (terminal, payload)
);
CREATE INDEX tap_unidentified ON tap (id)
    WHERE badge IS NULL AND state IN ('recorded', 'unknown');
CREATE INDEX tap_open ON tap (terminal, worker, id)
    WHERE worker IS NOT NULL AND state IN ('recorded', 'submitted', 'unknown');
CREATE INDEX tap_fresh ON tap (terminal, worker)
    WHERE worker IS NOT NULL AND fresh = 1 AND state = 'recorded';
CREATE INDEX tap_unknown ON tap (due_ms) WHERE state = 'unknown' AND badge IS NOT NULL;
CREATE INDEX tap_submitted ON tap (id) WHERE state = 'submitted';
CREATE INDEX tap_unresolved ON tap (id) WHERE state = 'unresolved';
CREATE INDEX tap_at_onss ON tap (worker, at_ms) WHERE onss_id IS NOT NULL;
CREATE INDEX tap_recent ON tap (terminal, since_ms);
CREATE TABLE line (
    terminal TEXT NOT NULL,
    worker TEXT NOT NULL,
    head INTEGER NOT NULL REFERENCES tap (id),
    fresh INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, worker)
) WITHOUT ROWID;
CREATE INDEX line_due ON line (fresh, due_ms);
CREATE TABLE transition (
    id INTEGER PRIMARY KEY,
    tap INTEGER NOT NULL REFERENCES tap (id),
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT,
    attempt INTEGER REFERENCES attempt_begun (id),
    at_ms INTEGER NOT NULL
);
CREATE INDEX transition_of_tap ON transition (tap);
CREATE TABLE attempt_begun (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    employer TEXT NOT NULL,
    trace_id TEXT NOT NULL
);
CREATE TABLE attempt_item (
    attempt INTEGER NOT NULL REFERENCES attempt_begun (id),
    position INTEGER NOT NULL,
    tap INTEGER NOT NULL REFERENCES tap (id),
    PRIMARY KEY (attempt, position)
) WITHOUT ROWID;
CREATE TABLE attempt_ended (
    attempt INTEGER PRIMARY KEY REFERENCES attempt_begun (id),
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    answer BLOB NOT NULL
);
CREATE TABLE search (
    id INTEGER PRIMARY KEY,
    tap INTEGER NOT NULL REFERENCES tap (id),
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    answer BLOB NOT NULL
);
"""

_APPEND_ONLY = ("transition", "attempt_begun", "attempt_item", "attempt_ended", "search", "note")


@migrations()
def m0001_custody_and_forwarding(db: Database) -> None:
    """Make the first tables, and the triggers that keep history as it was written."""
    for statement in (_CUSTODY + _FORWARDING).split(";\n"):
        if statement.strip():
            db.execute(statement)
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            db.execute(_never(table, verb, verb))
    db.execute(_never("entry", "DELETE", "DELETE"))
    db.execute(_never("entry", "UPDATE", "UPDATE OF log, seq, leaf, hashes"))


# boot, up_ms, synced: of the tap's own entry, to derive its time from a later step of the clock.
# basis: the entry that it was derived from. cleared: after how many restored backups the ONSS was
# searched for it and did not have it. released: a person let it go.
# owed: what we once cosigned beyond what we hold (a backup was restored); forked: it is not that.
_CARE = """
ALTER TABLE tap ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE tap ADD COLUMN up_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tap ADD COLUMN synced INTEGER NOT NULL DEFAULT 1;
ALTER TABLE tap ADD COLUMN derived_at TEXT;
ALTER TABLE tap ADD COLUMN derived_ms INTEGER;
ALTER TABLE tap ADD COLUMN basis TEXT;
ALTER TABLE tap ADD COLUMN cleared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tap ADD COLUMN released INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tap_unsynced ON tap (terminal, boot, up_ms)
    WHERE synced = 0 AND derived_at IS NULL;
CREATE INDEX tap_derived ON tap (id)
    WHERE state = 'held' AND reason = 'untrusted_clock' AND derived_at IS NOT NULL;
CREATE INDEX tap_waiting ON tap (id)
    WHERE state IN ('held', 'unresolved', 'unknown', 'rejected', 'withheld');
DROP INDEX tap_at_onss;
CREATE INDEX tap_at_onss ON tap (worker, coalesce(derived_ms, at_ms)) WHERE onss_id IS NOT NULL;
CREATE TABLE clock_step (
    terminal TEXT NOT NULL,
    boot TEXT NOT NULL,
    up_ms INTEGER NOT NULL,
    at TEXT NOT NULL,
    basis TEXT NOT NULL,
    PRIMARY KEY (terminal, boot, up_ms)
) WITHOUT ROWID;
CREATE TABLE owed (
    origin TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    forked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE alert (
    terminal TEXT NOT NULL,
    kind TEXT NOT NULL,
    origin TEXT NOT NULL,
    detail TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    acknowledged_ms INTEGER,
    PRIMARY KEY (terminal, kind, origin)
) WITHOUT ROWID;
CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    why TEXT NOT NULL
);
CREATE TABLE decision_taken (
    decision INTEGER PRIMARY KEY REFERENCES decision (id),
    at_ms INTEGER NOT NULL,
    result TEXT NOT NULL
);
"""

# What taps taken in before the columns existed say in their own leaves.
_OF_EARLIER_TAPS = """
UPDATE tap SET (boot, up_ms, synced) = (
    SELECT json_extract(leaf, '$.boot'), json_extract(leaf, '$.up_ms'),
        json_extract(leaf, '$.clock.synced')
    FROM (SELECT CAST(entry.leaf AS TEXT) AS leaf FROM entry
        WHERE entry.log = tap.log AND entry.seq = tap.seq)
)
"""


@migrations()
def m0002_care(db: Database) -> None:
    """Make room for what a person decides, what a restored backup owes, and derived times."""
    for statement in _CARE.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(_OF_EARLIER_TAPS)
    for table in ("decision", "decision_taken"):
        for verb in ("UPDATE", "DELETE"):
            db.execute(_never(table, verb, verb))


# A line belongs to the employer of its head, so that one employer's never waits for another's.
# Unidentified taps are found by terminal: within one they are looked into in order.
_QUEUES = """
DROP TABLE line;
CREATE TABLE line (
    terminal TEXT NOT NULL,
    worker TEXT NOT NULL,
    employer TEXT NOT NULL,
    head INTEGER NOT NULL REFERENCES tap (id),
    fresh INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, worker)
) WITHOUT ROWID;
CREATE INDEX line_due ON line (employer, fresh, due_ms, head);
INSERT INTO line (terminal, worker, employer, head, fresh, due_ms)
    SELECT terminal, worker, employer, min(id), max(fresh), 0 FROM tap
    WHERE worker IS NOT NULL AND state IN ('recorded', 'submitted', 'unknown')
    GROUP BY terminal, worker;
DROP INDEX tap_unknown;
CREATE INDEX tap_unknown ON tap (coalesce(employer, ''), due_ms)
    WHERE state = 'unknown' AND badge IS NOT NULL;
CREATE INDEX tap_unidentified_of ON tap (terminal, id)
    WHERE badge IS NULL AND state IN ('recorded', 'unknown');
CREATE INDEX tap_unidentified_fresh ON tap (terminal)
    WHERE badge IS NULL AND fresh = 1 AND state IN ('recorded', 'unknown');
"""


@migrations()
def m0003_queues(db: Database) -> None:
    """Give each employer a queue of its own; every line is looked at again when its turn comes."""
    for statement in _QUEUES.split(";\n"):
        if statement.strip():
            db.execute(statement)


# A trouble of the ONSS as one employer met it; service_ended is there once it works again.
# polls: how often an accepted registration was asked about, until its validity is final.
_SERVICE = """
CREATE TABLE service_begun (
    id INTEGER PRIMARY KEY,
    employer TEXT NOT NULL,
    kind TEXT NOT NULL,
    why TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    boot TEXT NOT NULL,
    up_ms INTEGER NOT NULL
);
CREATE TABLE service_ended (
    trouble INTEGER PRIMARY KEY REFERENCES service_begun (id),
    at_ms INTEGER NOT NULL,
    boot TEXT NOT NULL,
    up_ms INTEGER NOT NULL
);
ALTER TABLE tap ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tap_polled ON tap (coalesce(employer, ''), due_ms) WHERE state = 'accepted';
"""


@migrations()
def m0004_service(db: Database) -> None:
    """Keep when the ONSS was in trouble, and how often accepted registrations were asked about."""
    for statement in _SERVICE.split(";\n"):
        if statement.strip():
            db.execute(statement)
    for table in ("service_begun", "service_ended"):
        for verb in ("UPDATE", "DELETE"):
            db.execute(_never(table, verb, verb))


@migrations()
def m0005_corrections(db: Database) -> None:
    """Make room for correction dossiers; what was asked for is never rewritten."""
    for statement in corrections.TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    for table in corrections.APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            db.execute(_never(table, verb, verb))


@migrations()
def m0006_values_of_decisions(db: Database) -> None:
    """Keep what a decision adds: the ONSS id that a person found. Find what happened to a tap."""
    db.execute("ALTER TABLE decision ADD COLUMN value TEXT NOT NULL DEFAULT ''")
    db.execute("CREATE INDEX decision_on ON decision (subject)")
    db.execute("CREATE INDEX search_of_tap ON search (tap)")


# An entry on an outage, by its bytes: the index below holds these alone, and they are few.
IS_OUTAGE = """instr(entry.leaf, CAST('"kind":"outage_' AS BLOB)) > 0"""


@migrations()
def m0007_outages(db: Database) -> None:
    """Make what terminals told of outages quick to find."""
    where = IS_OUTAGE.replace("entry.", "")
    db.execute(f"CREATE INDEX entry_outage ON entry (log, seq) WHERE {where}")


@migrations()
def m0008_deletions(db: Database) -> None:
    """Make room for what is deleted after its time, and let the triggers through just that."""
    for statement in deletion_tables.TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    for table in deletion_tables.APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            db.execute(_never(table, verb, verb))
    for table, verb, unless in deletion_tables.EXCEPTIONS:
        db.execute(f"DROP TRIGGER {table}_never_{verb.lower()}")
        db.execute(_never(table, verb, verb, unless))


@migrations()
def m0009_said_is_said(db: Database) -> None:
    """Hold a deletion to what was said of it."""
    db.execute(deletion_tables.SAID_IS_SAID)


@migrations()
def m0010_what_was_sent(db: Database) -> None:
    """Keep what a call said of each tap, sealed, until whose it was is deleted."""
    db.execute("ALTER TABLE attempt_item ADD COLUMN sent BLOB")
    db.execute("DROP TRIGGER attempt_item_never_update")
    db.execute(_never("attempt_item", "UPDATE", "UPDATE", deletion_tables.UNLESS_SENT_IS_FORGOTTEN))


def _never(table: str, name: str, verb: str, unless: str = "") -> str:
    when = f"WHEN NOT ({unless}) " if unless else ""
    return (
        f'CREATE TRIGGER {table}_never_{name.lower()} BEFORE {verb} ON "{table}" {when}'
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )
