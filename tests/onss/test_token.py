"""The token: a signed assertion that the endpoint verifies, a token kept and renewed in time."""

from __future__ import annotations

import time
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
from gateway.onss.tokens import ASSERTION_TYPE, Sources, Tokens, assertion
from gateway.onss.transport import Transport
from tests.onss.examples import EXAMPLE
from tests.onss.peer import CLIENT_ID, Clients, Clock, RunningSandbox, new_uuid, start_sandbox
from tests.support.waiting import wait_for


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


def test_a_token_is_kept_until_shortly_before_it_expires(
    sandbox: RunningSandbox, key: RSAKey
) -> None:
    clock = Clock()
    asked: list[str] = []

    def uuids() -> str:
        asked.append(new_uuid())
        return asked[-1]

    settings = config(sandbox, key, renew_before_s=60.0)
    transport = Transport(settings, clock)
    tokens = Tokens(settings, transport, Sources(time.time, clock, uuids))

    def fetches(wait_s: float) -> int:
        before = len(asked)
        clock.at_s += wait_s
        assert not isinstance(tokens.get(), NoAnswer)
        return (len(asked) - before) // 2  # a jti and a trace id

    # The sandbox's tokens live for 300 s.
    assert [fetches(0), fetches(239), fetches(2), fetches(0)] == [1, 0, 1, 0]
    transport.close()


def test_a_token_that_expired_at_the_service_is_renewed_in_the_same_call(
    public: Path, tmp_path: Path, clients: Clients
) -> None:
    brief = start_sandbox(tmp_path, public, "--token-life", "1")
    try:
        stopped = Clock()  # our clock says that the token is still good
        client: OnssClient = clients(brief, stopped)

        def renewed() -> bool:
            answer = client.search(query(EXAMPLE), new_uuid())
            assert not isinstance(answer, NoAnswer)
            assert answer.status == 200
            return answer.renewed

        assert not renewed()
        wait_for(renewed, "the token to expire")
    finally:
        brief.kill()
