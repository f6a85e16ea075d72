"""What only people, tests and the demo use: the inspection page, and the switches for faults."""

from __future__ import annotations

import json

import msgspec
from flask import Flask, Response, jsonify, render_template_string, request

from gateway.sandbox import problems
from gateway.sandbox.faults import Fault
from gateway.sandbox.store import SHOWN_MAX
from gateway.sandbox.validation import form
from gateway.sandbox.world import Refusals, Sandbox, Validities

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>ONSS sandbox</title>
<style>body{font:15px system-ui;margin:2em}table{border-collapse:collapse}
th,td{border:1px solid #999;padding:.3em .6em;text-align:left}td{font-variant-numeric:tabular-nums}
</style><h1>ONSS sandbox: {{ rows|length }} registrations</h1>
<p>A stand-in with made-up people; never give it real data. Newest first, at most {{ most }}.
Switched on: {{ faults|join(", ", attribute="fault") or "no faults" }}.</p>
<table><thead><tr>{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}<tr>{% for name in names %}<td>{{ row[name] }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></html>"""
SHOWN = (
    "id",
    "registrationDate",
    "type",
    "ssin",
    "employer_number",
    "declaration",
    "validity",
    "client",
    "trace_id",
)


def inspection_routes(app: Flask, sandbox: Sandbox) -> None:
    """Route the pages for people and tests; no client of ours uses them."""

    @app.get("/inspection")
    def inspection() -> str:
        rows = [row | json.loads(row["item"]) for row in sandbox.store.latest()]
        faults = sandbox.faults.pending()
        return render_template_string(PAGE, rows=rows, names=SHOWN, faults=faults, most=SHOWN_MAX)

    @app.get("/inspection.json")
    def inspection_json() -> Response:
        rows = [row | {"item": json.loads(row["item"])} for row in sandbox.store.latest()]
        return jsonify(registrations=rows)


def control_routes(app: Flask, sandbox: Sandbox) -> None:
    """Route the switches. JSON only, so that no web page can reach them."""

    @app.get("/faults")
    def pending() -> Response:
        return jsonify(msgspec.to_builtins(sandbox.faults.pending()))

    @app.post("/faults")
    def switch_on() -> Response:
        fault = form(request.get_json(silent=True), Fault, "body")
        if not isinstance(fault, Fault):
            return problems.bad_request([fault])
        if not sandbox.faults.add(fault):
            return problems.too_many(1, 1)
        return jsonify(msgspec.to_builtins(sandbox.faults.pending()))

    @app.delete("/faults")
    def switch_off() -> Response:
        sandbox.faults.clear()
        return jsonify([])

    @app.put("/refusals")
    def refuse() -> Response:
        refusals = form(request.get_json(silent=True), Refusals, "body")
        if not isinstance(refusals, Refusals):
            return problems.bad_request([refusals])
        with sandbox.lock:
            sandbox.refusals = refusals
        return jsonify(msgspec.to_builtins(refusals))

    @app.put("/validity")
    def judge() -> Response:
        validities = form(request.get_json(silent=True), Validities, "body")
        if not isinstance(validities, Validities):
            return problems.bad_request([validities])
        with sandbox.lock:
            sandbox.validities = validities
        return jsonify(msgspec.to_builtins(validities))
