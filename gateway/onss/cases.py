"""Every case of the decision table, as data: one row a case; `table.py` writes it for people.

`stored` says what is taken as certain: `no` (the service did not take it), `yes`, `maybe`.
Only `no` may ever lead to sending again: there is no client reference and no idempotency key,
so a blind resend would make a second registration (DESIGN 4, Registration states).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Act(enum.StrEnum):
    """What to do with a registration now."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRY = "retry"
    RENEW_TOKEN = "renew token"
    HOLD = "hold"
    UNKNOWN = "unknown"


class Case(enum.StrEnum):
    """What was seen; the value is what the ledger stores and the document names."""

    CREATED = "created"
    NOT_CREATED = "not_created"
    ITEM_UNCLEAR = "item_unclear"
    COUNT_UNCLEAR = "count_unclear"
    ORDER_UNCONFIRMED = "order_unconfirmed"
    MALFORMED = "malformed"
    WEB_PAGE = "web_page"
    BAD_ITEM = "bad_item"
    BAD_NEIGHBOUR = "bad_neighbour"
    BAD_REQUEST = "bad_request"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_REFUSED = "token_refused"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CALL_TOO_LARGE = "call_too_large"
    ITEM_TOO_LARGE = "item_too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    SERVER_ERROR = "server_error"
    REDIRECT = "redirect"
    OTHER_STATUS = "other_status"
    NO_NAME = "no_name"
    CONNECTION_REFUSED = "connection_refused"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    NOT_SENT = "not_sent"
    NO_TOKEN = "no_token"
    TOKEN_DENIED = "token_denied"
    ANSWER_TIMEOUT = "answer_timeout"
    ANSWER_LOST = "answer_lost"
    ANSWER_TOO_LONG = "answer_too_long"
    FOUND = "found"
    NOT_YET = "not_yet"
    NOT_THERE = "not_there"
    SEARCH_FAILED = "search_failed"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what was seen, whether it may be stored, what is done, after how long, and why.

    `after_s` is the wait before the next attempt (or the next look, for `unknown`) where the
    answer asks for none. `person` says that it won't pass by itself: somebody must be told.
    """

    seen: str
    stored: str
    act: Act
    because: str
    after_s: float = 0.0
    person: bool = False


SOON_S = 5.0
LATER_S = 30.0
MENDED_S = 300.0

TABLE: dict[Case, Row] = {
    # An answer that speaks of the item.
    Case.CREATED: Row(
        "2xx, `createdPresenceRegistration` with an id", "yes", Act.ACCEPTED, "the service says so"
    ),
    Case.NOT_CREATED: Row(
        "2xx, `notCreatedPresenceRegistration`",
        "no",
        Act.REJECTED,
        "the service says so; its content is kept raw",
    ),
    Case.ITEM_UNCLEAR: Row(
        "2xx, an item that is neither, both, or without an id",
        "maybe",
        Act.UNKNOWN,
        "not understood is not refused",
        SOON_S,
        person=True,
    ),
    Case.COUNT_UNCLEAR: Row(
        "2xx, more or fewer items than were sent",
        "maybe",
        Act.UNKNOWN,
        "which is whose would be a guess",
        SOON_S,
        person=True,
    ),
    Case.ORDER_UNCONFIRMED: Row(
        "2xx for several items, their order not confirmed",
        "maybe",
        Act.UNKNOWN,
        "which is whose would be a guess; the search tells",
        SOON_S,
    ),
    Case.MALFORMED: Row(
        "2xx, not the JSON expected (cut, or of another form)",
        "maybe",
        Act.UNKNOWN,
        "it may be stored; the answer does not say so",
        SOON_S,
        person=True,
    ),
    Case.WEB_PAGE: Row(
        "2xx, a page of HTML: a captive portal, a filter, maintenance",
        "maybe",
        Act.UNKNOWN,
        "whoever answered, the request may have passed",
        SOON_S,
        person=True,
    ),
    # A refusal of the call as a whole, in the service's own words.
    Case.BAD_ITEM: Row(
        "400 problem, an issue of value names this item",
        "no",
        Act.REJECTED,
        "the whole call was refused, and this item is why",
    ),
    Case.BAD_NEIGHBOUR: Row(
        "400 problem, its issues name other items only",
        "no",
        Act.RETRY,
        "the whole call was refused; without the others it may pass",
    ),
    Case.BAD_REQUEST: Row(
        "400 problem of any other kind (schema, no issues)",
        "no",
        Act.HOLD,
        "we and the service disagree on the form: ours to mend, not the worker's",
        person=True,
    ),
    Case.TOKEN_EXPIRED: Row(
        "401 problem, token not yet renewed",
        "no",
        Act.RENEW_TOKEN,
        "refused at the door; the client does this by itself, once",
    ),
    Case.TOKEN_REFUSED: Row(
        "401 problem, with a new token",
        "no",
        Act.RETRY,
        "the credential needs mending, not the stamp",
        MENDED_S,
        person=True,
    ),
    Case.FORBIDDEN: Row(
        "403 problem",
        "no",
        Act.RETRY,
        "the credential lacks a permission; the stamp is good",
        MENDED_S,
        person=True,
    ),
    Case.NOT_FOUND: Row(
        "404 problem",
        "no",
        Act.RETRY,
        "the base URL is wrong or the service has moved",
        MENDED_S,
        person=True,
    ),
    Case.CALL_TOO_LARGE: Row(
        "413 problem, several items", "no", Act.RETRY, "send them in smaller calls"
    ),
    Case.ITEM_TOO_LARGE: Row(
        "413 problem, one item", "no", Act.HOLD, "it can't be made smaller", person=True
    ),
    Case.TOO_MANY: Row(
        "429 problem",
        "no",
        Act.RETRY,
        "refused at the door; waits `retryAfterSec` or `Retry-After`",
        LATER_S,
    ),
    Case.UNAVAILABLE: Row(
        "503 problem",
        "no",
        Act.RETRY,
        "`serviceUnavailable` in the service's own words is said before the work begins; "
        "waits `Retry-After`",
        LATER_S,
    ),
    # An answer that does not tell whether the work was done.
    Case.SERVER_ERROR: Row(
        "500, 502, 504, any other 5xx, 503 without a problem",
        "maybe",
        Act.UNKNOWN,
        "it may have failed after storing; 502 and 504 are a go-between's word",
        SOON_S,
    ),
    Case.REDIRECT: Row(
        "3xx (never followed)",
        "maybe",
        Act.UNKNOWN,
        "`see other` may follow work that was done; our token goes to no other host",
        LATER_S,
        person=True,
    ),
    Case.OTHER_STATUS: Row(
        "any other answer; 4xx without a problem of the same status",
        "maybe",
        Act.UNKNOWN,
        "not the service's own word",
        LATER_S,
        person=True,
    ),
    # No answer, and not one byte of the body was sent.
    Case.NO_NAME: Row(
        "no answer: the name does not resolve", "no", Act.RETRY, "nothing was sent", SOON_S
    ),
    Case.CONNECTION_REFUSED: Row(
        "no answer: connection refused", "no", Act.RETRY, "nothing was sent", SOON_S
    ),
    Case.UNREACHABLE: Row(
        "no answer: host or network unreachable", "no", Act.RETRY, "nothing was sent", SOON_S
    ),
    Case.TLS_FAILED: Row(
        "no answer: TLS failed before the request",
        "no",
        Act.RETRY,
        "nothing was sent; a captive portal looks like this",
        LATER_S,
    ),
    Case.CONNECT_TIMEOUT: Row(
        "no answer: no connection in time", "no", Act.RETRY, "nothing was sent", SOON_S
    ),
    Case.NOT_SENT: Row(
        "no answer: broken off before the body was sent",
        "no",
        Act.RETRY,
        "not one byte of the body left",
        SOON_S,
    ),
    Case.NO_TOKEN: Row(
        "no answer: no token to be had, its endpoint is not there or failing",
        "no",
        Act.RETRY,
        "nothing was sent",
        LATER_S,
    ),
    Case.TOKEN_DENIED: Row(
        "no answer: the token endpoint refuses the credential",
        "no",
        Act.RETRY,
        "nothing was sent; the credential needs mending",
        MENDED_S,
        person=True,
    ),
    # No answer, and the request was (partly) sent.
    Case.ANSWER_TIMEOUT: Row(
        "no answer in time, after sending",
        "maybe",
        Act.UNKNOWN,
        "it may be stored, or may yet be",
        SOON_S,
    ),
    Case.ANSWER_LOST: Row(
        "connection dropped or answer cut, after sending",
        "maybe",
        Act.UNKNOWN,
        "it may be stored",
        SOON_S,
    ),
    Case.ANSWER_TOO_LONG: Row(
        "an answer beyond our limit", "maybe", Act.UNKNOWN, "it may be stored", SOON_S, person=True
    ),
    # What a search says of a registration that is unknown.
    Case.FOUND: Row(
        "search: there",
        "yes",
        Act.ACCEPTED,
        "same SSIN, type, instant, company "
        "number and declaration, and its id is no other registration's",
    ),
    Case.NOT_YET: Row(
        "search: not there, before the settling time",
        "maybe",
        Act.UNKNOWN,
        "a search may lag behind the register",
        LATER_S,
    ),
    Case.NOT_THERE: Row(
        "search: not there, after the settling time",
        "no",
        Act.RETRY,
        "only now does its absence count",
    ),
    Case.SEARCH_FAILED: Row(
        "search: refused, failed, cut, or not understood",
        "maybe",
        Act.UNKNOWN,
        "no answer is not an absence",
        LATER_S,
    ),
}
