"""Edge: the sandbox's WSGI application: all routes, and what every answer has."""

from __future__ import annotations

import uuid

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
    @app.errorhandler(405)
    def not_found(_error: object) -> Response:
        return problems.problem("resourceNotFound", "No such resource")

    @app.after_request
    def trace(response: Response) -> Response:
        told = request.headers.get("BelGov-Trace-Id", "")
        response.headers["BelGov-Trace-Id"] = told if service.is_uuid4(told) else str(uuid.uuid4())
        return response

    return app
