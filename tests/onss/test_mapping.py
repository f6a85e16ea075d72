"""A registration becomes exactly the item that the service is known to take."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.registration import Coordinates, Direction, ForeignNumber, Registration
from gateway.onss.mapping import (
    Created,
    NotCreated,
    NotUnderstood,
    instant,
    item,
    item_answers,
)
from gateway.sandbox import validation
from tests.onss.examples import EXAMPLE, registrations


def test_an_item_holds_the_six_data_and_nothing_else() -> None:
    assert item(EXAMPLE) == {
        "registrationDate": "2026-03-02T05:02:03.456Z",
        "ssin": EXAMPLE.ssin,
        "type": "in",
        "employer": {"enterpriseNumber": "0000000196"},
        "placeOfWork": {
            "address": {
                "postCode": "1000",
                "municipalityName": "Brussel",
                "streetName": "Nergensstraat",
                "houseNumber": "7",
            }
        },
        "contractualRelationshipReference": "1Y1000NF9KCQZ",
    }


def test_a_foreign_company_and_coordinates_take_the_other_of_each_pair() -> None:
    abroad = dataclasses.replace(
        EXAMPLE,
        company=ForeignNumber("FR00999999999"),
        place=Coordinates("4.351700", "50.850300"),
        direction=Direction.OUT,
    )
    made = item(abroad)
    assert made["employer"] == {"foreignVatNumber": "FR00999999999"}
    assert made["placeOfWork"] == {"coordinates": {"longitude": 4.3517, "latitude": 50.8503}}
    assert made["type"] == "out"


def test_the_two_half_past_twos_of_an_october_night_are_an_hour_apart() -> None:
    brussels = ZoneInfo("Europe/Brussels")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=brussels)
    assert instant(first) == "2026-10-25T00:30:00.000Z"
    assert instant(first.replace(fold=1)) == "2026-10-25T01:30:00.000Z"


def test_a_moment_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        instant(datetime(2026, 1, 1))


@given(registrations)
def test_every_item_is_accepted_by_a_strict_peer_and_keeps_its_instant(
    registration: Registration,
) -> None:
    sent = json.loads(json.dumps(item(registration)))
    read = validation.item(sent, 0)
    assert isinstance(read, validation.Item), read
    whole_ms = registration.at.astimezone(UTC)
    whole_ms = whole_ms.replace(microsecond=whole_ms.microsecond // 1000 * 1000)
    assert read.registrationDate == whole_ms
    assert None not in sent.values() and None not in sent["placeOfWork"].values()


def answers(*items: object) -> bytes:
    return json.dumps({"items": items}).encode()


def test_created_and_not_created_are_read_and_the_rest_is_kept_raw() -> None:
    body = answers(
        {"createdPresenceRegistration": {"id": 17611, "validity": "pending", "remarks": []}},
        {"createdPresenceRegistration": {"id": "a-17", "more": 1}},
        {"notCreatedPresenceRegistration": {"whatever": True}},
        {"createdPresenceRegistration": {"validity": "pending"}},
        {"createdPresenceRegistration": {"id": 1}, "notCreatedPresenceRegistration": {}},
        {},
        "text",
        {"notCreatedPresenceRegistration": False},
        {"createdPresenceRegistration": {"id": 1, "remarks": {"code": "odd"}}},
    )
    assert item_answers(body) == (
        Created("17611", "pending", ()),
        Created("a-17", "", ()),
        NotCreated({"whatever": True}),
        NotUnderstood({"createdPresenceRegistration": {"validity": "pending"}}),
        NotUnderstood(
            {"createdPresenceRegistration": {"id": 1}, "notCreatedPresenceRegistration": {}}
        ),
        NotUnderstood({}),
        NotUnderstood("text"),
        NotUnderstood({"notCreatedPresenceRegistration": False}),
        Created("1", "", ({"code": "odd"},)),
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"items":', b"[]", b'{"items":{}}', b"\xff"])
def test_what_is_not_a_list_of_items_is_not_read(body: bytes) -> None:
    assert item_answers(body) is None


@given(st.binary())
def test_no_body_makes_the_reader_fail(body: bytes) -> None:
    item_answers(body)
