"""Edge: the token endpoint: a signed assertion in, an opaque token out; errors of RFC 6749 5.2.

Source: RULES, OAuth2 (sure); RFC 7523 3. Tokens live in memory: a restart makes clients renew.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

GRANT = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"grant_type", "client_assertion_type", "client_assertion"}
ASSERTION_LIFE_S_MAX = 600
LEEWAY_S = 5


class Refused(Exception):
    """The token endpoint refuses: an OAuth2 error code and why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for."""

    client: str
    until_s: float


class Issuer:
    """Issues tokens to registered clients and knows them again.

    `first_use(client, jti, exp, now_s)` remembers assertion ids; `now` is Unix time in seconds.
    """

    def __init__(
        self,
        clients: Mapping[str, tuple[RSAKey, ...]],
        life_s: float,
        first_use: Callable[[str, str, int, int], bool],
        now: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._life_s = life_s
        self._first_use = first_use
        self._now = now
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}

    def issue(self, form: Mapping[str, str], token_url: str) -> dict[str, object]:
        """Return the token answer to a form; raise Refused."""
        if set(form) != FORM:
            raise Refused("invalid_request", f"exactly these parameters: {', '.join(sorted(FORM))}")
        if form["grant_type"] != GRANT:
            raise Refused("unsupported_grant_type", f"only {GRANT}")
        if form["client_assertion_type"] != ASSERTION_TYPE:
            raise Refused("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
        client = self._verified(form["client_assertion"], token_url)
        token = secrets.token_urlsafe(32)
        now = self._now()
        with self._lock:
            for old in [text for text, grant in self._grants.items() if grant.until_s < now - 3600]:
                del self._grants[old]
            self._grants[token] = Grant(client, now + self._life_s)
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(self._life_s)}

    def holder(self, authorization: str | None) -> Grant | str:
        """Return whose token it is, or the short type of the 401 problem."""
        if not authorization:
            return "noAccessToken"
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            grant = self._grants.get(token) if scheme.lower() == "bearer" else None
        if grant is None:
            return "invalidAccessToken"
        return grant if self._now() < grant.until_s else "expiredAccessToken"

    def _verified(self, text: str, token_url: str) -> str:
        try:
            unverified = jws.extract_compact(text.encode("ascii"))
            client = json.loads(unverified.payload)["iss"]
            keys = self._clients[client]
            kid = unverified.headers().get("kid")
            key = next(key for key in keys if kid in (None, key.thumbprint()))
            claims = jwt.decode(text, key, algorithms=["RS256"]).claims
            self._rules(client, token_url).validate(claims)
        except (JoseError, ValueError, KeyError, TypeError, StopIteration) as error:
            raise Refused("invalid_client", f"assertion refused: {type(error).__name__}") from error
        if not 0 < claims["exp"] - claims["iat"] <= ASSERTION_LIFE_S_MAX:
            raise Refused("invalid_client", f"it may live {ASSERTION_LIFE_S_MAX} s at most")
        if not self._first_use(client, claims["jti"], int(claims["exp"]), int(self._now())):
            raise Refused("invalid_client", "this jti was used before")
        return str(client)

    def _rules(self, client: str, token_url: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": client},
            sub={"essential": True, "value": client},
            aud={"essential": True, "value": token_url},
            jti={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
