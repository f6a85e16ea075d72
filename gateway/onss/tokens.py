"""Edge: OAuth2 client credentials with a signed assertion (RFC 7523), and one token kept.

Source: RULES, OAuth2 (sure); `kid` in the header is likely.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeGuard
from urllib.parse import urlencode

from joserfc import jwt

from gateway.onss.answers import Answer, NoAnswer, Silence
from gateway.onss.config import OnssConfig
from gateway.onss.connection import Request
from gateway.onss.problems import parse_json, retry_after_s
from gateway.onss.transport import Transport

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE_S_DEFAULT = 60.0
LIFE_S_MAX = 86_400.0
TOKEN_CHARS_MAX = 8_192
# After a renewal that failed, while the old token is good still.
AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, the monotonic second from which it is renewed, and that of its end."""

    text: str = field(repr=False)
    renew_at_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Sources:
    """What comes from outside: Unix time in seconds, a steady clock in seconds, fresh UUIDv4s."""

    now: Callable[[], float]
    monotonic: Callable[[], float]
    new_uuid: Callable[[], str]


def assertion(config: OnssConfig, now_s: int, jti: str) -> str:
    """Return the RS256 JWT that proves who we are to the token endpoint."""
    claims = {
        "iss": config.client_id,
        "sub": config.client_id,
        "aud": config.token_url,
        "jti": jti,
        "iat": now_s,
        "exp": now_s + int(config.assertion_s),
    }
    header = {"alg": "RS256", "kid": config.kid or config.key.thumbprint()}
    return jwt.encode(header, claims, config.key, algorithms=["RS256"])


def token_request(config: OnssConfig, sources: Sources) -> Request:
    """Return the call that asks for a token, with an assertion made now."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(config, int(sources.now()), sources.new_uuid()),
    }
    return Request(
        "POST",
        config.token_url,
        sources.new_uuid(),
        {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        urlencode(form).encode(),
    )


class Tokens:
    """Keeps one credential's token; many threads share it, and one at a time fetches."""

    def __init__(self, config: OnssConfig, transport: Transport, sources: Sources) -> None:
        self._config = config
        self._transport = transport
        self._sources = sources
        self._lock = threading.Lock()
        self._token: Token | None = None

    def get(self) -> Token | NoAnswer:
        """Return a token that is good still, fetching one early.

        Where that fails, the one we have goes on serving until it ends: a token endpoint that is
        down for a moment stops nothing. It is asked again after a while, not by every call.
        """
        with self._lock:
            now_s, token = self._sources.monotonic(), self._token
            if token is not None and now_s < token.renew_at_s:
                return token
            fetched = self._fetch()
            if isinstance(fetched, Token):
                self._token = fetched
                return fetched
            if token is None or now_s >= token.end_s:
                return fetched
            wait_s = max(AGAIN_S, fetched.retry_after_s or 0.0)
            self._token = replace(token, renew_at_s=min(now_s + wait_s, token.end_s))
            return self._token

    def forget(self, token: Token) -> None:
        """Drop this token, unless another thread has replaced it already."""
        with self._lock:
            if self._token is not None and self._token.text == token.text:
                self._token = None

    def _fetch(self) -> Token | NoAnswer:
        asked_at_s = self._sources.monotonic()
        answer = self._transport.call(token_request(self._config, self._sources))
        if isinstance(answer, NoAnswer):
            return NoAnswer(Silence.TOKEN_UNREACHABLE, False, answer.trace_id)
        return self._token_from(answer, asked_at_s)

    def _token_from(self, answer: Answer, asked_at_s: float) -> Token | NoAnswer:
        told = parse_json(answer.body)
        text = told.get("access_token") if isinstance(told, dict) else None
        if answer.status != 200 or not _is_token(text):
            denied = 400 <= answer.status < 500 and answer.status != 429
            reason = Silence.TOKEN_DENIED if denied else Silence.TOKEN_UNREACHABLE
            return NoAnswer(reason, False, answer.trace_id, retry_after_s(answer))
        life = told.get("expires_in")
        known = isinstance(life, int | float) and 0 < life <= LIFE_S_MAX
        life_s = float(life) if known else LIFE_S_DEFAULT
        # Early, but a short-lived token is still used for half its life.
        early_s = min(self._config.renew_before_s, life_s / 2)
        return Token(text, asked_at_s + life_s - early_s, asked_at_s + life_s)


def _is_token(text: object) -> TypeGuard[str]:
    """Whether it can go into a header: visible ASCII (RFC 6750 2.1), of a sane length."""
    if not isinstance(text, str) or not 0 < len(text) <= TOKEN_CHARS_MAX:
        return False
    return all("!" <= char <= "~" for char in text)
