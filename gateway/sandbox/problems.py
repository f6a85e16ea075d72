"""Edge: Belgif problems (RFC 9457) as the service would write them, not for users' eyes.

Source: RULES, "Errors (sure)".
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response

PROBLEM = "urn:problem-type:belgif:"
ISSUE = "urn:problem-type:belgif:input-validation:"

# Short type, status, title; the first of a status is what a fault of that status answers.
PROBLEMS = {
    "badRequest": (400, "Bad Request"),
    "expiredAccessToken": (401, "Expired Access Token"),
    "noAccessToken": (401, "No Access Token"),
    "invalidAccessToken": (401, "Invalid Access Token"),
    "missingPermission": (403, "Missing Permission"),
    "missingScope": (403, "Missing Scope"),
    "resourceNotFound": (404, "Resource Not Found"),
    "payloadTooLarge": (413, "Payload Too Large"),
    "tooManyRequests": (429, "Too Many Requests"),
    "internalServerError": (500, "Internal Server Error"),
    "badGateway": (502, "Bad Gateway"),
    "serviceUnavailable": (503, "Service Unavailable"),
}


def problem(kind: str, detail: str, **more: Any) -> Response:
    """Return the problem as a response; `more` are the further members of its type."""
    status, title = PROBLEMS[kind]
    body = {"type": PROBLEM + kind, "title": title, "status": status, "detail": detail, **more}
    return Response(json.dumps(body), status, content_type="application/problem+json")


def bad_request(issues: list[dict[str, Any]]) -> Response:
    """Return 400 with its issues."""
    return problem("badRequest", "The input message is incorrect", issues=issues)


def unauthorized(kind: str) -> Response:
    """Return 401 with the challenge that RFC 6750 asks for."""
    response = problem(kind, "Bearer token missing or not usable")
    response.headers["WWW-Authenticate"] = 'Bearer realm="presenceRegistration"'
    return response


def too_many(limit: int, wait_s: int) -> Response:
    """Return 429 with every field known: limit, retryAfter, retryAfterSec, and the header."""
    until = (datetime.now(UTC) + timedelta(seconds=wait_s)).isoformat(timespec="seconds")
    detail = "Too many requests"
    fields = {"limit": limit, "retryAfter": until, "retryAfterSec": wait_s}
    response = problem("tooManyRequests", detail, **fields)
    response.headers["Retry-After"] = str(wait_s)
    return response


def unavailable(wait_s: int) -> Response:
    """Return 503, with `Retry-After` where a wait is given."""
    response = problem("serviceUnavailable", "The service is not available")
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response


def of_status(status: int, wait_s: int) -> Response:
    """Return the problem that a fault of this status answers; 504 is a proxy's bare page."""
    if status == 401:
        return unauthorized("expiredAccessToken")
    if status == 429:
        return too_many(1, max(wait_s, 1))
    if status == 503:
        return unavailable(wait_s)
    kinds = [kind for kind, (its, _title) in PROBLEMS.items() if its == status]
    if not kinds:
        return Response("<h1>Gateway Timeout</h1>", status, content_type="text/html")
    more = {"limit": 1} if status == 413 else {}
    return problem(kinds[0], "switched on as a fault", **more)
