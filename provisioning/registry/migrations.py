"""The registry's tables, step by step (sqlite-utils migrations; a step that fails rolls back).

Append-only: a fact is a row; a change is a new row that `replaces` one (at most once, so history
is a chain, never a fork); triggers refuse UPDATE and DELETE. Each row belongs to a `change`: when,
and by which command. Moments are RFC 3339 in UTC with milliseconds, so they sort as text; a period
is [valid_from, valid_until). NISS, UIDs and names are ciphertexts (`provisioning.fields`).
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

registry_migrations = Migrations("registry")

_COMMON = """
    row INTEGER PRIMARY KEY,
    change INTEGER NOT NULL REFERENCES changes(row),
    replaces INTEGER UNIQUE,"""

_TABLES = {
    "changes": "row INTEGER PRIMARY KEY, at TEXT NOT NULL, what TEXT NOT NULL",
    # the digest by which a wrong key file is noticed at once
    "key_check": "row INTEGER PRIMARY KEY CHECK (row = 1), digest BLOB NOT NULL",
    "employers": f"""{_COMMON}
        id TEXT NOT NULL, name TEXT NOT NULL,
        company_kind TEXT NOT NULL CHECK (company_kind IN ('enterprise', 'foreign')),
        company TEXT NOT NULL, provisioning_key TEXT NOT NULL, onss_client TEXT""",
    "declarations": f"""{_COMMON}
        id TEXT NOT NULL, employer TEXT NOT NULL, valid_from TEXT, valid_until TEXT""",
    "sites": f"""{_COMMON}
        id TEXT NOT NULL, site TEXT NOT NULL""",
    "gateways": f"""{_COMMON}
        id TEXT NOT NULL, hpke TEXT NOT NULL, cosigner TEXT NOT NULL""",
    "terminals": f"""{_COMMON}
        id TEXT NOT NULL, employer TEXT NOT NULL, enrolled TEXT NOT NULL, seal TEXT NOT NULL,
        roster_key BLOB NOT NULL""",
    "bindings": f"""{_COMMON}
        terminal TEXT NOT NULL, serial INTEGER NOT NULL, site TEXT NOT NULL,
        effective_from TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, note TEXT NOT NULL,
        UNIQUE (terminal, serial)""",
    "people": f"""{_COMMON}
        id TEXT NOT NULL, ssin BLOB NOT NULL, ssin_hash BLOB NOT NULL UNIQUE""",
    "employments": f"""{_COMMON}
        id TEXT NOT NULL, person TEXT NOT NULL, employer TEXT NOT NULL,
        kind TEXT NOT NULL, name BLOB, initials TEXT NOT NULL, language TEXT NOT NULL,
        company_kind TEXT NOT NULL CHECK (company_kind IN ('enterprise', 'foreign')),
        company TEXT NOT NULL, valid_from TEXT NOT NULL, valid_until TEXT""",
    "badges": f"""{_COMMON}
        id TEXT NOT NULL, uid BLOB NOT NULL, uid_hash BLOB NOT NULL, employment TEXT NOT NULL,
        tier TEXT NOT NULL CHECK (tier IN ('uid', 'sun', 'aes')),
        valid_from TEXT NOT NULL, valid_until TEXT, revoked_at TEXT, revoked_why TEXT""",
}

# What of these is now: a row that no other replaces.
_WITH_HISTORY = (
    "employers",
    "declarations",
    "sites",
    "gateways",
    "terminals",
    "employments",
    "badges",
)

_INDEXES = (
    "CREATE INDEX badges_by_uid ON badges (uid_hash)",
    "CREATE INDEX badges_by_id ON badges (id)",
    "CREATE INDEX badges_by_employment ON badges (employment)",
    "CREATE INDEX employments_by_id ON employments (id)",
    "CREATE INDEX employments_by_person ON employments (person)",
    "CREATE INDEX people_by_id ON people (id)",
)


@registry_migrations()
def m0001(db: Database) -> None:
    """The first schema."""
    for table, columns in _TABLES.items():
        db.execute(f"CREATE TABLE {table} ({columns}) STRICT")
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    # Derived from all the rest and sealed, so the newest is enough: each can be made again.
    db.execute(
        "CREATE TABLE rosters (terminal TEXT PRIMARY KEY, change INTEGER NOT NULL,"
        " serial INTEGER NOT NULL, content TEXT NOT NULL, sealed BLOB NOT NULL) STRICT"
    )
    for table in _WITH_HISTORY:
        db.execute(
            f"CREATE VIEW {table}_now AS SELECT * FROM {table} WHERE NOT EXISTS"
            f" (SELECT 1 FROM {table} AS later WHERE later.replaces = {table}.row)"
        )
    for statement in _INDEXES:
        db.execute(statement)


@registry_migrations()
def m0003_office(db: Database) -> None:
    """Employers and sites that are over; who was shown whose number, and why."""
    for table in ("employers", "sites"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN ended_at TEXT")
    db.execute(
        f"CREATE TABLE disclosures ({_COMMON} person TEXT NOT NULL, what TEXT NOT NULL,"
        " shown_to TEXT NOT NULL, reason TEXT NOT NULL) STRICT"
    )
    for action in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER disclosures_no_{action.lower()} BEFORE {action} ON disclosures"
            " BEGIN SELECT RAISE(ABORT, 'disclosures is append-only'); END"
        )
    db.execute("CREATE INDEX disclosures_by_person ON disclosures (person)")


_TRUST_TABLES = {
    # each terminal's certificates; one counts while the terminal has that enrolled key, unrevoked
    "certificates": f"""{_COMMON}
        id TEXT NOT NULL, enrolled TEXT NOT NULL, serial TEXT NOT NULL UNIQUE,
        not_after TEXT NOT NULL, certificate TEXT NOT NULL""",
    # one-time codes: what the bearer of each may become; only the newest of a terminal counts
    "codes": f"""{_COMMON}
        id TEXT NOT NULL, hash BLOB NOT NULL UNIQUE, plan TEXT NOT NULL,
        expires_at TEXT NOT NULL""",
    # what came by a code: the keys, and the proof for the office that the code's bearer sent them
    "enrolments": f"""{_COMMON}
        id TEXT NOT NULL, code INTEGER NOT NULL UNIQUE REFERENCES codes(row),
        enrolled TEXT NOT NULL, seal TEXT NOT NULL, tls TEXT NOT NULL, proof TEXT NOT NULL""",
    # each provisioning key is named by the one before it
    "successions": f"""{_COMMON}
        id TEXT NOT NULL, note TEXT NOT NULL""",
}


@registry_migrations()
def m0004_trust(db: Database) -> None:
    """Enrolment by a code, certificates, revocation, succession of provisioning keys."""
    for table, columns in _TRUST_TABLES.items():
        db.execute(f"CREATE TABLE {table} ({columns}) STRICT")
        for action in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    for column in ("revoked_at", "revoked_why"):
        db.execute(f"ALTER TABLE terminals ADD COLUMN {column} TEXT")
    db.execute("CREATE INDEX certificates_by_id ON certificates (id)")
    db.execute("CREATE INDEX codes_by_id ON codes (id)")


@registry_migrations()
def m0005_links(db: Database) -> None:
    """The link that the ONSS gives with a works declaration."""
    db.execute("ALTER TABLE declarations ADD COLUMN link TEXT")


# What is emptied of whoever is forgotten, and with what: nothing looks up an empty hash, and a
# person's must stay unique.
ERASED = {
    "people": {"ssin": "x''", "ssin_hash": "CAST('forgotten ' || row AS BLOB)"},
    "employments": {"name": "NULL", "initials": "''"},
    "badges": {"uid": "x''", "uid_hash": "x''"},
}


@registry_migrations()
def m0006_forgetting(db: Database) -> None:
    """Rows stay as they were written, but for what identifies somebody who left long ago."""
    for table, emptied in ERASED.items():
        columns = [column.name for column in db.table(table).columns]
        same = [f"NEW.{name} IS OLD.{name}" for name in columns if name not in emptied]
        empty = [
            f"NEW.{name} IS {value.replace('row AS', 'OLD.row AS')}"
            for name, value in emptied.items()
        ]
        db.execute(f"DROP TRIGGER {table}_no_update")
        db.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}"
            f" WHEN NOT ({' AND '.join([*same, *empty])})"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


@registry_migrations()
def m0007_gateway_keys(db: Database) -> None:
    """The keys that are about to succeed a gateway's own: bindings name both, meanwhile."""
    for column in ("next_hpke", "next_cosigner"):
        db.execute(f"ALTER TABLE gateways ADD COLUMN {column} TEXT")


@registry_migrations()
def m0008_office_certificates(db: Database) -> None:
    """Certificates of gateway and servers that others took the place of, or that were revoked."""
    db.execute(
        f"CREATE TABLE office_certificates ({_COMMON} id TEXT NOT NULL, serial TEXT NOT NULL,"
        " key TEXT NOT NULL, not_after TEXT NOT NULL, revoked_why TEXT) STRICT"
    )
    for action in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER office_certificates_no_{action.lower()} BEFORE {action}"
            " ON office_certificates"
            " BEGIN SELECT RAISE(ABORT, 'office_certificates is append-only'); END"
        )
