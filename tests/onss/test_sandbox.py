"""The sandbox by itself: it refuses what the service is known to refuse, and says so in full."""

from __future__ import annotations

import ast
import copy
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc.jwk import RSAKey

import gateway.sandbox
from gateway.onss.mapping import item
from gateway.onss.tokens import assertion
from gateway.sandbox import validation
from gateway.sandbox.store import registrations
from tests.onss.examples import EXAMPLE, ssin
from tests.onss.peer import Clients, RunningSandbox, new_uuid
from tests.onss.test_token import ask, config

BELGIF = "urn:problem-type:belgif:"
REMOVED = object()
ADDRESS = ("placeOfWork", "address")


def changed(path: tuple[str, ...], value: object) -> dict[str, Any]:
    """The example's item with one thing in it changed, added or removed."""
    made = copy.deepcopy(item(EXAMPLE))
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    if value is REMOVED:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return made


def coordinates(longitude: object, latitude: object) -> dict[str, object]:
    return {"coordinates": {"longitude": longitude, "latitude": latitude}}


BOTH = {**coordinates(4.35, 50.85), **item(EXAMPLE)["placeOfWork"]}
SCHEMA = "schemaViolation"
WRONG: list[tuple[tuple[str, ...], object, str, str]] = [
    *(((name,), REMOVED, name, SCHEMA) for name in item(EXAMPLE)),
    *(((name,), None, name, SCHEMA) for name in item(EXAMPLE)),
    *(
        ((*ADDRESS, name), REMOVED, f"placeOfWork.address.{name}", SCHEMA)
        for name in ("postCode", "municipalityName", "streetName", "houseNumber")
    ),
    (("clientReference",), "1", "clientReference", SCHEMA),
    (("employer", "name"), "x", "employer.name", SCHEMA),
    ((*ADDRESS, "country"), "BE", "placeOfWork.address.country", SCHEMA),
    ((*ADDRESS, "boxNumber"), None, "placeOfWork.address.boxNumber", SCHEMA),
    ((*ADDRESS, "boxNumber"), " ", "placeOfWork.address.boxNumber", SCHEMA),
    ((*ADDRESS, "postCode"), 1000, "placeOfWork.address.postCode", SCHEMA),
    (("registrationDate",), "2026-03-02T05:02:03.456", "registrationDate", SCHEMA),
    (("registrationDate",), "2026-02-30T05:02:03Z", "registrationDate", SCHEMA),
    (("registrationDate",), "02/03/2026", "registrationDate", SCHEMA),
    (("registrationDate",), 1_772_427_723, "registrationDate", SCHEMA),
    (("ssin",), "7001010010", "ssin", SCHEMA),
    (("ssin",), "70.01.01-001.00", "ssin", SCHEMA),
    (("ssin",), EXAMPLE.ssin + "\n", "ssin", SCHEMA),
    (("ssin",), int(EXAMPLE.ssin), "ssin", SCHEMA),
    (("ssin",), "70010100100", "ssin", "invalidInput"),
    (("ssin",), ssin("701301", 1), "ssin", "invalidInput"),
    (("type",), "IN", "type", SCHEMA),
    (("type",), "break", "type", SCHEMA),
    (("employer",), {}, "employer", SCHEMA),
    (("employer", "foreignVatNumber"), "FR00999999999", "employer", SCHEMA),
    (("employer", "enterpriseNumber"), "2000000195", "employer.enterpriseNumber", SCHEMA),
    (("employer", "enterpriseNumber"), "000000196", "employer.enterpriseNumber", SCHEMA),
    (("employer", "enterpriseNumber"), "0000000195", "employer.enterpriseNumber", "invalidInput"),
    (("employer",), {"foreignVatNumber": ""}, "employer.foreignVatNumber", SCHEMA),
    (("placeOfWork",), {}, "placeOfWork", SCHEMA),
    (("placeOfWork",), BOTH, "placeOfWork", SCHEMA),
    (("placeOfWork",), coordinates(181, 50), "placeOfWork.coordinates.longitude", SCHEMA),
    (("placeOfWork",), coordinates(4, -91), "placeOfWork.coordinates.latitude", SCHEMA),
    (("placeOfWork",), coordinates("4.35", 50), "placeOfWork.coordinates.longitude", SCHEMA),
    *(
        (("contractualRelationshipReference",), number, "contractualRelationshipReference", SCHEMA)
        for number in ("1Y1000NF9KCQ", "1Y1000NF9KCQZZ", "1Y1000NF9KCQI", "1y1000nf9kcqz")
    ),
]


@pytest.mark.parametrize(("path", "value", "name", "kind"), WRONG)
def test_each_field_is_checked_and_the_issue_names_it(
    path: tuple[str, ...], value: object, name: str, kind: str
) -> None:
    issue = validation.item(changed(path, value), 4)
    assert isinstance(issue, dict), "accepted"
    assert issue["name"] == f"items[4].{name}"
    assert issue["type"] == f"{BELGIF}input-validation:{kind}"
    assert issue["in"] == "body"
    assert issue["title"] and issue["detail"]


