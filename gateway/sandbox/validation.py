"""Strict validation of what a client sends: the form as types, then the values. Pure.

Source: RULES, Register (likely) and Identifiers. One issue is reported for each item.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from stdnum.be import ssn, vat

from gateway.sandbox.problems import ISSUE

ITEMS_MAX = 200

Moment = Annotated[datetime, Meta(tz=True)]
Ssin = Annotated[str, Meta(pattern=r"\A[0-9]{11}\Z")]
Text = Annotated[str, Meta(pattern=r"[^\x00-\x20\x7f-\xa0]", max_length=250)]
Foreign = Annotated[str, Meta(pattern=r"\A[!-~]([ -~]{0,38}[!-~])?\Z")]
Declaration = Annotated[str, Meta(pattern=r"\A[A-HJ-NP-Z0-9]{13}\Z")]
Enterprise = Annotated[str, Meta(pattern=r"\A[01][0-9]{9}\Z")]
Kind = Literal["in", "out"]


class Employer(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of the two."""

    enterpriseNumber: Enterprise | UnsetType = UNSET
    foreignVatNumber: Foreign | UnsetType = UNSET


class Coordinates(msgspec.Struct, forbid_unknown_fields=True):
    """WGS 84 degrees."""

    longitude: Annotated[float, Meta(ge=-180, le=180)]
    latitude: Annotated[float, Meta(ge=-90, le=90)]


class Address(msgspec.Struct, forbid_unknown_fields=True):
    """A postal address; the box is the one field that may be missing."""

    postCode: Text
    municipalityName: Text
    streetName: Text
    houseNumber: Text
    boxNumber: Text | UnsetType = UNSET


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of the two."""

    coordinates: Coordinates | UnsetType = UNSET
    address: Address | UnsetType = UNSET


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """One registration: the six data of Q18."""

    registrationDate: Moment
    ssin: Ssin
    type: Kind
    employer: Employer
    placeOfWork: Place
    contractualRelationshipReference: Declaration

    @property
    def employer_number(self) -> str:
        """Whichever number names the employer."""
        number = self.employer.enterpriseNumber or self.employer.foreignVatNumber
        assert isinstance(number, str)
        return number


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """What our own search takes; unknown at the real service."""

    ssin: Ssin
    type: Kind | UnsetType = UNSET
    registrationDateFrom: Moment | UnsetType = UNSET
    registrationDateTo: Moment | UnsetType = UNSET
    employerNumber: Foreign | UnsetType = UNSET
    contractualRelationshipReference: Declaration | UnsetType = UNSET


Issue = dict[str, Any]
T = TypeVar("T")


def issue(kind: str, where: str, name: str, detail: str, value: Any = None) -> Issue:
    """Return one member of `issues[]`, with every field known of it."""
    title = {"schemaViolation": "Input value is invalid with respect to the schema"}
    return {
        "type": ISSUE + kind,
        "title": title.get(kind, "Invalid input"),
        "detail": detail,
        "in": where,
        "name": name,
        "value": value,
    }


def form(raw: Any, shape: type[T], where: str, prefix: str = "") -> T | Issue:
    """Return the value in its type, or the one issue that is wrong with its form."""
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        named = re.search(r"(?:missing required|unknown) field `([^`]*)`", what)
        keys = [key for key in path.rstrip("`").split(".") if key] + ([named[1]] if named else [])
        value = raw
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        name = ".".join([prefix, *keys]) if prefix else ".".join(keys)
        return issue("schemaViolation", where, name, what, value)


def item(raw: Any, index: int) -> Item | Issue:
    """Return the item, or the first issue with its form or its values."""
    prefix = f"items[{index}]"
    read = form(raw, Item, "body", prefix)
    if not isinstance(read, Item):
        return read
    one_of = (
        ("employer", read.employer.enterpriseNumber, read.employer.foreignVatNumber),
        ("placeOfWork", read.placeOfWork.coordinates, read.placeOfWork.address),
    )
    for name, one, other in one_of:
        if (one is UNSET) == (other is UNSET):
            what = "exactly one of the two is needed"
            return issue("schemaViolation", "body", f"{prefix}.{name}", what, raw[name])
    if not ssn.is_valid(read.ssin):
        what = "check digits or date are wrong"
        return issue("invalidInput", "body", f"{prefix}.ssin", what, read.ssin)
    number = read.employer.enterpriseNumber
    if number is not UNSET and not vat.is_valid(number):
        name = f"{prefix}.employer.enterpriseNumber"
        return issue("invalidInput", "body", name, "check digits are wrong", number)
    return read


def body(raw: Any) -> tuple[list[Item], list[Issue]]:
    """Return the items of a `registerInBulk` body, and the issues of those that are wrong."""
    if not isinstance(raw, dict) or not isinstance(raw.get("items"), list):
        what = "an object with an array is needed"
        return [], [issue("schemaViolation", "body", "items", what)]
    unknown = sorted(raw.keys() - {"items"})
    if unknown:
        return [], [issue("schemaViolation", "body", unknown[0], "unknown property")]
    if not raw["items"]:
        return [], [issue("schemaViolation", "body", "items", "at least one is needed", [])]
    read = [item(one, index) for index, one in enumerate(raw["items"])]
    items = [one for one in read if isinstance(one, Item)]
    return items, [one for one in read if not isinstance(one, Item)]
