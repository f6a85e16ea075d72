"""Taps: one row a distinct payload, and every change of its state, never to be changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ciao.registration import State, step
from gateway.ledger.rows import Moment, NewTap, Sealed, Tap

# More taps than this at one terminal in two days are not told again.
RECENT_MAX = 4_000

# A tap's columns as `tap_of` reads them, and the same where another table stands beside it.
_NAMES = [*Tap.__struct_fields__[:-1], "since_ms", "since_boot", "since_up_ms"]
_COLUMNS = ", ".join(_NAMES)
QUALIFIED = ", ".join(f"tap.{name}" for name in _NAMES)
WIDTH = len(_NAMES)
_STATE = _NAMES.index("state")
_BOOLS = [_NAMES.index(name) for name in ("fresh", "synced", "released", "alone")]


_UNKNOWN = "state = 'unknown' AND badge IS NOT NULL"
_ACCEPTED = "state = 'accepted'"


def _employers(where: str) -> str:
    """Select the distinct employers of an index, one look-up each; "" for nobody's."""
    employer = "coalesce(tap.employer, '')"
    return f"""
        WITH RECURSIVE found (employer) AS (
            SELECT min({employer}) FROM tap WHERE {where}
            UNION ALL
            SELECT (SELECT min({employer}) FROM tap WHERE {where} AND {employer} > found.employer)
            FROM found WHERE found.employer IS NOT NULL
        )
        SELECT employer FROM found WHERE employer IS NOT NULL
    """


_UNKNOWN_OF, _ACCEPTED_OF = _employers(_UNKNOWN), _employers(_ACCEPTED)


def tap_of(row: Sequence[Any]) -> Tap:
    """Read a tap from its columns."""
    values = list(row)
    values[_STATE] = State(values[_STATE])
    for index in _BOOLS:
        values[index] = bool(values[index])
    values[-3:] = [Moment(*values[-3:])]
    return Tap(*values)


def with_sealed(row: Sequence[Any]) -> tuple[Tap, Sealed]:
    """Read a tap, and the leaf and payload beside it."""
    return tap_of(row[:WIDTH]), Sealed(*row[WIDTH:])


