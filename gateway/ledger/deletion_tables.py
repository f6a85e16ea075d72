"""The tables of what is deleted after its time, and the triggers that let through just that.

Exactly what the newest deletion names, once the gateway's journal says so: so nothing can be
deleted without having been said (decision 38).
"""

from __future__ import annotations

# payloads_from: where the payloads begin that were not looked at yet; leaves_from: where the leaves
# begin that are still there. deleted_ms: when it was decided that whose tap it is be forgotten.
# A row of deletion_later was passed over: something of its tap is still open.
TABLES = """
ALTER TABLE log ADD COLUMN payloads_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log ADD COLUMN leaves_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tap ADD COLUMN deleted_ms INTEGER;
CREATE INDEX log_behind ON log (id) WHERE payloads_from < size;
CREATE TABLE deletion (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    why TEXT NOT NULL
);
CREATE TABLE deletion_range (
    deletion INTEGER NOT NULL REFERENCES deletion (id),
    log INTEGER NOT NULL REFERENCES log (id),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (deletion, log, first)
) WITHOUT ROWID;
CREATE INDEX deletion_of_log ON deletion_range (log, first);
CREATE TABLE deletion_said (
    deletion INTEGER PRIMARY KEY REFERENCES deletion (id),
    at_ms INTEGER NOT NULL,
    origin TEXT NOT NULL,
    seq INTEGER NOT NULL
);
CREATE TABLE deletion_done (
    deletion INTEGER PRIMARY KEY REFERENCES deletion (id),
    at_ms INTEGER NOT NULL,
    payloads INTEGER NOT NULL
);
CREATE TABLE deletion_later (
    log INTEGER NOT NULL REFERENCES log (id),
    seq INTEGER NOT NULL,
    PRIMARY KEY (log, seq)
) WITHOUT ROWID;
"""

APPEND_ONLY = ("deletion", "deletion_range", "deletion_said", "deletion_done")

_SAID = """EXISTS (
    SELECT 1 FROM deletion_range AS part JOIN deletion ON deletion.id = part.deletion
    JOIN deletion_said ON deletion_said.deletion = part.deletion
    WHERE part.deletion = (SELECT max(id) FROM deletion)"""
_OF_ENTRY = f"{_SAID} AND part.log = OLD.log AND part.first <= OLD.seq AND part.last >= OLD.seq"
_OF_NOTE = (
    f"{_SAID} AND why = 'segment' AND part.last >= OLD.size"
    " AND part.log = (SELECT id FROM log WHERE origin = OLD.origin))"
)
FORGOTTEN_OF_ATTEMPT = """NOT EXISTS (
    SELECT 1 FROM attempt_item JOIN tap ON tap.id = attempt_item.tap
    WHERE attempt_item.attempt = OLD.attempt AND deleted_ms IS NULL)"""
_FORGOTTEN_OF_SEARCH = "EXISTS (SELECT 1 FROM tap WHERE id = OLD.tap AND deleted_ms IS NOT NULL)"

# Of each table, what may change in spite of all: nothing else may (decision 15).
EXCEPTIONS = (
    (
        "entry",
        "UPDATE",
        "NEW.log = OLD.log AND NEW.seq = OLD.seq AND NEW.hashes = OLD.hashes"
        f" AND (NEW.payload IS OLD.payload OR NEW.payload IS NULL AND {_OF_ENTRY}))"
        f" AND (NEW.leaf = OLD.leaf OR NEW.leaf = x'' AND {_OF_ENTRY} AND why = 'segment'))",
    ),
    (
        "attempt_ended",
        "UPDATE",
        "NEW.attempt = OLD.attempt AND NEW.at_ms = OLD.at_ms AND NEW.what = OLD.what"
        f" AND NEW.answer = x'' AND {FORGOTTEN_OF_ATTEMPT}",
    ),
    (
        "search",
        "UPDATE",
        "NEW.id = OLD.id AND NEW.tap = OLD.tap AND NEW.at_ms = OLD.at_ms AND NEW.what = OLD.what"
        f" AND NEW.answer = x'' AND {_FORGOTTEN_OF_SEARCH}",
    ),
    ("note", "DELETE", _OF_NOTE),
)

# The same of attempt_item, since it keeps what was sent (0010).
UNLESS_SENT_IS_FORGOTTEN = (
    "NEW.attempt = OLD.attempt AND NEW.position = OLD.position AND NEW.tap = OLD.tap"
    f" AND NEW.sent IS x'' AND {_FORGOTTEN_OF_SEARCH}"
)

# What was said is all that goes: nothing is added to it afterwards.
SAID_IS_SAID = """
CREATE TRIGGER deletion_range_never_later BEFORE INSERT ON deletion_range
WHEN EXISTS (SELECT 1 FROM deletion_said WHERE deletion = NEW.deletion)
BEGIN SELECT RAISE(ABORT, 'deletion_range is append-only'); END
"""
