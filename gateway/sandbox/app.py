"""Edge: the sandbox's WSGI application: all routes, and what every answer has."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask, Response, request

from gateway.sandbox import pages, problems, service
from gateway.sandbox.world import Sandbox


def create_app(sandbox: Sandbox) -> Flask:
    """Return the WSGI application over a sandbox."""
    app = Flask("onss-sandbox", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    service.routes(app, sandbox)
    pages.inspection_routes(app, sandbox)
    pages.control_routes(app, sandbox)

    @app.errorhandler(404)
    def not_found(_error: object) -> Response:
        refusal = service.turned_away(sandbox)
        if refusal is not None:
            return refusal
        return problems.problem("resourceNotFound", "No such resource")

    @app.errorhandler(405)
    def not_allowed(error: Any) -> Response:
        refusal = service.turned_away(sandbox)
        if refusal is not None:
            return refusal
        # Belgif has no problem of this kind (RFC 9110 15.5.6 asks for the header).
        return Response("", 405, {"Allow": ", ".join(error.valid_methods or ())})

    @app.after_request
    def trace(response: Response) -> Response:
        told = request.headers.get("BelGov-Trace-Id", "")
        response.headers["BelGov-Trace-Id"] = told if service.is_uuid4(told) else str(uuid.uuid4())
        return response

    return app
