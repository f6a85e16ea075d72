"""What can be confirmed of the service, one point each, and what is taken as given. Values."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Judged(enum.StrEnum):
    """What a check came to."""

    CONFIRMED = "confirmed"
    DIFFERS = "differs"
    UNCHECKED = "could not be checked"


class Point(enum.StrEnum):
    """One thing that docs/protocol/onss.md takes as given, in the order of a call's path."""

    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"
    TOKEN = "token"
    CLOCK = "clock"
    TRACE_ID = "trace_id"
    NO_TOKEN = "no_token"
    BAD_TOKEN = "bad_token"
    REGISTER = "register"
    BAD_VALUE = "bad_value"
    UNKNOWN_PROPERTY = "unknown_property"
    NULL = "null"
    PAIR = "pair"
    ITEM_NAMES = "item_names"
    ITEMS_MAX = "items_max"
    SEARCH = "search"
    CREATED = "created"
    FOUND = "found"
    ORDER = "order"
    LATE = "late"


GIVEN: dict[Point, str] = {
    Point.NAME: "the hosts of the base and the token URL resolve",
    Point.CONNECTION: "they take a connection",
    Point.TLS: "their certificates are valid for them, by authorities that we trust",
    Point.TOKEN: "a signed assertion with our client id and key gets a token",
    Point.CLOCK: "our clock and the service's agree within 5 seconds",
    Point.TRACE_ID: "an answer carries the call's BelGov-Trace-Id back",
    Point.NO_TOKEN: "a call without a token is a 401 problem of Belgif's",
    Point.BAD_TOKEN: "a call with a wrong token is a 401 problem `invalidAccessToken`",
    Point.REGISTER: "the path to register is right: a call of no items is a 400 problem",
    Point.BAD_VALUE: "a value that can't be is a 400 problem whose issue names item and field",
    Point.UNKNOWN_PROPERTY: "a property it does not know is refused",
    Point.NULL: "a null is refused",
    Point.PAIR: "both of a pair (two company numbers) are refused",
    Point.ITEM_NAMES: "each bad item of a call has its own issue, named by its index",
    Point.ITEMS_MAX: "201 items are refused as too many",
    Point.SEARCH: "the search answers as our stand-in's does",
    Point.CREATED: "an item is answered by `createdPresenceRegistration` with an id",
    Point.FOUND: "the search finds it by person, direction, moment, company and declaration",
    Point.ORDER: "the items of an answer come in the order in which they were sent",
    Point.LATE: "a registration of 25 hours ago is taken",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `answer` is what was answered, NISS masked, where its form matters."""

    point: Point
    judged: Judged
    said: str
    answer: str = ""
