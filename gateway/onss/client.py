"""Edge: the client of the presence registration service: register, search."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.onss.answers import Answer, NoAnswer, Outcome
from gateway.onss.cases import Act
from gateway.onss.config import OnssConfig
from gateway.onss.connection import Request
from gateway.onss.decisions import decide
from gateway.onss.tokens import Sources, Tokens
from gateway.onss.transport import Connect, Transport

ITEMS_MAX = 200


class OnssClient:
    """One credential's client; call it from as many threads as you like.

    It returns what happened and never raises for it; it decides nothing, except that a call
    which the table answers with `renew token` is repeated once with a new token (a 401 is
    certainly not stored), under a trace id of its own, marked `renewed`.
    """

    def __init__(
        self,
        config: OnssConfig,
        sources: Sources,
        connect: Connect | None = None,
    ) -> None:
        self._config = config
        self._sources = sources
        self._transport = Transport(config, sources.monotonic, connect)
        self._tokens = Tokens(config, self._transport, sources)

    @property
    def config(self) -> OnssConfig:
        """What it was made with."""
        return self._config

    @property
    def tokens(self) -> Tokens:
        """The token that calls are made with."""
        return self._tokens

    def register(self, items: Sequence[Mapping[str, Any]], trace_id: str) -> Outcome:
        """Post items (of `mapping.item`) to `registerInBulk`; blocks within the limits.

        Raises ValueError for no items or more than 200 (the predecessor's limit; likely).
        """
        if not 1 <= len(items) <= ITEMS_MAX:
            raise ValueError(f"{len(items)} items in one call")
        body = json.dumps({"items": list(items)}, ensure_ascii=False, allow_nan=False).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        url = self._config.register_url
        return self._with_token(Request("POST", url, trace_id, headers, body))

    def search(self, query: Mapping[str, str], trace_id: str) -> Outcome:
        """Ask the search for what `consult.query` says; blocks within the limits."""
        headers = {"Accept": "application/json"}
        url = self._config.search_url
        return self._with_token(Request("GET", url, trace_id, headers, params=query))

    def close(self) -> None:
        """Close the connections; call it when no call is under way."""
        self._transport.close()

    def _with_token(self, request: Request) -> Outcome:
        outcome = self._authorized(request)
        if _is_401(outcome) and decide(outcome, 1)[0].act is Act.RENEW_TOKEN:
            again = self._authorized(replace(request, trace_id=self._sources.new_uuid()))
            return replace(again, renewed=True) if isinstance(again, Answer) else again
        return outcome

    def _authorized(self, request: Request) -> Outcome:
        token = self._tokens.get()
        if isinstance(token, NoAnswer):
            return replace(token, trace_id=request.trace_id)
        bearer = {"Authorization": f"Bearer {token.text}"}
        outcome = self._transport.call(replace(request, headers={**request.headers, **bearer}))
        if _is_401(outcome):
            self._tokens.forget(token)
        return outcome


def _is_401(outcome: Outcome) -> bool:
    """Whether a token was refused; any other answer is read where it is decided on, and once."""
    return isinstance(outcome, Answer) and outcome.status == 401
