"""Why the service refused or remarked a registration: the closed codes an outcome may carry."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """By the field that an issue names, or by a hint in what the service wrote (`hints.py`)."""

    PERSON = "person_refused"
    COMPANY = "company_refused"
    DECLARATION = "declaration_refused"
    PLACE = "place_refused"
    TIME = "time_refused"
    DIRECTION = "direction_refused"
    OTHER = "not_created"
    NOT_DECLARED = "worker_not_declared"
    NOT_ACTIVE = "declaration_not_active"
    NOT_IN_CHAIN = "company_not_in_chain"
    TWICE = "already_registered"
    TOO_LATE = "too_late"
    REMARK = "remark"


# The fields of an item, and what is refused where an issue names one.
FIELDS = {
    "ssin": Reason.PERSON,
    "employer": Reason.COMPANY,
    "enterpriseNumber": Reason.COMPANY,
    "foreignVatNumber": Reason.COMPANY,
    "contractualRelationshipReference": Reason.DECLARATION,
    "placeOfWork": Reason.PLACE,
    "coordinates": Reason.PLACE,
    "longitude": Reason.PLACE,
    "latitude": Reason.PLACE,
    "address": Reason.PLACE,
    "postCode": Reason.PLACE,
    "municipalityName": Reason.PLACE,
    "streetName": Reason.PLACE,
    "houseNumber": Reason.PLACE,
    "boxNumber": Reason.PLACE,
    "registrationDate": Reason.TIME,
    "type": Reason.DIRECTION,
}