@pytest.mark.parametrize("wrong", [None, [], "text", 7, {}])
def test_what_is_no_item_at_all_is_one_issue(wrong: object) -> None:
    assert isinstance(validation.item(wrong, 0), dict)


@pytest.mark.parametrize(
    ("number", "right"),
    [
        (ssin("850730", 33), True),
        (ssin("050730", 33, "2"), True),  # born in 2005
        (ssin("852730", 33), True),  # BIS, sex unknown
        (ssin("854730", 33), True),  # BIS, sex known
        (ssin("050730", 33), True),  # born in 1905
        (ssin("851730", 33), False),
        ("00000000000", False),
    ],
)
def test_niss_and_bis_are_known_by_their_digits(number: str, right: bool) -> None:
    read = validation.item(changed(("ssin",), number), 0)
    assert isinstance(read, validation.Item) is right


@pytest.fixture(scope="module")
def bearer(shared_sandbox: RunningSandbox, key: RSAKey) -> str:
    text = assertion(config(shared_sandbox, key), int(time.time()), new_uuid())
    answer = ask(shared_sandbox, text)
    return str(answer.json()["access_token"])


def register(
    sandbox: RunningSandbox, bearer: str | None, body: object, **headers: str | None
) -> requests.Response:
    sent = {
        "Authorization": bearer and f"Bearer {bearer}",
        "BelGov-Trace-Id": new_uuid(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    url = f"{sandbox.base_url}/presenceRegistrations/registerInBulk"
    data = {"data": body} if isinstance(body, bytes) else {"json": body}
    return requests.post(url, headers=sent, timeout=10, **data)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "items"),
        ([], "items"),
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"items": [item(EXAMPLE)], "more": 1}, "more"),
        ({"items": [item(EXAMPLE), {}]}, "items[1].registrationDate"),
        (b"{", "items"),
    ],
)
def test_a_body_of_another_form_is_a_bad_request_in_full(
    sandbox: RunningSandbox, bearer: str, body: object, name: str
) -> None:
    answer = register(sandbox, bearer, body)
    told = answer.json()
    assert answer.status_code == told["status"] == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert told["type"] == BELGIF + "badRequest"
    assert told["title"] and told["detail"]
    (issue,) = told["issues"]
    assert set(issue) == {"type", "title", "detail", "in", "name", "value"}
    assert issue["name"] == name


@pytest.mark.parametrize(
    ("bearer_token", "kind"), [(None, "noAccessToken"), ("made-up", "invalidAccessToken")]
)
def test_a_call_without_a_good_token_is_a_401_that_says_which(
    sandbox: RunningSandbox, bearer_token: str | None, kind: str
) -> None:
    answer = register(sandbox, bearer_token, {"items": [item(EXAMPLE)]})
    assert answer.status_code == 401
    assert answer.json()["type"] == BELGIF + kind
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("trace", [None, "", "trace", "00000000-0000-1000-8000-000000000000"])
def test_a_call_needs_a_trace_id_of_its_own(
    sandbox: RunningSandbox, bearer: str, trace: str | None
) -> None:
    answer = register(sandbox, bearer, {"items": [item(EXAMPLE)]}, BelGov_Trace_Id=trace)
    assert answer.status_code == 400
    assert answer.json()["issues"][0]["in"] == "header"


def test_200_items_are_taken_and_201_are_too_large(sandbox: RunningSandbox, bearer: str) -> None:
    before = len(sandbox.rows())
    answer = register(sandbox, bearer, {"items": [item(EXAMPLE)] * 201})
    assert (answer.status_code, answer.json()["limit"]) == (413, 200)
    assert len(sandbox.rows()) == before
    answer = register(sandbox, bearer, {"items": [item(EXAMPLE)] * 200})
    ids = [one["createdPresenceRegistration"]["id"] for one in answer.json()["items"]]
    assert ids == sorted(set(ids))
    assert len(ids) == 200
    assert len(sandbox.rows()) == before + 200


