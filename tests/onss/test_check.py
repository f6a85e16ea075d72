"""`ciao-gateway onss check`: each point confirmed, differing or open, against a faulty peer."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from joserfc.jwk import RSAKey

from gateway.cli import main
from gateway.onss.checking import judging
from gateway.onss.checking.check import Check, looks
from gateway.onss.checking.points import GIVEN, Finding, Judged, Point
from gateway.onss.checking.reaching import reach
from gateway.onss.config import OnssConfig, is_production
from gateway.onss.tokens import Sources
from tests.onss.contract import DOCUMENT
from tests.onss.examples import EXAMPLE, ssin
from tests.onss.peer import CLIENT_ID, Clock, RunningSandbox, new_uuid, start_sandbox
from tests.onss.test_silence import server
from tests.support.certificates import Authority
from tests.support.ports import free_port

NOW_S = 1_772_427_723.0
PERSON = ssin("800101", 5)
TEST_ITEM = {
    "ssin": PERSON,
    "employer": {"enterpriseNumber": "0123456749"},
    "placeOfWork": {"coordinates": {"longitude": 4.35, "latitude": 50.85}},
    "contractualRelationshipReference": EXAMPLE.declaration,
}


@pytest.fixture
def folder(sandbox: RunningSandbox, key: RSAKey, tmp_path: Path) -> Path:
    """A gateway's folder with one credential, pointed at the sandbox."""
    (tmp_path / "client.pem").write_bytes(key.as_pem(private=True))
    (tmp_path / "client.pem").chmod(0o600)
    broker = 'host = "localhost"\nport = 8883\nca = "x"\ncertificate = "x"\nkey = "x"\n'
    (tmp_path / "gateway.toml").write_text(
        'gateway = "one"\ndomain = "badges.example.be"\nledger = "l"\nregistry = "r"\n'
        'registry_key = "k"\n[keys]\nhpke = "h"\ncosigner = "c"\nanswers = "a"\n'
        f'[broker]\n{broker}[onss]\nbase_url = "{sandbox.base_url}"\n'
        f'token_url = "{sandbox.token_url}"\n[onss.credentials.acme]\n'
        f'client_id = "{CLIENT_ID}"\nkey = "client.pem"\n'
    )
    return tmp_path


Run = Callable[..., Result]


@pytest.fixture
def run(folder: Path) -> Run:
    def run(*words: str) -> Result:
        config = str(folder / "gateway.toml")
        return CliRunner().invoke(main, ["onss", "check", "--config", config, *words])

    return run


def found(run: Run, *words: str) -> dict[str, dict[str, Any]]:
    result = run("--json", *words)
    assert result.exit_code in (0, 1), result.output
    return {one["point"]: one for one in json.loads(result.stdout)}


def judged(findings: dict[str, dict[str, Any]], *but: str) -> set[str]:
    return {one["judged"] for point, one in findings.items() if point not in but}


def test_against_the_stand_in_everything_is_confirmed_and_nothing_registered(
    sandbox: RunningSandbox, run: Run
) -> None:
    before = len(sandbox.rows())
    findings = found(run)
    assert judged(findings, "tls") == {"confirmed"}
    assert findings["tls"]["judged"] == "could not be checked"
    assert set(findings) == {*Point} - {Point.CREATED, Point.FOUND, Point.ORDER, Point.LATE}
    assert "invalidInput at items[0].ssin" in findings["bad_value"]["said"]
    assert "issues" in findings["bad_value"]["answer"]
    assert len(sandbox.rows()) == before


def test_the_report_is_in_plain_words_and_its_exit_status_says_whether_anything_differs(
    run: Run, folder: Path
) -> None:
    result = run()
    assert result.exit_code == 0
    assert "confirmed            token: a signed assertion" in result.output
    assert "15 confirmed, 0 differs, 1 could not be checked" in result.output
    text = (folder / "gateway.toml").read_text().replace(CLIENT_ID, "somebody-else")
    (folder / "gateway.toml").write_text(text)
    result = run()
    assert result.exit_code == 1 and "refused: 401 invalid_client" in result.output
    assert "there is no token" in result.output


def test_a_test_person_that_was_given_shows_answers_order_search_and_lateness(
    sandbox: RunningSandbox, run: Run, tmp_path: Path
) -> None:
    item = tmp_path / "item.json"
    item.write_text(json.dumps(TEST_ITEM))
    findings = found(run, "--item", str(item))
    assert judged(findings, "tls") == {"confirmed"} and set(findings) == {*Point}
    rows = [row["item"] for row in sandbox.rows() if row["item"]["ssin"] == PERSON]
    assert [row["type"] for row in rows] == ["in", "out", "in", "in"]
    assert len({row["registrationDate"] for row in rows}) == 4
    assert PERSON not in json.dumps(findings)


def test_a_person_that_the_service_refuses_is_no_difference(
    sandbox: RunningSandbox, run: Run, tmp_path: Path
) -> None:
    requests.put(f"{sandbox.url}/refusals", json={"ssins": [PERSON]}, timeout=5)
    item = tmp_path / "item.json"
    item.write_text(json.dumps(TEST_ITEM))
    created = found(run, "--item", str(item))["created"]
    assert created["judged"] == "could not be checked" and "notCreated" in created["answer"]


