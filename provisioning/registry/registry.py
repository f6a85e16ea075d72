"""Edge: the registry as the gateway sees it: whose badge it was, what to publish to a terminal.

Nothing here writes. Every answer is as of a moment that the caller gives, and all of them come from
the newest knowledge: a badge enrolled today resolves a tap of last week.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from ciao.binding import Binding, BindingRefused, Bindings, Signed, open_signed
from ciao.errors import BadInput
from ciao.keys import RandomBytes
from ciao.notes import VerifierKey
from provisioning import fields
from provisioning.fields import Fields
from provisioning.registry import rows
from provisioning.registry.expiry import Expiring, Held, expiring
from provisioning.registry.history import told
from provisioning.registry.published import published
from provisioning.registry.records import (
    Badge,
    Declaration,
    Employer,
    Employment,
    Gateway,
    IssuedBinding,
    Resolution,
    Site,
    Terminal,
    company,
)
from provisioning.registry.store import Row, Store, instant

_RESOLVE = """
SELECT badges_now.id AS badge, badges_now.tier, badges_now.revoked_at,
    employments_now.id AS employment, employments_now.employer, employments_now.company_kind,
    employments_now.company, people.id AS worker, people.row AS person_row, people.ssin
FROM badges_now
JOIN employments_now ON employments_now.id = badges_now.employment
JOIN people ON people.id = employments_now.person
WHERE badges_now.uid_hash = :hash
    AND badges_now.valid_from <= :at
    AND (badges_now.valid_until IS NULL OR :at < badges_now.valid_until)
    AND employments_now.valid_from <= :at
    AND (employments_now.valid_until IS NULL OR :at < employments_now.valid_until)
