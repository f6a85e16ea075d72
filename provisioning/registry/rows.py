"""Rows of the registry's tables, read as values. Pure."""

from __future__ import annotations

from base64 import b64decode
from datetime import date, datetime
from typing import Any

import msgspec

from ciao import binding
from ciao.notes import VerifierKey
from ciao.reading import parse_rfc3339
from provisioning.registry.records import (
    Badge,
    Declaration,
    Employer,
    Employment,
    Gateway,
    IssuedBinding,
    Keys,
    Kind,
    Period,
    Site,
    Terminal,
    company,
)
from provisioning.registry.store import Row

_in_site = msgspec.json.Decoder(binding.Site)


def terminal(row: Row) -> Terminal:
    """A row of terminals."""
    return Terminal(
        row["id"],
        row["employer"],
        VerifierKey.parse(row["enrolled"]),
        b64decode(row["seal"]),
        moment(row["revoked_at"]),
        row["revoked_why"],
    )


def employer(row: Row) -> Employer:
    """A row of employers."""
    return Employer(
        row["id"],
        row["name"],
        company(row["company_kind"], row["company"]),
        VerifierKey.parse(row["provisioning_key"]),
        row["onss_client"],
        moment(row["ended_at"]),
    )


def issued(row: Row) -> IssuedBinding:
    """A row of bindings."""
    return IssuedBinding(
        row["terminal"],
        row["serial"],
        row["site"],
        parse_rfc3339(row["effective_from"]),
        row["sha256"],
        row["note"],
    )


def badge(row: Row) -> Badge:
    """A row of badges."""
    return Badge(
        row["id"],
        row["employment"],
        row["tier"],
        period(row),
        moment(row["revoked_at"]),
        row["revoked_why"],
    )


def period(row: Row) -> Period:
    """The two columns of a period."""
    return Period(parse_rfc3339(row["valid_from"]), moment(row["valid_until"]))


def moment(text: Any) -> datetime | None:
    """A moment that may be absent."""
    return None if text is None else parse_rfc3339(text)


def day(text: Any) -> date | None:
    """A day that may be absent."""
    return None if text is None else date.fromisoformat(text)


def declaration(row: Row) -> Declaration:
    """A row of declarations."""
    days = day(row["valid_from"]), day(row["valid_until"])
    return Declaration(row["id"], row["employer"], *days, row["link"])


def site(row: Row) -> Site:
    """A row of sites."""
    return Site(row["id"], _in_site.decode(row["site"]), moment(row["ended_at"]))


def gateway(row: Row) -> Gateway:
    """A row of gateways."""
    keys = Keys(row["hpke"], VerifierKey.parse(row["cosigner"]))
    following = None
    if row["next_hpke"] is not None:
        following = Keys(row["next_hpke"], VerifierKey.parse(row["next_cosigner"]))
    return Gateway(row["id"], keys, following)


def employment(row: Row, name: str | None) -> Employment:
    """A row of employments, with the name that was decrypted from it."""
    return Employment(
        id=row["id"],
        person=row["person"],
        employer=row["employer"],
        kind=Kind(row["kind"]),
        name=name,
        initials=row["initials"],
        language=row["language"],
        company=company(row["company_kind"], row["company"]),
        period=period(row),
    )
