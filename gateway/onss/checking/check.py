"""Edge: the checks, one after the other, against a service, by one credential.

Nothing is registered by `run`: what it sends must be refused, by the check digits of a person who
can't be. Only `register` registers, the test person that somebody gave.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from gateway.onss.answers import Answer, Outcome
from gateway.onss.checking import judging
from gateway.onss.checking.points import Finding, Judged, Point
from gateway.onss.checking.reaching import Reached, reach
from gateway.onss.config import OnssConfig
from gateway.onss.connection import Request
from gateway.onss.consult import TOLERANCE, found
from gateway.onss.mapping import instant
from gateway.onss.problems import parse_json
from gateway.onss.tokens import Sources, token_request
from gateway.onss.transport import Transport

# Eleven digits whose check digits are wrong: it names nobody, and can't be registered.
NOBODY = "00000000000"
ITEMS_MAX = 200
LATE = timedelta(hours=25)
WAIT_S = 5.0

Item = dict[str, Any]

EXAMPLE: Item = {
    "type": "in",
    "employer": {"enterpriseNumber": "0000000097"},
    "placeOfWork": {
        "address": {
            "postCode": "1000",
            "municipalityName": "Bruxelles",
            "streetName": "Rue de l'Exemple",
            "houseNumber": "1",
        }
    },
    "contractualRelationshipReference": "1Y1000NF9KCQZ",
}


@dataclass(frozen=True, slots=True)
class Looks:
    """What the checks look with: the transport, the way to a host, clocks and ids, and a pause."""

    transport: Transport
    sources: Sources
    reach: Callable[[str], Reached]
    pause: Callable[[float], None] = time.sleep


def looks(config: OnssConfig, sources: Sources) -> Looks:
    """Make them for a service."""
    return Looks(
        Transport(config, sources.monotonic),
        sources,
        lambda url: reach(url, config.ca_file, config.connect_s),
    )


class Check:
    """One service, one credential; each method yields findings as they come."""

    def __init__(self, config: OnssConfig, looks: Looks) -> None:
        self._config = config
        self._looks = looks
        self._bearer: str | None = None

    def run(self, base: Mapping[str, Any] | None, send: bool) -> Iterator[Finding]:
        """Check what can be without registering anything.

        `base`: a test person's item, for its company and declaration. `send`: also send what
        must be refused.
        """
        yield from self._way()
        yield from self._token()
        yield from self._strangers()
        if send:
            yield from self._refusals({**EXAMPLE, **(base or {})})
        else:
            for point in REFUSALS:
                yield Finding(point, Judged.UNCHECKED, "not sent to production: --production")
        yield self._search()

    def register(self, item: Mapping[str, Any]) -> Iterator[Finding]:
        """Register a test person: an IN, then an OUT and an IN in one call, then one of yesterday.

        Four registrations, at moments a second apart that nothing else has.
        """
        at = self._now().replace(microsecond=0)
        base = copy.deepcopy(dict(item))
        first = {**base, "type": "in", "registrationDate": instant(at)}
        outcome = self._post([first])
        ids = judging.registered(outcome)
        if not ids:
            yield _not_created(outcome)
            return
        yield Finding(Point.CREATED, Judged.CONFIRMED, f"id {ids[0]}", judging.shown(outcome))
        yield self._found(first, ids[0], Point.FOUND)
        yield self._order(base, at + timedelta(seconds=2))
        late = {**base, "type": "in", "registrationDate": instant(at - LATE)}
        told = judging.registered(outcome := self._post([late]))
        judged = Judged.CONFIRMED if told else Judged.DIFFERS
        said = f"id {told[0]}" if told else "it is not"
        yield Finding(Point.LATE, judged, said, judging.shown(outcome))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._looks.sources.now(), UTC)

    def _way(self) -> Iterator[Finding]:
        urls = {_host(url): url for url in (self._config.base_url, self._config.token_url)}
        yield from judging.reached([self._looks.reach(url) for url in urls.values()], self._now())

    def _token(self) -> Iterator[Finding]:
        outcome = self._looks.transport.call(token_request(self._config, self._looks.sources))
        finding = judging.token(outcome)
        yield finding
        yield judging.clock(outcome, self._now())
        if finding.judged is Judged.CONFIRMED and isinstance(outcome, Answer):
            self._bearer = f"Bearer {parse_json(outcome.body)['access_token']}"

    def _strangers(self) -> Iterator[Finding]:
        """Calls that stop at the door; they hold no item either."""
        kinds = ("noAccessToken", "invalidAccessToken")
        yield judging.unauthorized(Point.NO_TOKEN, self._post([], bearer=""), kinds)
        wrong = self._post([], bearer="Bearer not-a-token")
        yield judging.unauthorized(Point.BAD_TOKEN, wrong, kinds[1:])

    def _refusals(self, good: Item) -> Iterator[Finding]:
        """Calls that must be refused: each holds nobody's number, whatever else is wrong."""
        if self._bearer is None:
            for point in REFUSALS:
                yield Finding(point, Judged.UNCHECKED, "there is no token")
            return
        item = {**good, "ssin": NOBODY, "registrationDate": instant(self._now())}
        empty = self._post([])
        yield judging.trace_id(empty)
        yield judging.refused(Point.REGISTER, empty)
        yield judging.bad_value(self._post([item]))
        unknown = self._post([{**item, "notKnown": "x"}])
        yield judging.refused(Point.UNKNOWN_PROPERTY, unknown, ["notKnown"])
        nulled = {**item, "employer": {"enterpriseNumber": "0000000097", "foreignVatNumber": None}}
        fields = ["foreignVatNumber", "enterpriseNumber", "employer"]
        yield judging.refused(Point.NULL, self._post([nulled]), fields)
        both = {**item, "employer": {"enterpriseNumber": "0000000097", "foreignVatNumber": "FR1"}}
        yield judging.refused(Point.PAIR, self._post([both]), fields)
        yield judging.item_names(self._post([item, item]), 2)
        yield judging.too_many(self._post([item] * (ITEMS_MAX + 1)))

    def _search(self) -> Finding:
        if self._bearer is None:
            return Finding(Point.SEARCH, Judged.UNCHECKED, "there is no token")
        if not self._config.search_path:
            return Finding(Point.SEARCH, Judged.UNCHECKED, "no onss.search_path is configured")
        item = {**EXAMPLE, "ssin": NOBODY, "registrationDate": instant(self._now())}
        outcome = self._ask(item)
        if isinstance(outcome, Answer) and outcome.status == 200:
            if found(outcome.body) is not None:
                return Finding(Point.SEARCH, Judged.CONFIRMED, "200, whole, and nobody found")
            said = "200, in a form we do not read"
            return Finding(Point.SEARCH, Judged.DIFFERS, said, judging.shown(outcome))
        if isinstance(outcome, Answer) and outcome.status in (404, 405):
            said = f'{outcome.status}: no such path; if there is no search: onss.search_path = ""'
            return Finding(Point.SEARCH, Judged.DIFFERS, said)
        return judging.unanswered(Point.SEARCH, outcome)

    def _found(self, item: Item, onss_id: str, point: Point) -> Finding:
        """Look for a registration until its id shows, or the settling time has gone."""
        if not self._config.search_path:
            return Finding(point, Judged.UNCHECKED, "no onss.search_path is configured")
        begun_s = self._looks.sources.monotonic()
        while True:
            outcome = self._ask(item)
            rows = found(outcome.body) if isinstance(outcome, Answer) else None
            waited_s = self._looks.sources.monotonic() - begun_s
            if rows is None:
                return judging.unanswered(point, outcome)
            if any(row.created.onss_id == onss_id for row in rows):
                said = f"id {onss_id}, after {waited_s:.0f} s"
                return Finding(point, Judged.CONFIRMED, said, judging.shown(outcome))
            if waited_s >= self._config.settling_s:
                said = f"not within onss.settling_s, {self._config.settling_s:g} s"
                return Finding(point, Judged.DIFFERS, said, judging.shown(outcome))
            self._looks.pause(WAIT_S)

    def _order(self, base: Item, at: datetime) -> Finding:
        """Register an OUT and an IN in one call, and ask the search which id is which."""
        sent = [
            {**base, "type": kind, "registrationDate": instant(at + timedelta(seconds=seconds))}
            for seconds, kind in enumerate(("out", "in"))
        ]
        outcome = self._post(sent)
        ids = judging.registered(outcome)
        if len(ids) != len(sent):
            said = "the two were not both registered"
            return Finding(Point.ORDER, Judged.UNCHECKED, said, judging.shown(outcome))
        looked = [
            self._found(item, onss_id, Point.ORDER) for item, onss_id in zip(sent, ids, strict=True)
        ]
        bad = [one for one in looked if one.judged is not Judged.CONFIRMED]
        return bad[0] if bad else Finding(Point.ORDER, Judged.CONFIRMED, f"ids {', '.join(ids)}")

    def _post(self, items: Sequence[Mapping[str, Any]], bearer: str | None = None) -> Outcome:
        body = json.dumps({"items": list(items)}).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        return self._call("POST", self._config.register_url, headers, bearer, body)

    def _ask(self, item: Item) -> Outcome:
        at = datetime.fromisoformat(item["registrationDate"])
        (number,) = item["employer"].values()
        asked = {
            "ssin": item["ssin"],
            "type": item["type"],
            "registrationDateFrom": instant(at - TOLERANCE / 4),
            "registrationDateTo": instant(at + TOLERANCE / 4),
            "employerNumber": number,
            "contractualRelationshipReference": item["contractualRelationshipReference"],
        }
        headers = {"Accept": "application/json"}
        return self._call("GET", self._config.search_url, headers, None, params=asked)

    def _call(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        bearer: str | None,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Outcome:
        bearer = self._bearer if bearer is None else bearer
        told = {**headers, "Authorization": bearer} if bearer else headers
        trace = self._looks.sources.new_uuid()
        return self._looks.transport.call(Request(method, url, trace, told, body, params))


REFUSALS = (
    Point.TRACE_ID,
    Point.REGISTER,
    Point.BAD_VALUE,
    Point.UNKNOWN_PROPERTY,
    Point.NULL,
    Point.PAIR,
    Point.ITEM_NAMES,
    Point.ITEMS_MAX,
)


def _not_created(outcome: Outcome) -> Finding:
    if isinstance(outcome, Answer) and outcome.status == 200:
        said = "200, and not created: is this person known there?"
        return Finding(Point.CREATED, Judged.UNCHECKED, said, judging.shown(outcome))
    return judging.unanswered(Point.CREATED, outcome)


def _host(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
