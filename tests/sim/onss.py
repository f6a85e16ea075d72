"""The ONSS as a peer: it registers, searches after a while, and fails in its own ways, seeded."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.onss.answers import Answer, NoAnswer, Outcome, Silence
from tests.sim.agenda import Agenda

JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": "application/problem+json"}
# A call whose answer nobody waits for any more may still be worked on for so long.
STORED_LATE_MS = (500, 3_000)
VISIBLE_AFTER_MS = 3_000


@dataclass(frozen=True, slots=True)
class Row:
    """One registration the ONSS has."""

    id: int
    at: datetime
    ssin: str
    direction: str
    company: str
    declaration: str
    stored_ms: int
    trace_id: str
    item: Mapping[str, Any]


@dataclass(slots=True)
class Moods:
    """Probabilities of each failure."""

    stored_no_answer: float = 0.0
    stored_late: float = 0.0
    not_stored_no_answer: float = 0.0
    not_sent: float = 0.0
    unavailable: float = 0.0
    too_many: float = 0.0
    expired_token: float = 0.0
    broken: float = 0.0
    item_refused: float = 0.0
    call_refused: float = 0.0
    search_fails: float = 0.0


# What a round of probes sees while the service is down in one of these ways, and what a call gets.
DOWN: dict[str, tuple[dict[str, str], Silence | None]] = {
    "tcp": ({"onss-dns": "ok", "onss-tcp": "refused"}, Silence.REFUSED),
    "tls": ({"onss-dns": "ok", "onss-tcp": "ok", "onss-tls": "failed"}, Silence.TLS),
    "http": (
        {"onss-dns": "ok", "onss-tcp": "ok", "onss-tls": "ok", "onss-http": "error"},
        None,
    ),
    "token": (
        {"onss-token:exemple": "denied", "onss-token:voorbeeld": "denied"},
        Silence.TOKEN_DENIED,
    ),
}
WELL = dict.fromkeys(("onss-dns", "onss-tcp", "onss-tls", "onss-http"), "ok")
TOKENS = {"onss-token:exemple": "ok", "onss-token:voorbeeld": "ok"}
ANCHORS = {"anchor-1": "ok", "anchor-2": "ok", "anchor-3": "ok"}


class Onss:
    """The peer; its rows are what a checker counts.

    `down` names the way in which nothing works just now; `failed_ms` are the moments at which
    it failed somebody, whatever the way.
    """

    def __init__(self, agenda: Agenda, rng: random.Random) -> None:
        self._agenda = agenda
        self._rng = rng
        self.moods = Moods()
        self.rows: list[Row] = []
        self.calls: list[tuple[str, tuple[Mapping[str, Any], ...]]] = []
        self.down: str | None = None
        self.failed_ms: list[int] = []

    def look(self) -> dict[str, str]:
        """Answer a round of probes; it takes nothing from the service's randomness."""
        seen = {**WELL, **TOKENS}
        if self.down is not None:
            words, _ = DOWN[self.down]
            seen = {**(TOKENS if "onss-tcp" in words else seen), **words}
            self.failed_ms.append(self._agenda.now_ms)
        return {**ANCHORS, **seen}

    def register(self, items: Sequence[Mapping[str, Any]], trace_id: str) -> Outcome:
        """Take one call; what is stored and what is answered are two things."""
        outcome = self._register(items, trace_id)
        if isinstance(outcome, NoAnswer) or outcome.status >= 500 or outcome.status == 401:
            self.failed_ms.append(self._agenda.now_ms)
        return outcome

    def _register(self, items: Sequence[Mapping[str, Any]], trace_id: str) -> Outcome:
        moods, roll = self.moods, self._rng.random
        if self.down is not None:
            return self._turned_away(trace_id)
        if roll() < moods.not_sent:
            return NoAnswer(Silence.REFUSED, False, trace_id)
        self.calls.append((trace_id, tuple(items)))
        if roll() < moods.not_stored_no_answer:
            return NoAnswer(Silence.DROPPED, True, trace_id)
        if roll() < moods.stored_late:
            late_ms = self._rng.randint(*STORED_LATE_MS)
            self._agenda.after(late_ms, lambda: self._store_all(items, trace_id))
            return NoAnswer(Silence.TIMEOUT, True, trace_id)
        refusal = self._refusal(items, trace_id)
        if refusal is not None:
            return refusal
        told: list[dict[str, Any]] = []
        for item in items:
            if roll() < moods.item_refused:
                issue = {"type": "urn:problem-type:belgif:input-validation:invalidInput"}
                told.append({"notCreatedPresenceRegistration": {"issues": [issue]}})
            else:
                row = self._store(item, trace_id)
                told.append({"createdPresenceRegistration": _told(row)})
        if roll() < moods.stored_no_answer:
            return NoAnswer(Silence.TIMEOUT, True, trace_id)
        if roll() < moods.broken:
            return Answer(502, {}, b"<html>", trace_id)
        renewed = roll() < moods.expired_token
        return Answer(200, JSON, json.dumps({"items": told}).encode(), trace_id, renewed)

    def _refusal(self, items: Sequence[Mapping[str, Any]], trace_id: str) -> Answer | None:
        """Refuse the call as a whole, in the service's own words; nothing is stored."""
        moods, roll = self.moods, self._rng.random
        if roll() < moods.unavailable:
            return _problem(503, "serviceUnavailable", trace_id)
        if roll() < moods.too_many:
            return _problem(429, "tooManyRequests", trace_id, retryAfterSec=3)
        if roll() < moods.expired_token / 2:
            # Expired, and the new one was refused as well.
            told = _problem(401, "expiredAccessToken", trace_id)
            return Answer(401, told.headers, told.body, trace_id, renewed=True)
        if roll() < moods.call_refused:
            kind = "urn:problem-type:belgif:input-validation:invalidInput"
            name = f"items[{self._rng.randrange(len(items))}].ssin"
            issues = [{"type": kind, "name": name, "in": "body"}]
            return _problem(400, "badRequest", trace_id, issues=issues)
        return None

    def search(self, query: Mapping[str, str], trace_id: str) -> Outcome:
        """Find what was stored long enough ago."""
        if self.down is not None:
            return self._turned_away(trace_id)
        if self._rng.random() < self.moods.search_fails:
            return NoAnswer(Silence.TIMEOUT, False, trace_id)
        begin = datetime.fromisoformat(query["registrationDateFrom"])
        end = datetime.fromisoformat(query["registrationDateTo"])
        seen_ms = self._agenda.now_ms - VISIBLE_AFTER_MS
        found = [
            {**row.item, **_told(row)}
            for row in self.rows
            if row.stored_ms <= seen_ms
            and begin <= row.at <= end
            and row.ssin == query["ssin"]
            and row.direction == query["type"]
            and row.company == query["employerNumber"]
            and row.declaration == query["contractualRelationshipReference"]
        ]
        body = json.dumps({"items": found, "total": len(found)}).encode()
        return Answer(200, JSON, body, trace_id)

    def _turned_away(self, trace_id: str) -> Outcome:
        _, silence = DOWN[self.down or ""]
        if silence is None:
            return _problem(503, "serviceUnavailable", trace_id)
        return NoAnswer(silence, False, trace_id)

    def _store_all(self, items: Sequence[Mapping[str, Any]], trace_id: str) -> None:
        for item in items:
            self._store(item, trace_id)

    def _store(self, item: Mapping[str, Any], trace_id: str) -> Row:
        (company,) = item["employer"].values()
        row = Row(
            id=len(self.rows) + 1,
            at=datetime.fromisoformat(item["registrationDate"]),
            ssin=item["ssin"],
            direction=item["type"],
            company=company,
            declaration=item["contractualRelationshipReference"],
            stored_ms=self._agenda.now_ms,
            trace_id=trace_id,
            item=item,
        )
        self.rows.append(row)
        return row


def _told(row: Row) -> dict[str, Any]:
    return {"id": row.id, "validity": "pending", "remarks": []}


def _problem(status: int, kind: str, trace_id: str, **more: Any) -> Answer:
    told = {"type": f"urn:problem-type:belgif:{kind}", "status": status, **more}
    return Answer(status, PROBLEM, json.dumps(told).encode(), trace_id)
