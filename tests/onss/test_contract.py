"""The document of the service holds for the sandbox, and for what our client says and reads."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from schemathesis.config import (
    GenerationConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

from ciao.registration import Coordinates, ForeignNumber, Registration
from gateway.config import Onss
from gateway.onss.client import ITEMS_MAX
from gateway.onss.consult import query
from gateway.onss.decisions import FIELDS, OWN_WORDS, VALUE_ISSUES
from gateway.onss.mapping import Created, NotCreated, item, item_answers
from gateway.onss.problems import ISSUE
from gateway.onss.tokens import ASSERTION_TYPE, assertion
from gateway.sandbox import validation
from tests.onss import contract
from tests.onss.examples import ADDRESS, EXAMPLE, enterprise, registrations, ssins
from tests.onss.peer import Clients, RunningSandbox, new_uuid

REGISTER = "/presenceRegistration/v1/presenceRegistrations/registerInBulk"
SEARCH = "/presenceRegistration/v1/presenceRegistrations"
TOKEN = "/oauth/v5/token"
PAGE = contract.DOCUMENT.with_name("onss.md")
EXAMPLES_MAX = 80


# -- the sandbox ---------------------------------------------------------------------------------


SCHEMA = schemathesis.openapi.from_path(
    contract.DOCUMENT,
    config=SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(
                generation=GenerationConfig(max_examples=EXAMPLES_MAX, deterministic=True)
            )
        )
    ),
)


ITEM = jsonschema_rs.validator_for(contract.schema("Item"), validate_formats=True)


@pytest.fixture(scope="module", autouse=True)
def formats(shared_sandbox: RunningSandbox, key: RSAKey) -> None:
    """Values that pass the check digits, and assertions that are good now."""
    config = Clients(key)(shared_sandbox).config
    plausible = st.datetimes(datetime(2025, 5, 1), datetime(2099, 12, 31), timezones=st.just(UTC))
    for name, values in {
        "client-assertion": st.builds(lambda: assertion(config, int(time.time()), new_uuid())),
        "ssin": ssins(),
        "enterprise-number": st.integers(1, 9_999_999).map(
            lambda number: enterprise(f"0{number:07d}").number
        ),
        "date-time": plausible.map(lambda at: at.isoformat(timespec="milliseconds")),
        "uuid4": st.builds(new_uuid),
    }.items():
        schemathesis.openapi.format(name, values)


@pytest.fixture(scope="module")
def bearer(shared_sandbox: RunningSandbox, key: RSAKey) -> str:
    config = Clients(key)(shared_sandbox).config
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(config, int(time.time()), new_uuid()),
    }
    told = requests.post(shared_sandbox.token_url, data=form, timeout=5).json()
    return f"Bearer {told['access_token']}"


@SCHEMA.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None, database=None, derandomize=True)
def test_schemathesis_finds_nothing_between_the_sandbox_and_its_document(
    case: Any, bearer: str, shared_sandbox: RunningSandbox
) -> None:
    headers = {} if case.operation.path == TOKEN else {"Authorization": bearer}
    case.call_and_validate(base_url=shared_sandbox.url + "/REST", headers=headers)


OTHERS = {
    "employer": [("enterpriseNumber", "0123456749"), ("foreignVatNumber", "FR1")],
    "placeOfWork": [
        ("coordinates", {"longitude": 4, "latitude": 50}),
        ("address", dict.fromkeys(["postCode", "municipalityName", "streetName"], "7")),
    ],
    "address": [("boxNumber", "7"), ("floor", "7")],
}
ODD = [
    *(None, True, 1, 0, -90, 90, 90.5, -90.5, 180, -180, 180.5, -180.5, [], {}),
    *(
        "",
        " ",
        "x",
        "x" * 40,
        "x" * 41,
        "x" * 250,
        "x" * 251,
        "\n",
        "\x85",
        " 7 b ",
        "\u00e9",
        "A b",
        " A",
    ),
    *("70010100188", "7001010018", "700101001888", "7001010018x"),
    *("0123456749", "1123456749", "2123456749", "012345674", "01234567490"),
    *("in", "out", "IN", "pause"),
    *("1Y1000NF9KCQZ", "1Y1000NF9KCQ", "1Y1000NF9KCQZZ", "IY1000NF9KCQZ", "1y1000nf9kcqz"),
    *("2026-03-02T05:02:03.456Z", "2026-03-02T06:02:03+01:00", "2026-03-02T06:02:03"),
    *("2026-03-02", "2026-13-02T06:02:03Z", "yesterday"),
]


def objects(made: dict[str, Any], name: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every object in an item, itself first, by the field it is in."""
    inner = [objects(value, key) for key, value in made.items() if isinstance(value, dict)]
    return [(name, made), *(one for some in inner for one in some)]


