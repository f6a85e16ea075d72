"""Enrolling, ending, replacing and revoking badges.

Each function writes in the change it is given, after its checks; raises BadInput.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ciao.errors import BadInput
from provisioning.registry import organisation, rows
from provisioning.registry.records import Badge, Employment, Period
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, Row, instant

# NFC Forum / ISO 14443-3: a 4-byte UID beginning 08 is drawn anew at every tap (a telephone).
_RANDOM_SIZE, _RANDOM_FIRST = 4, 0x08


def add(
    registry: Registry,
    change: Change,
    uid: bytes,
    employment: str,
    tier: str,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
) -> Badge:
    """Put a badge in somebody's hands.

    Without `start`: a badge that nobody ever had counts from the employment's first day, so that
    the taps which wait for it resolve; one that somebody had counts from now, since the taps in
    between are nobody's to guess.
    """
    if len(uid) == _RANDOM_SIZE and uid[0] == _RANDOM_FIRST:
        raise BadInput(
            "a badge UID that changes at every tap (4 bytes beginning 08)",
            "a telephone or a card in privacy mode: enrol a badge with a fixed UID",
        )
    whose = holder(registry, employment)
    uid_hash = registry.fields.uid_hash(uid)
    had = registry.store.row("SELECT 1 FROM badges WHERE uid_hash = ?", [uid_hash])
    if start is None:
        start = whose.period.start if had is None else max(now, whose.period.start)
    badge = Badge(f"b{change.next_row('badges')}", employment, tier, Period(start, end), None, None)
    if end is not None and end <= start:
        raise BadInput("a badge that ends before it starts", "look at --from and --until")
    if not badge.period.overlaps(whose.period):
        raise BadInput(
            f"{employment} is not in force in that period",
            f"see: ciao-provision employment show {employment}",
        )
    _append(registry, change, badge, uid, None)
    not_elsewhere(registry, badge)
    return badge


def end(registry: Registry, change: Change, badge: str, at: datetime) -> Badge:
    """Note that a badge was given back at a moment, excluded."""
    row = _now(registry, badge)
    before = rows.badge(row)
    if at < before.period.start:
        raise BadInput(
            f"{badge} begins later, at {instant(before.period.start)}",
            "a badge can't end before it starts",
        )
    after = replace(before, period=Period(before.period.start, at))
    _append(registry, change, after, registry.uid_of(badge), row["row"])
    not_elsewhere(registry, after)
    return after


def revoke(registry: Registry, change: Change, badge: str, why: str, at: datetime) -> Badge:
    """Hold all taps of a badge from a moment on: it was lost, stolen or copied."""
    row = _now(registry, badge)
    before = rows.badge(row)
    if before.revoked_at is not None and before.revoked_at <= at:
        raise BadInput(
            f"{badge} is revoked already, from {instant(before.revoked_at)}",
            "give an earlier --at to hold earlier taps too",
        )
    after = replace(before, revoked_at=at, revoked_why=organisation.name(why, "reason"))
    _append(registry, change, after, registry.uid_of(badge), row["row"])
    return after


def swap(
    registry: Registry, change: Change, badge: str, uid: bytes, tier: str, why: str, at: datetime
) -> Badge:
    """Give the holder of a lost badge another: the old one's taps are held from a moment on."""
    lost = found(registry, badge)
    if lost.revoked_at is None or lost.revoked_at > at:
        revoke(registry, change, badge, why, at)
    if registry.fields.uid_hash(uid) == _now(registry, badge)["uid_hash"]:
        raise BadInput(f"that is {badge} itself", "lay the new badge on the reader")
    return add(registry, change, uid, lost.employment, tier, at, lost.period.end, at)


def hand_on(
    registry: Registry, change: Change, badge: Badge, employment: str, at: datetime
) -> None:
    """Let a badge follow its holder into another employment; one that was revoked stays so."""
    if badge.period.end is not None and badge.period.end <= at:
        return
    row = _now(registry, badge.id)
    uid = registry.uid_of(badge.id)
    starts = max(badge.period.start, at)
    _append(
        registry, change, replace(badge, period=Period(badge.period.start, starts)), uid, row["row"]
    )
    after = replace(
        badge,
        id=f"b{change.next_row('badges')}",
        employment=employment,
        period=Period(starts, badge.period.end),
    )
    _append(registry, change, after, uid, None)


def not_elsewhere(registry: Registry, badge: Badge) -> None:
    """Raise BadInput where the same badge is somebody else's at some moment of its period."""
    period = badge.period.within(holder(registry, badge.employment).period)
    same = registry.store.rows(
        "SELECT * FROM badges_now WHERE id <> :id AND uid_hash ="
        " (SELECT uid_hash FROM badges_now WHERE id = :id)",
        {"id": badge.id},
    )
    for other in (rows.badge(row) for row in same):
        if other.period.within(holder(registry, other.employment).period).overlaps(period):
            raise BadInput(
                f"that badge is with {other.employment} in that period, as {other.id}",
                f"end that first: ciao-provision badge end {other.id} --at MOMENT",
            )


def _append(
    registry: Registry, change: Change, badge: Badge, uid: bytes, replaces: int | None
) -> None:
    def encrypt(row: int) -> dict[str, bytes]:
        return {"uid": registry.fields.encrypt(uid, "badges", "uid", row)}

    values = {
        "id": badge.id,
        "uid_hash": registry.fields.uid_hash(uid),
        "employment": badge.employment,
        "tier": badge.tier,
        "valid_from": instant(badge.period.start),
        "valid_until": instant(badge.period.end) if badge.period.end else None,
        "revoked_at": instant(badge.revoked_at) if badge.revoked_at else None,
        "revoked_why": badge.revoked_why,
    }
    change.append("badges", values, replaces=replaces, encrypt=encrypt)


def holder(registry: Registry, employment: str) -> Employment:
    """Find the employment that a badge is to be of; raise BadInput."""
    held = registry.employment(employment)
    if held is None:
        raise BadInput(
            f"there is no employment {employment!r}", "see: ciao-provision employment list"
        )
    return held


def found(registry: Registry, badge: str) -> Badge:
    """Find a badge as it is now; raise BadInput."""
    return rows.badge(_now(registry, badge))


def _now(registry: Registry, badge: str) -> Row:
    row = registry.store.row("SELECT * FROM badges_now WHERE id = ?", [badge])
    if row is None:
        raise BadInput(f"there is no badge {badge!r}", "see: ciao-provision badge list")
    return row
