"""What one call to the service yielded: an answer, or none, and then whether anything was sent."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Silence(enum.StrEnum):
    """Why there is no answer."""

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    TOKEN_UNREACHABLE = "token_unreachable"
    TOKEN_DENIED = "token_denied"
    TIMEOUT = "timeout"
    DROPPED = "dropped"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole.

    `headers` are those of KEPT_HEADERS that were present, names in lower case. `body` may echo
    a NISS, so it is kept out of `repr` and must be stored encrypted. `trace_id` is the call's
    BelGov-Trace-Id. `renewed` says that the call was repeated with a new token after a 401.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    trace_id: str
    renewed: bool = False


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No (whole) answer came.

    `sent` is False only where not one byte of the request's body left this process, so the
    service certainly did not take it; True means that it may have been stored. A search has no
    body and stores nothing: there it is always False.
    `retry_after_s` is what a token endpoint that refused us asked for, if it did.
    """

    reason: Silence
    sent: bool
    trace_id: str
    retry_after_s: float | None = None


Outcome = Answer | NoAnswer

KEPT_HEADERS = ("content-type", "date", "location", "retry-after", "belgov-trace-id")
