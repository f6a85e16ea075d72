"""A Registration as the service's item, and the service's answers as values. No I/O.

Sources: RULES "What is known of the central service" (field names likely, not sure), Q18.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ciao.registration import Address, Coordinates, EnterpriseNumber, Registration
from gateway.onss.problems import parse_json


@dataclass(frozen=True, slots=True)
class Created:
    """The service created a registration: its id, its validity (an open enumeration), remarks."""

    onss_id: str
    validity: str
    remarks: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class NotCreated:
    """The service refused one; what it says why is unknown to us and kept as it came."""

    raw: Any


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Neither of the two, or both, or without an id; kept as it came."""

    raw: Any


ItemAnswer = Created | NotCreated | NotUnderstood


def item(registration: Registration) -> dict[str, Any]:
    """Return the item of `registerInBulk`: exactly one of each pair, and no nulls."""
    return {
        "registrationDate": instant(registration.at),
        "ssin": registration.ssin,
        "type": registration.direction.value,
        "employer": _employer(registration),
        "placeOfWork": _place(registration),
        "contractualRelationshipReference": registration.declaration,
    }


def instant(at: datetime) -> str:
    """Write the tap's own instant in UTC, with milliseconds and `Z`.

    UTC, so that the second 02:30 of an October night is not mistaken for the first.
    Raises ValueError for a naive moment.
    """
    if at.tzinfo is None:
        raise ValueError("a moment without an offset")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _employer(registration: Registration) -> dict[str, str]:
    if isinstance(registration.company, EnterpriseNumber):
        return {"enterpriseNumber": registration.company.number}
    return {"foreignVatNumber": registration.company.number}


def _place(registration: Registration) -> dict[str, Any]:
    place = registration.place
    if isinstance(place, Coordinates):
        # JSON numbers (likely). Python writes a float's shortest form, so what was provisioned
        # goes out with the same value and no tail of digits.
        numbers = {"longitude": float(place.longitude), "latitude": float(place.latitude)}
        return {"coordinates": numbers}
    return {"address": _address(place)}


def _address(address: Address) -> dict[str, str]:
    fields = {
        "postCode": address.post_code,
        "municipalityName": address.municipality,
        "streetName": address.street,
        "houseNumber": address.house_number,
    }
    return fields if address.box is None else fields | {"boxNumber": address.box}


def item_answers(body: bytes) -> tuple[ItemAnswer, ...] | None:
    """Read the body of a 2xx answer to `registerInBulk`; None where it isn't a list of items."""
    read = parse_json(body)
    items = read.get("items") if isinstance(read, dict) else None
    return tuple(map(_item_answer, items)) if isinstance(items, list) else None


def _item_answer(raw: Any) -> ItemAnswer:
    if not isinstance(raw, dict):
        return NotUnderstood(raw)
    match raw.get("createdPresenceRegistration"), raw.get("notCreatedPresenceRegistration"):
        case dict() as created, None:
            return created_from(created) or NotUnderstood(raw)
        case None, dict() | str() | list() as refused:
            return NotCreated(refused)
    return NotUnderstood(raw)


def created_from(told: dict[str, Any]) -> Created | None:
    """Read id, validity and remarks; None without a usable id (a number or a text)."""
    onss_id, validity, remarks = told.get("id"), told.get("validity"), told.get("remarks")
    if isinstance(onss_id, bool) or not isinstance(onss_id, int | str) or onss_id == "":
        return None
    return Created(
        str(onss_id),
        validity if isinstance(validity, str) else "",
        # Their form is not known: one that comes alone is a remark all the same.
        tuple(remarks) if isinstance(remarks, list) else (remarks,) if remarks else (),
    )