class Taps:
    """Reads and writes of taps; to be used inside the ledger's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def _one(self, where: str, values: Sequence[object]) -> Tap | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM tap WHERE {where}", values).fetchone()
        return None if row is None else tap_of(row)

    def _many(self, where: str, values: Sequence[object]) -> list[Tap]:
        return list(
            map(
                tap_of,
                self._db.execute(f"SELECT {_COLUMNS} FROM tap WHERE {where}", values),
            )
        )

    def next_id(self) -> int:
        """Return the id that the next new tap gets; ids grow in the order taps came."""
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM tap").fetchone()
        return int(last) + 1

    def add(self, new: Mapping[int, NewTap], moment: Moment) -> None:
        """Add taps as recorded, by their ids."""
        since = (moment.at_ms, moment.boot, moment.up_ms)
        self._db.executemany(
            "INSERT INTO tap (id, terminal, payload, log, seq, first_origin, first_seq, at, at_ms,"
            " received_ms, direction, fresh, boot, up_ms, synced, state, due_ms, since_ms,"
            " since_boot, since_up_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'recorded', ?, ?, ?, ?)",
            [
                (
                    number,
                    tap.terminal,
                    tap.payload,
                    tap.log,
                    tap.seq,
                    tap.first_origin,
                    tap.first_seq,
                    tap.at,
                    tap.at_ms,
                    tap.received_ms,
                    tap.direction,
                    tap.fresh,
                    tap.boot,
                    tap.up_ms,
                    tap.synced,
                    tap.received_ms,
                    *since,
                )
                for number, tap in new.items()
            ],
        )

    def get(self, tap: int) -> Tap:
        """Look up a tap that is there."""
        found = self._one("id = ?", [tap])
        assert found is not None
        return found

    def by_payload(self, terminal: str, payloads: Sequence[bytes]) -> dict[bytes, Tap]:
        """Look up taps by their payloads' SHA-256: the same payload is the same tap."""
        marks = ", ".join("?" * len(payloads))
        found = self._many(f"terminal = ? AND payload IN ({marks})", [terminal, *payloads])
        return {tap.payload: tap for tap in found}

    def sealed(self, tap: Tap) -> Sealed:
        """Read a tap's leaf and payload."""
        row = self._db.execute(
            "SELECT leaf, payload FROM entry WHERE log = ? AND seq = ?",
            [tap.log, tap.seq],
        ).fetchone()
        return Sealed(*row)

    def move(
        self,
        tap: Tap,
        after: State,
        reason: str | None,
        now: Moment,
        attempt: int | None = None,
        *,
        due_ms: int | None = None,
        onss_id: str | None = None,
    ) -> Tap:
        """Take a tap to its next state by the one table of states; return it as it is then.

        Being submitted counts as a try. `due_ms`: not looked at again before then; `onss_id`:
        what the ONSS calls it, from now on.
        """
        step(tap.state, after)
        self._db.execute(
            "INSERT INTO transition (tap, before, after, reason, attempt, at_ms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [tap.id, tap.state, after, reason, attempt, now.at_ms],
        )
        tries = tap.tries + 1 if after is State.SUBMITTED else tap.tries
        due_ms = now.at_ms if due_ms is None else due_ms
        values = [after, reason, tries, due_ms, now.at_ms, now.boot, now.up_ms]
        # Two statements, since one that names a column looks after all of its indexes.
        named, more = ("", []) if onss_id is None else (", onss_id = ?", [onss_id])
        self._db.execute(
            "UPDATE tap SET state = ?, reason = ?, tries = ?, due_ms = ?, since_ms = ?,"
            f" since_boot = ?, since_up_ms = ?{named} WHERE id = ?",
            [*values, *more, tap.id],
        )
        moved = replace(tap, state=after, reason=reason, tries=tries, due_ms=due_ms, since=now)
        return moved if onss_id is None else replace(moved, onss_id=onss_id)

    def identified(self, tap: Tap, badge: bytes) -> Tap:
        """Keep the keyed HMAC of a tap's UID; b"" where it can't be had."""
        self._db.execute("UPDATE tap SET badge = ? WHERE id = ?", [badge, tap.id])
        return replace(tap, badge=badge)

    def placed(self, tap: Tap, badge: bytes, worker: str, employer: str) -> Tap:
        """Keep the keyed HMAC of a tap's UID, and what `assigned` does."""
        self._db.execute(
            "UPDATE tap SET badge = ?, worker = ?, employer = ? WHERE id = ?",
            [badge, worker, employer, tap.id],
        )
        return replace(tap, badge=badge, worker=worker, employer=employer)

    def assigned(self, tap: Tap, worker: str, employer: str) -> Tap:
        """Keep whose tap it is, by the registry's opaque name, and whose credentials it needs."""
        self._db.execute(
            "UPDATE tap SET worker = ?, employer = ? WHERE id = ?",
            [worker, employer, tap.id],
        )
        return replace(tap, worker=worker, employer=employer)

    def due(self, tap: int, due_ms: int) -> None:
        """Say when a tap is to be tried, or consulted, again."""
        self._db.execute("UPDATE tap SET due_ms = ? WHERE id = ?", [due_ms, tap])

    def send_alone(self, tap: int) -> None:
        """From now on the tap goes in calls of its own."""
        self._db.execute("UPDATE tap SET alone = 1 WHERE id = ?", [tap])

    def flag(self, tap: int, flag: str) -> None:
        """Say what is odd about a tap; it stays with it."""
        self._db.execute("UPDATE tap SET flag = ? WHERE id = ?", [flag, tap])

    def release(self, tap: Tap) -> Tap:
        """A person lets a tap go; one that couldn't be identified is looked into again."""
        badge = tap.badge or None
        self._db.execute("UPDATE tap SET released = 1, badge = ? WHERE id = ?", [badge, tap.id])
        return replace(tap, released=True, badge=badge)

    def cleared(self, tap: int, restored: int) -> None:
        """The ONSS was searched for a tap and does not have it, after so many restored backups."""
        self._db.execute("UPDATE tap SET cleared = ? WHERE id = ?", [restored, tap])

    def derive(self, tap: int, at: str, at_ms: int, basis: str) -> None:
        """Keep a derived time beside a tap's own, once; not of one that was sent at its own time.

        A person may have released it. Searched for at another time than it was sent with, it
        would be missed, and sent again.
        """
        self._db.execute(
            "UPDATE tap SET derived_at = ?, derived_ms = ?, basis = ?"
            " WHERE id = ? AND derived_at IS NULL AND tries = 0",
            [at, at_ms, basis, tap],
        )

    def unsynced(self, terminal: str, boot: str, until_up_ms: int) -> list[tuple[int, int]]:
        """List (id, `up_ms`) of a boot's taps up to a moment whose time is not known yet."""
        return self._db.execute(
            "SELECT id, up_ms FROM tap WHERE terminal = ? AND boot = ? AND up_ms <= ?"
            " AND synced = 0 AND derived_at IS NULL",
            [terminal, boot, until_up_ms],
        ).fetchall()

    def derived(self, limit: int) -> list[Tap]:
        """List taps that were held for their clock and whose time is known now, oldest first."""
        return self._many(
            "state = 'held' AND reason = 'untrusted_clock' AND derived_at IS NOT NULL"
            " ORDER BY id LIMIT ?",
            [limit],
        )

    def find(self, tap: int) -> Tap | None:
        """Look up a tap that may not be there."""
        return self._one("id = ?", [tap])

    def unidentified(self, limit: int) -> list[tuple[Tap, Sealed]]:
        """List taps whose payload was not looked into yet, oldest first, with leaf and payload."""
        return self._unidentified("", [], limit)

    def unidentified_of(self, terminal: str, limit: int) -> list[tuple[Tap, Sealed]]:
        """List those of one terminal."""
        return self._unidentified("tap.terminal = ? AND ", [terminal], limit)

    def _unidentified(
        self, where: str, values: Sequence[object], limit: int
    ) -> list[tuple[Tap, Sealed]]:
        rows = self._db.execute(
            f"SELECT {QUALIFIED}, entry.leaf, entry.payload FROM tap"
            " CROSS JOIN entry ON entry.log = tap.log AND entry.seq = tap.seq"
            f" WHERE {where}tap.badge IS NULL AND tap.state IN ('recorded', 'unknown')"
            " ORDER BY tap.id LIMIT ?",
            [*values, limit],
        )
        return list(map(with_sealed, rows))

    def with_fresh_unidentified(self, limit: int) -> list[str]:
        """List terminals of which a fresh stamp was not looked into yet."""
        rows = self._db.execute(
            "SELECT DISTINCT terminal FROM tap WHERE badge IS NULL AND fresh = 1"
            " AND state IN ('recorded', 'unknown') LIMIT ?",
            [limit],
        )
        return [row[0] for row in rows]

    def unresolved(self, beyond: int, limit: int) -> list[Tap]:
        """List taps that wait for their badge to be enrolled, from an id on."""
        return self._many("state = 'unresolved' AND id > ? ORDER BY id LIMIT ?", [beyond, limit])

    def submitted(self) -> list[Tap]:
        """List taps that are on their way."""
        return self._many("state = 'submitted' ORDER BY id", [])

    def unknown_of(self) -> list[str]:
        """List the employers of taps whose answer is unknown; "" for nobody's yet."""
        return [row[0] for row in self._db.execute(_UNKNOWN_OF)]

    def to_consult(self, employer: str, now_ms: int, limit: int) -> list[Tap]:
        """List an employer's taps whose answer is unknown and whose search is due, longest first.

        Those of nobody yet are found under "".
        """
        return self._many(
            f"{_UNKNOWN} AND coalesce(employer, '') = ? AND due_ms <= ? ORDER BY due_ms LIMIT ?",
            [employer, now_ms, limit],
        )

    def accepted_of(self) -> list[str]:
        """List the employers of taps that are accepted, and not finally so."""
        return [row[0] for row in self._db.execute(_ACCEPTED_OF)]

    def to_poll(self, employer: str, now_ms: int, limit: int) -> list[Tap]:
        """List an employer's accepted taps that are to be asked about, longest due first."""
        return self._many(
            f"{_ACCEPTED} AND coalesce(employer, '') = ? AND due_ms <= ? ORDER BY due_ms LIMIT ?",
            [employer, now_ms, limit],
        )

    def polled(self, tap: int, polls: int, due_ms: int) -> None:
        """Keep how often an accepted tap was asked about, and when it is again."""
        self._db.execute("UPDATE tap SET polls = ?, due_ms = ? WHERE id = ?", [polls, due_ms, tap])

    def recent(self, terminal: str, since_ms: int) -> list[Tap]:
        """List a terminal's taps whose state changed since a moment, in that order; the newest."""
        return self._many(
            "id IN (SELECT id FROM tap WHERE terminal = ? AND since_ms >= ?"
            " ORDER BY since_ms DESC, id DESC LIMIT ?) ORDER BY since_ms, id",
            [terminal, since_ms, RECENT_MAX],
        )

    def onss_ids(self, worker: str, from_ms: int, until_ms: int) -> list[str]:
        """List the ONSS ids that a worker's taps between two moments have already."""
        rows = self._db.execute(
            "SELECT onss_id FROM tap WHERE worker = ?"
            " AND coalesce(derived_ms, at_ms) BETWEEN ? AND ?"
            " AND onss_id IS NOT NULL",
            [worker, from_ms, until_ms],
        )
        return [row[0] for row in rows]
