"""What the real service has: the token endpoint and `registerInBulk`; and a search of our own.

Source: RULES, "What is known of the central service". The search is unknown there.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import msgspec
from flask import Flask, Response, jsonify, request

from gateway.sandbox import problems, validation
from gateway.sandbox.oauth import Refused
from gateway.sandbox.store import FOUND_MAX
from gateway.sandbox.validation import ITEMS_MAX, Item, Query, form, issue
from gateway.sandbox.world import Refusals, Sandbox

TOKEN_PATH = "/REST/oauth/v5/token"
BASE_PATH = "/REST/presenceRegistration/v1"
BODY_BYTES_MAX = 1 << 20


def routes(app: Flask, sandbox: Sandbox) -> None:
    """Route the three services, each through the faults switched on for it."""

    @app.post(TOKEN_PATH)
    def token() -> Response:
        return sandbox.play("token", lambda: _token(sandbox))

    @app.post(f"{BASE_PATH}/presenceRegistrations/registerInBulk")
    def register() -> Response:
        return sandbox.play("register", lambda: _register(sandbox))

    @app.get(f"{BASE_PATH}/presenceRegistrations")
    def search() -> Response:
        return sandbox.play("search", lambda: _search(sandbox))


def _token(sandbox: Sandbox) -> Response:
    if request.mimetype != "application/x-www-form-urlencoded":
        return _oauth_error(Refused("invalid_request", "the body must be form-encoded"))
    try:
        answer = sandbox.issuer.issue(request.form.to_dict(), sandbox.token_url)
    except Refused as refused:
        return _oauth_error(refused)
    return Response(json.dumps(answer), 200, {"Cache-Control": "no-store"}, "application/json")


def _oauth_error(refused: Refused) -> Response:
    status = 401 if refused.code == "invalid_client" else 400
    body = {"error": refused.code, "error_description": refused.why}
    return Response(json.dumps(body), status, {"Cache-Control": "no-store"}, "application/json")


def _register(sandbox: Sandbox) -> Response:
    client, refusal = _caller(sandbox)
    if refusal is not None:
        return refusal
    if (request.content_length or 0) > BODY_BYTES_MAX:
        return problems.problem("payloadTooLarge", "Too many bytes", limit=BODY_BYTES_MAX)
    raw = _json_body()
    sent = raw.get("items") if isinstance(raw, dict) else None
    if isinstance(sent, list) and len(sent) > ITEMS_MAX:
        return problems.problem("payloadTooLarge", "Too many items", limit=ITEMS_MAX)
    items, issues = validation.body(raw)
    if issues:
        return problems.bad_request(issues)
    return jsonify(items=_created(sandbox, client, list(zip(items, raw["items"], strict=True))))


def _json_body() -> Any:
    try:
        return msgspec.json.decode(request.get_data()) if request.is_json else None
    except msgspec.DecodeError:
        return None


def _created(sandbox: Sandbox, client: str, items: list[tuple[Item, Any]]) -> list[dict[str, Any]]:
    with sandbox.lock:
        refused = [_refusal(sandbox.refusals, index, item) for index, (item, _) in enumerate(items)]
    good = [pair for pair, issues in zip(items, refused, strict=True) if not issues]
    call = (request.headers["BelGov-Trace-Id"], int(sandbox.now() * 1000))
    ids = iter(sandbox.store.add(good, client, call))
    return [
        {"notCreatedPresenceRegistration": {"issues": issues}}
        if issues
        else {"createdPresenceRegistration": _fresh(next(ids))}
        for issues in refused
    ]


def _fresh(onss_id: int) -> dict[str, Any]:
    return {"id": onss_id, "validity": "pending", "remarks": []}


def _refusal(refusals: Refusals, index: int, item: Item) -> list[dict[str, Any]]:
    """Return why an item is not created; what the real service says here is unknown."""
    checks = (
        ("ssin", item.ssin, refusals.ssins),
        (
            "contractualRelationshipReference",
            item.contractualRelationshipReference,
            refusals.declarations,
        ),
    )
    return [
        issue("referencedResourceNotFound", "body", f"items[{index}].{name}", "refused", value)
        for name, value, refused in checks
        if value in refused
    ]


def _search(sandbox: Sandbox) -> Response:
    client, refusal = _caller(sandbox)
    if refusal is not None:
        return refusal
    query = form(request.args.to_dict(), Query, "query")
    if not isinstance(query, Query):
        return problems.bad_request([query])
    until_ms = int((sandbox.now() - sandbox.search_delay_s) * 1000)
    found, total = sandbox.store.search(query, client, until_ms)
    items = [_as_it_stands(sandbox, row) for row in found]
    return jsonify(items=items, total=total, limit=FOUND_MAX)


def _as_it_stands(sandbox: Sandbox, row: dict[str, Any]) -> dict[str, Any]:
    """Return a registration with what has become of it since."""
    age_s = sandbox.now() - row.pop("received_ms") / 1000
    with sandbox.lock:
        validity, remarks = sandbox.validities.of(row["ssin"], age_s)
    return {**row, "validity": validity, "remarks": remarks}


def turned_away(sandbox: Sandbox) -> Response | None:
    """Refuse a call below the service's path that brings a token which is none, whatever it asks.

    A gateway in front of a service looks at tokens before it looks at what is asked (likely).
    """
    shown = request.headers.get("Authorization")
    if not shown or not request.path.startswith(BASE_PATH):
        return None
    holder = sandbox.issuer.holder(shown)
    return problems.unauthorized(holder) if isinstance(holder, str) else None


def _caller(sandbox: Sandbox) -> tuple[str, Response | None]:
    """Return the client a call comes from, or the problem that refuses it."""
    holder = sandbox.issuer.holder(request.headers.get("Authorization"))
    if isinstance(holder, str):
        return "", problems.unauthorized(holder)
    told = request.headers.get("BelGov-Trace-Id", "")
    if not is_uuid4(told):
        what = "a UUIDv4 is needed"
        wrong = issue("schemaViolation", "header", "BelGov-Trace-Id", what, told)
        return "", problems.bad_request([wrong])
    return holder.client, None


def is_uuid4(text: str) -> bool:
    """Whether a text is a UUIDv4 in its usual form."""
    try:
        read = uuid.UUID(text)
    except ValueError:
        return False
    return read.version == 4 and str(read) == text.lower()