ORDER BY badges_now.valid_from DESC, badges_now.row DESC LIMIT 1
"""


class Registry:
    """The open registry. One to a thread; several processes may have it open at once."""

    def __init__(self, store: Store, data: Fields) -> None:
        self.store = store
        self.fields = data

    @classmethod
    def open(cls, path: Path, key_path: Path, random_bytes: RandomBytes = os.urandom) -> Self:
        """Open a registry with its data key; raise BadInput where one does not fit the other."""
        data = fields.load(key_path, random_bytes)
        store = Store(path)
        kept = store.row("SELECT digest FROM key_check")
        if kept is None or kept["digest"] != data.check:
            store.close()
            raise BadInput(
                f"{key_path} is not the key of {path}", "give the key that was made with it"
            )
        return cls(store, data)

    @classmethod
    def create(
        cls, path: Path, key_path: Path, at: datetime, random_bytes: RandomBytes = os.urandom
    ) -> Self:
        """Make an empty registry and its data key; raise BadInput if one exists."""
        fields.new_key(key_path, random_bytes)
        data = fields.load(key_path, random_bytes)
        store = Store.create(path)
        with store.change("init", at):
            store.db.table("key_check").insert({"row": 1, "digest": data.check})
        return cls(store, data)

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> int:
        """Count the changes ever committed, by whichever process; a bigger number, new content."""
        return self.store.version()

    def badge_hmac(self, uid: bytes) -> bytes:
        """Name a badge so that a waiting tap can be kept without its UID: 32 bytes."""
        return self.fields.uid_hash(uid)

    def resolve(self, badge_hmac: bytes, at: datetime) -> Resolution | None:
        """Say whose badge it was at a moment; None where nobody's, as far as is known now."""
        row = self.store.row(_RESOLVE, {"hash": badge_hmac, "at": instant(at)})
        if row is None:
            return None
        ssin = self.fields.decrypt(row["ssin"], "people", "ssin", row["person_row"])
        revoked_at = row["revoked_at"]
        return Resolution(
            worker=row["worker"],
            ssin=ssin.decode(),
            company=company(row["company_kind"], row["company"]),
            employer=row["employer"],
            employment=row["employment"],
            badge=row["badge"],
            tier=row["tier"],
            revoked=revoked_at is not None and revoked_at <= instant(at),
        )

    def terminal(self, terminal: str) -> Terminal | None:
        """Look up a terminal by its id."""
        row = self.store.row("SELECT * FROM terminals_now WHERE id = ?", [terminal])
        return None if row is None else rows.terminal(row)

    def terminals(self) -> list[Terminal]:
        """List the terminals, by id."""
        found = self.store.rows("SELECT * FROM terminals_now ORDER BY id")
        return [rows.terminal(row) for row in found]

    def binding(self, sha256: str) -> Binding | None:
        """Return any bundle ever issued, by the hash that taps name it by; None if none was.

        Its signature is checked again: raises BindingRefused where the file was tampered with.
        """
        row = self.store.row("SELECT * FROM bindings WHERE sha256 = ?", [sha256])
        return None if row is None else self.opened(rows.issued(row)).binding

    def opened(self, issued: IssuedBinding) -> Signed:
        """Check an issued bundle by any key its employer ever had; raise BindingRefused."""
        found = self.store.rows(
            "SELECT DISTINCT employers.provisioning_key FROM employers JOIN terminals"
            " ON terminals.employer = employers.id WHERE terminals.id = ?",
            [issued.terminal],
        )
        keys = [VerifierKey.parse(row["provisioning_key"]) for row in found]
        signed = open_signed(issued.note, keys)
        if signed.sha256 != issued.sha256:
            raise BindingRefused("malformed", "stored under a hash that is not its own")
        return signed

    def bindings(self, terminal: str) -> list[IssuedBinding]:
        """List every bundle ever issued for a terminal, oldest first."""
        found = self.store.rows(
            "SELECT * FROM bindings WHERE terminal = ? ORDER BY serial", [terminal]
        )
        return [rows.issued(row) for row in found]

    def site_of(self, terminal: str) -> str:
        """Name the site that a terminal was bound to last; "" where it never was."""
        row = self.store.row(
            "SELECT site FROM bindings WHERE terminal = ? ORDER BY serial DESC LIMIT 1", [terminal]
        )
        return "" if row is None else str(row["site"])

    def binding_message(self, terminal: str, at: datetime) -> bytes | None:
        """Return the retained message for a moment: the bundle in force, and the next one.

        None where the terminal has no binding. It changes with time as well as with `version`.
        """
        notes = [issued.note for issued in published(self.bindings(terminal), at)]
        known = self.terminal(terminal)
        if not notes or known is None:
            return None
        return msgspec.json.encode(Bindings(notes, self.succession(known.employer)))

    def succession(self, employer: str) -> list[str]:
        """List the links between an employer's provisioning keys, oldest first."""
        found = self.store.rows(
            "SELECT note FROM successions WHERE id = ? ORDER BY row", [employer]
        )
        return [row["note"] for row in found]

    def expiring(self, at: datetime) -> list[Expiring]:
        """List the works declarations that end while terminals stamp under them."""
        held = []
        for terminal in self.terminals():
            bundles = [
                self.opened(one).binding for one in published(self.bindings(terminal.id), at)
            ]
            if bundles and not terminal.is_revoked(at):
                current, *next_ones = bundles
                following = [
                    (one.declaration, one.starts_at().astimezone(ZoneInfo(one.time_zone)).date())
                    for one in next_ones
                ]
                held.append(
                    Held(
                        terminal.id,
                        terminal.employer,
                        current.declaration,
                        following[0] if following else None,
                    )
                )
        return expiring(held, at.date())

    def sealed_roster(self, terminal: str) -> bytes | None:
        """Return a terminal's newest roster, signed and sealed; None where none was issued."""
        row = self.store.row("SELECT sealed FROM rosters WHERE terminal = ?", [terminal])
        return None if row is None else bytes(row["sealed"])

    def employer(self, employer: str) -> Employer | None:
        """Look up an employer by its id."""
        row = self.store.row("SELECT * FROM employers_now WHERE id = ?", [employer])
        return None if row is None else rows.employer(row)

    def employers(self) -> list[Employer]:
        """List the employers, by id."""
        found = self.store.rows("SELECT * FROM employers_now ORDER BY id")
        return [rows.employer(row) for row in found]

    def provisioning_keys(self) -> list[VerifierKey]:
        """List every key that an employer ever signed with, oldest first."""
        found = self.store.rows(
            "SELECT provisioning_key FROM employers GROUP BY provisioning_key ORDER BY min(row)"
        )
        return [VerifierKey.parse(row["provisioning_key"]) for row in found]

    def declarations(self) -> list[Declaration]:
        """List the works declarations, by number."""
        found = self.store.rows("SELECT * FROM declarations_now ORDER BY id")
        return [rows.declaration(row) for row in found]

    def sites(self) -> list[Site]:
        """List the places of work, by id."""
        found = self.store.rows("SELECT * FROM sites_now ORDER BY id")
        return [rows.site(row) for row in found]

    def gateways(self) -> list[Gateway]:
        """List the gateways, by id."""
        found = self.store.rows("SELECT * FROM gateways_now ORDER BY id")
        return [rows.gateway(row) for row in found]

    def employments(self) -> list[Employment]:
        """List the employments, as they were recorded."""
        found = self.store.rows("SELECT * FROM employments_now ORDER BY length(id), id")
        return [self._employment(row) for row in found]

    def employment(self, employment: str) -> Employment | None:
        """Look up an employment by its id."""
        row = self.store.row("SELECT * FROM employments_now WHERE id = ?", [employment])
        return None if row is None else self._employment(row)

    def employments_of(self, person: str) -> list[Employment]:
        """List the employments of one person."""
        found = self.store.rows("SELECT * FROM employments_now WHERE person = ?", [person])
        return [self._employment(row) for row in found]

    def badges(self) -> list[Badge]:
        """List the badges, as they were enrolled."""
        found = self.store.rows("SELECT * FROM badges_now ORDER BY length(id), id")
        return [rows.badge(row) for row in found]

    def person_of(self, ssin: str) -> str | None:
        """Find who has a NISS; None where nobody here does."""
        row = self.store.row(
            "SELECT id FROM people WHERE ssin_hash = ?", [self.fields.ssin_hash(ssin)]
        )
        return None if row is None else str(row["id"])

    def badges_with(self, uid: bytes) -> list[Badge]:
        """List what a badge is and was: one record for each who had it."""
        found = self.store.rows(
            "SELECT * FROM badges_now WHERE uid_hash = ?", [self.fields.uid_hash(uid)]
        )
        return [rows.badge(row) for row in found]

    def badges_of(self, employment: str) -> list[Badge]:
        """List the badges of one employment, as they were enrolled."""
        found = self.store.rows(
            "SELECT * FROM badges_now WHERE employment = ? ORDER BY length(id), id", [employment]
        )
        return [rows.badge(row) for row in found]

    def history(self, table: str, wanted: str) -> list[dict[str, str]]:
        """List what an id went through, oldest first: `at`, `what`, and what it `changed`."""
        found = self.store.rows(
            f"SELECT changes.at AS changed_at, changes.what AS changed_by, {table}.*"
            f" FROM {table} JOIN changes ON changes.row = {table}.change"
            f" WHERE {table}.id = ? ORDER BY {table}.row",
            [wanted],
        )
        return told([self._opened(table, row) for row in found])

    def _opened(self, table: str, row: Row) -> Row:
        """Open a row's encrypted fields, so that they can be compared; never to be shown."""
        return {
            column: self.fields.decrypt(value, table, column, row["row"])
            if isinstance(value, bytes) and value and not column.endswith("_hash")
            else value
            for column, value in row.items()
        }

    def ssin_of(self, person: str) -> str:
        """Return a person's NISS, "" once forgotten. For who may see it, never for a log."""
        row = self.store.row("SELECT row, ssin FROM people WHERE id = ?", [person])
        if row is None:
            raise BadInput(f"there is no person {person}", "see: ciao-provision employment list")
        if not row["ssin"]:
            return ""
        return self.fields.decrypt(row["ssin"], "people", "ssin", row["row"]).decode()

    def uid_of(self, badge: str) -> bytes:
        """Return a badge's UID, b"" once forgotten. For rosters and who may see it, never a log."""
        row = self.store.row("SELECT row, uid FROM badges_now WHERE id = ?", [badge])
        if row is None:
            raise BadInput(f"there is no badge {badge}", "see: ciao-provision badge list")
        return self.fields.decrypt(row["uid"], "badges", "uid", row["row"]) if row["uid"] else b""

    def roster_key(self, terminal: str) -> bytes:
        """Return the key under which a terminal's roster names badges."""
        row = self.store.row("SELECT row, roster_key FROM terminals_now WHERE id = ?", [terminal])
        if row is None:
            raise BadInput(f"there is no terminal {terminal}", "see: ciao-provision terminal list")
        return self.fields.decrypt(row["roster_key"], "terminals", "roster_key", row["row"])

    def _employment(self, row: Row) -> Employment:
        name = row["name"]
        if name is not None:
            name = self.fields.decrypt(name, "employments", "name", row["row"]).decode()
        return rows.employment(row, name)
