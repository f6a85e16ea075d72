"""The token: a signed assertion that the endpoint verifies, a token kept and renewed in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from gateway.onss.answers import NoAnswer, Silence
from gateway.onss.client import OnssClient
from gateway.onss.config import OnssConfig
from gateway.onss.consult import query
from gateway.onss.mapping import item
from gateway.onss.tokens import ASSERTION_TYPE, Sources, Tokens, assertion
from gateway.onss.transport import Transport
from tests.onss.examples import EXAMPLE
from tests.onss.peer import CLIENT_ID, Clients, Clock, RunningSandbox, new_uuid, start_sandbox
from tests.support.waiting import wait_for


@dataclass
class Kept:
    """A token kept, under a clock that only the test moves."""

    transport: Transport
    clock: Clock
    tokens: Any = None
    asked: int = 0

    def uuid(self) -> str:
        self.asked += 1
        return new_uuid()

    def after(self, wait_s: float) -> Any:
        self.clock.at_s += wait_s
        return self.tokens.get()

    def fetches(self) -> int:
        """How often it was fetched since this was asked last: each takes a jti and a trace id."""
        asked, self.asked = self.asked, 0
        return asked // 2


def config(sandbox: RunningSandbox, key: RSAKey, **more: Any) -> OnssConfig:
    return OnssConfig(sandbox.base_url, sandbox.token_url, CLIENT_ID, key, **more)


def ask(sandbox: RunningSandbox, text: str, **more: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": text,
    }
    return requests.post(sandbox.token_url, data=form | more, timeout=5)


def signed(sandbox: RunningSandbox, key: RSAKey, kid: str | None = None, **claims: Any) -> str:
    now = int(time.time())
    right = {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": sandbox.token_url,
        "jti": new_uuid(),
        "iat": now,
        "exp": now + 60,
    }
    header = {"alg": "RS256"} | ({"kid": kid} if kid else {})
    wanted = {name: value for name, value in (right | claims).items() if value is not None}
    return jwt.encode(header, wanted, key, algorithms=["RS256"])


def test_our_assertion_says_who_we_are_and_is_signed_with_the_named_key(
    sandbox: RunningSandbox, key: RSAKey
) -> None:
    now, jti = int(time.time()), new_uuid()
    text = assertion(config(sandbox, key), now, jti)
    token = jwt.decode(text, key, algorithms=["RS256"])
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": key.thumbprint()}
    assert token.claims == {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": sandbox.token_url,
        "jti": jti,
        "iat": now,
        "exp": now + 60,
    }
    answer = ask(sandbox, text)
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 300)


def test_a_key_id_of_the_configuration_replaces_the_thumbprint(
    sandbox: RunningSandbox, key: RSAKey
) -> None:
    text = assertion(config(sandbox, key, kid="chosen"), 0, "jti")
    assert jws.extract_compact(text.encode()).headers()["kid"] == "chosen"


PAST = int(time.time()) - 3600


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody-else"},
        {"sub": "somebody-else"},
        {"aud": "https://elsewhere.example/token"},
        {"aud": None},
        {"jti": None},
        {"iat": None},
        {"exp": None},
        {"iat": PAST - 60, "exp": PAST},
        {"exp": int(time.time()) + 86_400},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3660},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(
    sandbox: RunningSandbox, key: RSAKey, claims: dict[str, Any]
) -> None:
    answer = ask(sandbox, signed(sandbox, key, **claims))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_assertion_by_another_key_or_with_another_key_id_is_refused(
    sandbox: RunningSandbox, key: RSAKey
) -> None:
    assert ask(sandbox, signed(sandbox, RSAKey.generate_key(2048))).status_code == 401
    assert ask(sandbox, signed(sandbox, key, kid="another")).status_code == 401
    assert ask(sandbox, signed(sandbox, key)).status_code == 200
    for text in ("", "text", "a.b.c", "é"):
        assert ask(sandbox, text).status_code == 401


def test_an_assertion_is_good_once(sandbox: RunningSandbox, key: RSAKey) -> None:
    text = signed(sandbox, key)
    assert [ask(sandbox, text).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "urn:other"}, "invalid_request"),
        ({"scope": "all"}, "invalid_request"),
    ],
)
def test_a_form_that_is_not_the_known_one_is_refused(
    sandbox: RunningSandbox, key: RSAKey, more: dict[str, str], error: str
) -> None:
    answer = ask(sandbox, signed(sandbox, key), **more)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_credential_that_is_not_known_sends_no_registration(
    sandbox: RunningSandbox, clients: Clients
) -> None:
    stranger = clients(sandbox, client_id="nobody")
    outcome = stranger.register([{}], "trace")
    assert outcome == NoAnswer(Silence.TOKEN_DENIED, False, "trace")


@pytest.mark.parametrize(
    ("fault", "wait_s"),
    [("429", 8.0), ("503", 8.0), ("500", None), ("html", None), ("drop_before", None)],
)
def test_a_token_endpoint_that_fails_sends_no_registration(
    sandbox: RunningSandbox, clients: Clients, fault: str, wait_s: float | None
) -> None:
    sandbox.fault(fault, on="token", seconds=8)
    outcome = clients(sandbox).register([{}], "trace")
    assert outcome == NoAnswer(Silence.TOKEN_UNREACHABLE, False, "trace", wait_s)


@pytest.fixture
def kept(sandbox: RunningSandbox, key: RSAKey) -> Iterator[Kept]:
    settings, clock = config(sandbox, key, renew_before_s=60.0), Clock()
    kept = Kept(Transport(settings, clock), clock)
    kept.tokens = Tokens(settings, kept.transport, Sources(time.time, clock, kept.uuid))
    yield kept
    kept.transport.close()


def test_a_token_is_kept_until_shortly_before_it_expires(kept: Kept) -> None:
    # The sandbox's tokens live for 300 s.
    fetches = []
    for wait_s in (0, 239, 2, 0):
        assert not isinstance(kept.after(wait_s), NoAnswer)
        fetches.append(kept.fetches())
    assert fetches == [1, 0, 1, 0]


def test_a_token_endpoint_that_fails_for_a_moment_stops_nothing(
    sandbox: RunningSandbox, kept: Kept
) -> None:
    first = kept.after(0)
    sandbox.fault("503", on="token", count=3)
    fetches = []
    for wait_s in (241, 1, 6, 300):
        told = kept.after(wait_s)
        assert isinstance(told, NoAnswer) if wait_s == 300 else told.text == first.text
        fetches.append(kept.fetches())
    # The first ask counts with the first failure; one second later it is left alone.
    assert fetches == [2, 0, 1, 1]
    assert not isinstance(kept.after(0), NoAnswer)


def test_a_token_that_expired_at_the_service_is_renewed_in_the_same_call(
    public: Path, tmp_path: Path, clients: Clients
) -> None:
    brief = start_sandbox(tmp_path, public, "--token-life", "1")
    try:
        stopped = Clock()  # our clock says that the token is still good
        client: OnssClient = clients(brief, stopped)

        def renewed() -> bool:
            answer = client.search(query(item(EXAMPLE)), new_uuid())
            assert not isinstance(answer, NoAnswer)
            assert answer.status == 200
            return answer.renewed

        assert not renewed()
        wait_for(renewed, "the token to expire")
    finally:
        brief.kill()
