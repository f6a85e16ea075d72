"""Edge: a witness over HTTP: one route, one lock, commit, then tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from flask import Flask, Response, request

from ciao.names import Origin
from ciao.notes import Signer, VerifierKey
from gateway.witness import protocol
from gateway.witness.protocol import AddCheckpoint, Extends, Refused
from gateway.witness.store import Store


class Witness:
    """Decides on checkpoints of the logs it knows, and cosigns those that extend what it has."""

    def __init__(
        self,
        store: Store,
        logs: Mapping[str, Sequence[VerifierKey]],
        cosigner: Signer,
        now_s: Callable[[], int],
    ) -> None:
        """`logs`: the keys of each log, by its origin."""
        self._store = store
        self._logs = logs
        self._cosigner = cosigner
        self._now_s = now_s
        self._lock = threading.Lock()

    def add(self, body: bytes) -> bytes | Refused:
        """Answer a request: a cosignature line, durable before it is returned, or why not."""
        asked = protocol.decode(body)
        if isinstance(asked, Refused):
            return asked
        origin = protocol.origin_of(asked)
        keys = self._logs.get(origin)
        if keys is None:
            return Refused(404, "a log that is not known here")
        with self._lock, self._store.changing():
            verdict = self._judged(asked, origin, keys)
        if isinstance(verdict, Refused):
            return verdict
        return protocol.signatures(self._cosigner.cosign(verdict.note, self._now_s()))

    def _judged(
        self, asked: AddCheckpoint, origin: str, keys: Sequence[VerifierKey]
    ) -> Extends | Refused:
        verdict = protocol.judge(asked, keys, self._store.held(origin))
        if isinstance(verdict, Extends):
            self._store.keep(origin, verdict.held)
        return verdict


def known_log(text: str) -> tuple[str, VerifierKey]:
    """Read a `log` line's key: a log's origin is its key's name; raise ValueError."""
    key = VerifierKey.parse(text)
    Origin.parse(key.name)
    return key.name, key


def create_app(witness: Witness) -> Flask:
    """Return the WSGI application of a witness."""
    app = Flask("ciao-witness", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = protocol.BODY_SIZE_MAX

    @app.post(protocol.PATH)
    def add_checkpoint() -> Response:
        answer = witness.add(request.get_data())
        if not isinstance(answer, Refused):
            return Response(answer, 200, content_type="text/plain; charset=utf-8")
        if answer.size is not None:
            return Response(f"{answer.size}\n", answer.status, content_type=protocol.SIZE_TYPE)
        return Response(f"{answer.why}\n", answer.status, content_type="text/plain; charset=utf-8")

    return app
