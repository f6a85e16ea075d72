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
    item: Mapping[str, Any]


@dataclass(slots=True)
class Moods:
    """Probabilities of each failure."""

    stored_no_answer: float = 0.0
    not_stored_no_answer: float = 0.0
    unavailable: float = 0.0
    too_many: float = 0.0
    broken: float = 0.0
    search_fails: float = 0.0

    def clear(self) -> None:
        """The faults stop."""
        self.stored_no_answer = self.not_stored_no_answer = self.unavailable = 0.0
        self.too_many = self.broken = self.search_fails = 0.0


class Onss:
    """The peer; its rows are what a checker counts."""

    def __init__(self, agenda: Agenda, rng: random.Random, visible_after_ms: int) -> None:
        self._agenda = agenda
        self._rng = rng
        self._visible_after_ms = visible_after_ms
        self.moods = Moods()
        self.rows: list[Row] = []

    def register(self, items: Sequence[Mapping[str, Any]], trace_id: str) -> Outcome:
        """Take one call; what is stored and what is answered are two things."""
        moods, roll = self.moods, self._rng.random
        if roll() < moods.not_stored_no_answer:
            return NoAnswer(Silence.DROPPED, True, trace_id)
        if roll() < moods.unavailable:
            return _problem(503, "serviceUnavailable", trace_id)
        if roll() < moods.too_many:
            return _problem(429, "tooManyRequests", trace_id, retryAfterSec=3)
        made = [self._store(item) for item in items]
        if roll() < moods.stored_no_answer:
            return NoAnswer(Silence.TIMEOUT, True, trace_id)
        if roll() < moods.broken:
            return Answer(502, {}, b"<html>", trace_id)
        told = [{"createdPresenceRegistration": _told(row)} for row in made]
        return Answer(200, JSON, json.dumps({"items": told}).encode(), trace_id)

    def search(self, query: Mapping[str, str], trace_id: str) -> Outcome:
        """Find what was stored long enough ago."""
        if self._rng.random() < self.moods.search_fails:
            return NoAnswer(Silence.TIMEOUT, False, trace_id)
        begin = datetime.fromisoformat(query["registrationDateFrom"])
        end = datetime.fromisoformat(query["registrationDateTo"])
        seen_ms = self._agenda.now_ms - self._visible_after_ms
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

    def _store(self, item: Mapping[str, Any]) -> Row:
        (company,) = item["employer"].values()
        row = Row(
            id=len(self.rows) + 1,
            at=datetime.fromisoformat(item["registrationDate"]),
            ssin=item["ssin"],
            direction=item["type"],
            company=company,
            declaration=item["contractualRelationshipReference"],
            stored_ms=self._agenda.now_ms,
            item=item,
        )
        self.rows.append(row)
        return row


def _told(row: Row) -> dict[str, Any]:
    return {"id": row.id, "validity": "pending", "remarks": []}


def _problem(status: int, kind: str, trace_id: str, **more: Any) -> Answer:
    told = {"type": f"urn:problem-type:belgif:{kind}", "status": status, **more}
    return Answer(status, PROBLEM, json.dumps(told).encode(), trace_id)