@pytest.mark.parametrize(
    ("fault", "on", "point", "wanted", "said"),
    [
        ("503", "token", "token", Judged.UNCHECKED, "its endpoint answers 503"),
        ("html", "token", "token", Judged.DIFFERS, "refused: 200"),
        ("drop_before", "token", "token", Judged.UNCHECKED, "dropped"),
        ("404", "register", "no_token", Judged.DIFFERS, "404 resourceNotFound"),
        ("html", "register", "no_token", Judged.DIFFERS, "no problem of Belgif's"),
        ("429", "register", "no_token", Judged.UNCHECKED, "429 tooManyRequests"),
        ("redirect", "register", "no_token", Judged.DIFFERS, "302"),
        ("404", "search", "search", Judged.DIFFERS, "no such path"),
        ("malformed", "search", "search", Judged.DIFFERS, "in a form we do not read"),
        ("500", "search", "search", Judged.UNCHECKED, "500"),
    ],
)
def test_each_fault_is_said_for_what_it_is(
    sandbox: RunningSandbox, run: Run, fault: str, on: str, point: str, wanted: str, said: str
) -> None:
    sandbox.fault(fault, on=on)
    told = found(run)[point]
    assert (told["judged"], said in told["said"]) == (wanted, True), told


@pytest.mark.parametrize(
    ("fault", "wanted", "said"),
    [
        ("403", Judged.UNCHECKED, "403 missingPermission"),
        ("404", Judged.DIFFERS, "404 resourceNotFound"),
        ("html", Judged.DIFFERS, "200"),
        ("slow", Judged.CONFIRMED, "400 badRequest"),
    ],
)
def test_a_refusal_of_another_form_differs(
    sandbox: RunningSandbox, run: Run, fault: str, wanted: str, said: str
) -> None:
    sandbox.fault(fault, count=4)  # the two strangers, then what must be refused
    told = found(run)["register"]
    assert (told["judged"], said in told["said"]) == (wanted, True), told


def test_a_search_that_lags_longer_than_we_are_told_differs(
    public: Path, key: RSAKey, tmp_path: Path
) -> None:
    lagging = start_sandbox(tmp_path, public, "--search-delay", "1000")
    clock = Clock()

    def pause(seconds: float) -> None:
        clock.at_s += seconds

    try:
        config = OnssConfig(lagging.base_url, lagging.token_url, CLIENT_ID, key, settling_s=60.0)
        looking = replace(looks(config, Sources(time.time, clock, new_uuid)), pause=pause)
        checking = Check(config, looking)
        list(checking.run(TEST_ITEM, send=False))
        findings = {one.point: one for one in checking.register(TEST_ITEM)}
        looking.transport.close()
    finally:
        lagging.kill()
    assert findings[Point.CREATED].judged is Judged.CONFIRMED
    assert findings[Point.FOUND].judged is Judged.DIFFERS
    assert findings[Point.FOUND].said == "not within onss.settling_s, 60 s"
    assert findings[Point.ORDER].judged is Judged.DIFFERS


def answered(status: int, body: object) -> Any:
    return judging.Answer(status, {}, json.dumps(body).encode(), "t")


def test_what_should_have_been_refused_and_was_registered_is_said_loudly() -> None:
    made = {"items": [{"createdPresenceRegistration": {"id": 9}}]}
    finding = judging.bad_value(answered(200, made))
    assert finding.judged is Judged.DIFFERS and "REGISTERED as 9" in finding.said


def problem(*names: str) -> Any:
    kind = "urn:problem-type:belgif:input-validation:invalidInput"
    issues = [{"type": kind, "name": name} for name in names]
    return answered(400, {"type": "urn:problem-type:belgif:badRequest", "issues": issues})


@pytest.mark.parametrize(
    ("finding", "wanted"),
    [
        (judging.bad_value(problem("items[0].ssin")), Judged.CONFIRMED),
        (judging.bad_value(problem("ssin")), Judged.DIFFERS),
        (judging.bad_value(problem("items[0].type")), Judged.UNCHECKED),
        (judging.item_names(problem("items[0].ssin", "items[1].ssin"), 2), Judged.CONFIRMED),
        (judging.item_names(problem("items[0].ssin"), 2), Judged.DIFFERS),
        (judging.too_many(problem("items[0].ssin")), Judged.DIFFERS),
        (judging.too_many(answered(413, {"limit": 100})), Judged.CONFIRMED),
        (judging.refused(Point.NULL, problem("items[0].ssin"), ["employer"]), Judged.UNCHECKED),
        (judging.trace_id(answered(200, {})), Judged.DIFFERS),
    ],
)
def test_each_answer_is_judged(finding: Finding, wanted: Judged) -> None:
    assert finding.judged is wanted, finding