def variations(registration: Registration) -> Iterator[dict[str, Any]]:
    """The item, and each that differs in one thing: odd, gone, or too much."""
    good = item(registration)
    yield good
    for at, (name, where) in enumerate(objects(good)):
        changes: list[tuple[str, Any]] = [(field, odd) for field in where for odd in ODD]
        changes += [*((field, ...) for field in where), *OTHERS.get(name, []), ("note", "x")]
        for field, value in changes:
            made = copy.deepcopy(good)
            changed = objects(made)[at][1]
            if value is ...:
                del changed[field]
            else:
                changed[field] = value
            yield made


BOXED = dataclasses.replace(EXAMPLE, place=dataclasses.replace(ADDRESS, box="2"))
ABROAD = dataclasses.replace(
    EXAMPLE, company=ForeignNumber("FR1"), place=Coordinates("4.35", "50.85")
)


@pytest.mark.parametrize("registration", [BOXED, ABROAD], ids=["belgian", "abroad"])
def test_the_sandbox_takes_the_form_that_the_document_gives_and_no_other(
    registration: Registration,
) -> None:
    differing = []
    for made in variations(registration):
        read = validation.item(made, 0)
        refused = isinstance(read, dict) and read["type"] == ISSUE + "schemaViolation"
        if refused is ITEM.is_valid(made):
            differing.append(made)
    assert not differing


# -- our client ----------------------------------------------------------------------------------


@given(registrations)
def test_whatever_our_client_sends_is_of_the_document_s_form(registration: Registration) -> None:
    ITEM.validate(item(registration))


@given(registrations)
def test_whatever_our_client_asks_the_search_is_of_the_document_s_form(
    registration: Registration,
) -> None:
    schemas = contract.document()["components"]["schemas"]
    known = {
        one["name"]: one["schema"]
        for one in contract.operation(SEARCH, "get")["parameters"]
        if "name" in one
    }
    asked = query(item(registration))
    assert asked.keys() <= known.keys()
    for name, value in asked.items():
        wanted = schemas[known[name]["$ref"].rpartition("/")[2]]
        jsonschema_rs.validate(wanted, value)


def test_our_mapping_knows_each_property_of_the_document_and_no_other() -> None:
    told = [contract.properties(n) for n in ("Item", "Employer", "Place", "Address", "Coordinates")]
    assert set(FIELDS) == set().union(*told)
    sent = [item(BOXED), item(ABROAD)]
    assert {field for made in sent for _, where in objects(made) for field in where} == set(FIELDS)
    form = {"grant_type", "client_assertion_type", "client_assertion"}
    assert contract.properties("TokenRequest") == form
    limit = contract.document()["components"]["schemas"]["Registrations"]["properties"]["items"]
    assert limit["maxItems"] == ITEMS_MAX


def test_our_reader_takes_the_answers_that_the_document_gives() -> None:
    answers = jsonschema_rs.validator_for(contract.schema("Answers"))
    told = contract.operation(REGISTER, "post")["responses"]["200"]["content"]["application/json"]
    body = told["examples"]["created"]["value"]
    answers.validate(body)
    assert item_answers(json.dumps(body).encode()) == (Created("17611", "pending", ()),)
    for wrong in ({}, {"createdPresenceRegistration": {"id": 1}}, {"other": 1}):
        assert not answers.is_valid({"items": [wrong]})
    refused = {"notCreatedPresenceRegistration": {"issues": []}}
    answers.validate({"items": [refused]})
    (read,) = item_answers(json.dumps({"items": [refused]}).encode()) or ()
    assert isinstance(read, NotCreated)
    assert not answers.is_valid({"items": [{**refused, **body["items"][0]}]})


def test_the_refusals_that_count_as_certain_are_the_document_s_problems() -> None:
    certain = {*OWN_WORDS, (400, "badRequest")}
    # What may have been stored all the same is the document's too, and certain of nothing.
    uncertain = {(0, "internalServerError"), (0, "badGateway")}
    assert set(contract.problem_types(contract.document())) == certain | uncertain
    kinds = contract.document()["components"]["schemas"]["Issue"]["properties"]["type"]["enum"]
    assert {kind.removeprefix(ISSUE) for kind in kinds} == {*VALUE_ISSUES, "schemaViolation"}


def test_our_defaults_are_the_document_s_paths() -> None:
    default = Onss(base_url="", token_url="")
    base = "/presenceRegistration/v1"
    assert (base + default.register_path, base + default.search_path) == (REGISTER, SEARCH)
    assert set(contract.document()["paths"]) == {TOKEN, REGISTER, SEARCH}
    page = PAGE.read_text(encoding="utf-8")
    for server in contract.document()["servers"]:
        assert server["url"].removeprefix("https://").partition(".")[0] in page
    assert contract.SERVER + base in page and contract.SERVER + TOKEN in page


def test_everything_in_the_document_says_how_sure_it_is() -> None:
    parts = contract.document()["components"]
    marked = [
        *parts["schemas"].values(),
        *parts["responses"].values(),
        *parts["parameters"].values(),
        *parts["headers"].values(),
        *parts["securitySchemes"].values(),
        *contract.document()["servers"],
        *(one for path in contract.document()["paths"].values() for one in path.values()),
    ]
    assert {one.get("x-confidence") for one in marked} == contract.CONFIDENCES