def test_a_body_of_too_many_bytes_is_too_large(sandbox: RunningSandbox, bearer: str) -> None:
    answer = register(sandbox, bearer, b" " * (1 << 20) + b"{}", Content_Type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (413, BELGIF + "payloadTooLarge")


def test_a_429_has_every_field_known(sandbox: RunningSandbox) -> None:
    sandbox.fault("429", seconds=5)
    answer = register(sandbox, None, {})
    told = answer.json()
    assert (answer.status_code, told["retryAfterSec"]) == (429, 5)
    assert answer.headers["Retry-After"] == "5"
    assert told["limit"] and told["retryAfter"]


def test_a_dropped_connection_has_not_one_byte_of_an_answer(sandbox: RunningSandbox) -> None:
    sandbox.fault("drop_before")
    with pytest.raises(requests.ConnectionError, match="without response"):
        register(sandbox, None, {})


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"ssin": "1"},
        {"ssin": EXAMPLE.ssin, "page": "2"},
        {"ssin": EXAMPLE.ssin, "registrationDateFrom": "yesterday"},
        {"ssin": EXAMPLE.ssin, "type": "both"},
    ],
)
def test_a_search_that_is_not_understood_is_refused(
    sandbox: RunningSandbox, bearer: str, query: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {bearer}", "BelGov-Trace-Id": new_uuid()}
    url = f"{sandbox.base_url}/presenceRegistrations"
    answer = requests.get(url, params=query, headers=headers, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["issues"][0]["in"] == "query"


@pytest.mark.parametrize(
    "fault", [{}, {"fault": "flood"}, {"fault": "slow", "count": 0}, {"fault": "slow", "x": 1}, []]
)
def test_a_fault_that_is_not_known_is_refused(sandbox: RunningSandbox, fault: object) -> None:
    answer = requests.post(f"{sandbox.url}/faults", json=fault, timeout=5)
    assert answer.status_code == 400
    assert requests.get(f"{sandbox.url}/faults", timeout=5).json() == []


def test_faults_are_counted_off_and_can_be_switched_off(sandbox: RunningSandbox) -> None:
    sandbox.fault("503", count=2)
    sandbox.fault("404", count=5)
    told = [register(sandbox, None, {}).status_code for _ in range(3)]
    assert told == [503, 503, 404]
    assert requests.delete(f"{sandbox.url}/faults", timeout=5).json() == []
    assert register(sandbox, None, {}).status_code == 401


def test_the_inspection_page_shows_every_row_and_escapes_it(
    sandbox: RunningSandbox, bearer: str
) -> None:
    odd = changed((*ADDRESS, "streetName"), "<script>")
    odd["employer"] = {"foreignVatNumber": "<b>1</b>"}
    register(sandbox, bearer, {"items": [odd]})
    page = requests.get(f"{sandbox.url}/inspection", timeout=5).text
    assert "<b>1</b>" not in page and "&lt;b&gt;1&lt;/b&gt;" in page
    assert page.count("<tr>") == len(sandbox.rows()) + 1


def test_a_missing_database_is_not_made_by_reading_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        registrations(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_row_deleted_or_doubled_by_hand_is_seen(
    sandbox: RunningSandbox, clients: Clients, tmp_path: Path
) -> None:
    clients(sandbox).register([item(EXAMPLE)], new_uuid())
    with sqlite3.connect(sandbox.db) as live, sqlite3.connect(tmp_path / "copy.db") as db:
        live.backup(db)
        before = registrations(tmp_path / "copy.db")
        columns = ", ".join(name for name in before[0] if name != "id")
        copied = f"INSERT INTO registration ({columns}) SELECT {columns} FROM registration"
        db.execute(f"{copied} ORDER BY id LIMIT 1")
        db.commit()
        doubled = registrations(tmp_path / "copy.db")
        assert {**doubled[-1], "id": before[0]["id"]} == before[0]
        db.execute("DELETE FROM registration WHERE id = ?", [before[0]["id"]])
        db.commit()
        assert registrations(tmp_path / "copy.db") == doubled[1:]
    live.close()
    db.close()


def test_the_sandbox_shares_no_code_with_the_client_it_tests() -> None:
    (folder,) = gateway.sandbox.__path__
    for path in Path(folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                ours = name.split(".")[0] in ("ciao", "gateway", "provisioning")
                allowed = name.startswith("gateway.sandbox") or name == "ciao.errors"
                assert not ours or allowed, f"{path.name} imports {name}: write it here instead"


COMMAND = """
import click
from ciao.commands import Commands
from gateway.sandbox.command import sandbox
Commands(commands={"sandbox": sandbox}).main(prog_name="ciao-gateway")
"""


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, "sandbox", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_help_says_how_to_switch_a_fault_on() -> None:
    told = run("--help")
    assert told.returncode == 0
    assert "/faults" in told.stdout and "drop_after_storing" in told.stdout


def test_bad_options_are_two_lines_and_exit_2(tmp_path: Path, public: Path) -> None:
    db = str(tmp_path / "x.db")
    private = tmp_path / "text.pem"
    private.write_text("text")
    bad = [
        [],
        ["--db", db],
        ["--db", db, "--client", "no-key"],
        ["--db", db, "--client", f"a={tmp_path / 'nowhere.pem'}"],
        ["--db", db, "--client", f"a={private}"],
        ["--db", str(tmp_path / "nowhere" / "x.db"), "--client", f"a={public}"],
        ["--db", str(private), "--client", f"a={public}"],
        ["--db", db, "--client", f"a={public}", "--port", "70000"],
        ["--db", db, "--client", f"a={public}", "--inactive-declaration", "OIOIOIOIOIOIO"],
    ]
    for options in bad:
        told = run(*options)
        lines = told.stderr.splitlines()
        assert (told.returncode, told.stdout) == (2, ""), options
        assert [line.split(":")[0] for line in lines] == ["error", "hint"], told.stderr


def test_a_port_that_is_taken_is_said_so(
    sandbox: RunningSandbox, public: Path, tmp_path: Path
) -> None:
    port = sandbox.url.rpartition(":")[2]
    told = run("--db", str(tmp_path / "x.db"), "--client", f"a={public}", "--port", port)
    assert told.returncode == 2
    assert port in told.stderr