def checked(config: OnssConfig, now_s: float = NOW_S) -> dict[Point, Finding]:
    looking = looks(config, Sources(lambda: now_s, lambda: 0.0, new_uuid))
    found = {one.point: one for one in Check(config, looking).run(None, send=True)}
    looking.transport.close()
    return found


def test_a_host_that_is_not_there_is_said_before_anything_else(key: RSAKey) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    findings = checked(OnssConfig(url, url, "made-up", key))
    assert findings[Point.NAME].judged is Judged.CONFIRMED
    assert findings[Point.CONNECTION].judged is Judged.DIFFERS
    assert "refused" in findings[Point.CONNECTION].said
    assert findings[Point.TOKEN].said == "no answer: connection refused"
    nowhere = "https://nothing.invalid"
    findings = checked(OnssConfig(nowhere, nowhere, "made-up", key))
    assert findings[Point.NAME].judged is Judged.DIFFERS
    assert findings[Point.TLS].judged is Judged.UNCHECKED


def test_a_clock_that_is_wrong_is_said_in_seconds(key: RSAKey) -> None:
    answer = b"HTTP/1.1 503 X\r\nDate: Mon, 02 Mar 2026 05:02:03 GMT\r\nContent-Length: 0\r\n\r\n"

    def serve(connection: socket.socket) -> None:
        if connection.recv(65_536):
            connection.sendall(answer)

    with server(serve) as port:
        url = f"http://127.0.0.1:{port}"
        config = OnssConfig(url, url, "made-up", key)
        right = checked(config)[Point.CLOCK]
        wrong = checked(config, NOW_S - 90)[Point.CLOCK]
    assert (right.judged, right.said) == (Judged.CONFIRMED, "ours is 0 s behind")
    assert (wrong.judged, wrong.said) == (Judged.DIFFERS, "ours is 90 s behind")


@pytest.fixture(scope="module")
def tls_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    authority = Authority(tmp_path_factory.mktemp("tls"))
    pair = authority.broker()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with server(lambda connection: None, context) as port:
        yield port, authority.certificate


def test_a_certificate_is_shown_with_its_end_or_with_why_it_is_refused(
    key: RSAKey, tls_port: tuple[int, Path]
) -> None:
    port, ca = tls_port
    url = f"https://localhost:{port}"

    def tls(ca_file: Path | None) -> Finding:
        return judging.reached([reach(url, ca_file, 5.0)], datetime.now(UTC))[2]

    assert tls(ca).judged is Judged.CONFIRMED and "TLSv1.3" in tls(ca).said
    assert tls(None).judged is Judged.DIFFERS
    assert "its certificate is refused" in tls(None).said


@pytest.mark.parametrize(
    ("url", "is_live"),
    [
        ("https://services.socialsecurity.be/REST/presenceRegistration/v1", True),
        ("https://services-sim.socialsecurity.be/REST/presenceRegistration/v1", False),
        ("https://elsewhere.example/v1", True),
        ("http://127.0.0.1:8080/v1", False),
    ],
)
def test_whatever_is_not_known_to_be_a_simulation_counts_as_production(
    url: str, is_live: bool
) -> None:
    assert is_production(url) is is_live


def test_nothing_is_sent_to_production_that_was_not_asked_for(
    run: Run, folder: Path, tmp_path: Path, sandbox: RunningSandbox
) -> None:
    config = folder / "gateway.toml"
    live = "https://ciao.invalid/v1"
    config.write_text(config.read_text().replace(sandbox.base_url, live))
    findings = found(run)
    assert findings["bad_value"]["said"] == "not sent to production: --production"
    item = tmp_path / "item.json"
    item.write_text(json.dumps(TEST_ITEM))
    for words in ((), ("--production",), ("--for-real",)):
        result = run("--item", str(item), *words)
        assert result.exit_code == 2 and "is production" in result.stderr


@pytest.mark.parametrize(
    ("words", "text", "error"),
    [
        (("--employer", "nobody"), "", "no credential of nobody"),
        (("--item", "ITEM"), "{", "is not JSON"),
        (("--item", "ITEM"), "[]", "is not a test person's item"),
        (
            ("--item", "ITEM"),
            json.dumps({**TEST_ITEM, "type": "in"}),
            "is not a test person's item",
        ),
        (("--item", "ITEM"), json.dumps({**TEST_ITEM, "employer": {}}), "employer has exactly one"),
        (("--item", "missing.json"), "", "can't read missing.json"),
    ],
)
def test_what_can_not_be_used_is_two_lines(
    run: Run, tmp_path: Path, words: tuple[str, ...], text: str, error: str
) -> None:
    item = tmp_path / "item.json"
    item.write_text(text)
    result = run(*(str(item) if word == "ITEM" else word for word in words))
    assert result.exit_code == 2 and error in result.stderr
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "hint"]


def test_every_point_is_explained_and_stands_in_the_document() -> None:
    page = DOCUMENT.with_name("onss.md").read_text(encoding="utf-8")
    assert list(GIVEN) == list(Point)
    assert [point for point in Point if f"| `{point}` | {GIVEN[point]} |" not in page] == []
