"""What the registry holds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ciao import binding
from ciao.notes import VerifierKey
from ciao.registration import (
    Address,
    Company,
    Coordinates,
    EnterpriseNumber,
    ForeignNumber,
    Place,
)


class Kind(StrEnum):
    """What a person is to the place of work; decides whose number is submitted (Q3, Q27-32)."""

    EMPLOYEE = "employee"
    STUDENT = "student"
    TRAINEE = "trainee"
    APPRENTICE = "apprentice"
    AGENCY = "agency"
    POSTED = "posted"
    SELF_EMPLOYED = "self_employed"
    HELPER = "helper"


# Theirs is the employer's own number unless another is given: staff, and for trainees the host
# company's (Q31). The rest work for somebody else, or for themselves, and must say for whom.
OWN_COMPANY = frozenset({Kind.EMPLOYEE, Kind.STUDENT, Kind.TRAINEE, Kind.APPRENTICE})


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment, included, until another, excluded; None has no end."""

    start: datetime
    end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Say whether a moment lies inside."""
        return self.start <= at and (self.end is None or at < self.end)

    def overlaps(self, other: Period) -> bool:
        """Say whether the two share a moment; an empty period shares none."""
        both = self.within(other)
        return both.end is None or both.start < both.end

    def within(self, outer: Period) -> Period:
        """Cut this period to another's end."""
        ends = [end for end in (self.end, outer.end) if end is not None]
        return Period(max(self.start, outer.start), min(ends, default=None))


@dataclass(frozen=True, slots=True)
class Employer:
    """An employer: signs bindings with its provisioning key, registers with its ONSS client."""

    id: str
    name: str
    company: Company
    provisioning_key: VerifierKey
    onss_client: str | None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """A works declaration of an employer; the days are both included.

    `link` is what the ONSS gave with it, for the poster's code.
    """

    number: str
    employer: str
    valid_from: date | None
    valid_until: date | None
    link: str | None = None

    def for_binding(self) -> binding.Declaration:
        """Write it as a bundle names it."""
        return binding.Declaration(
            self.number,
            self.valid_from.isoformat() if self.valid_from else None,
            self.valid_until.isoformat() if self.valid_until else None,
        )


@dataclass(frozen=True, slots=True)
class Site:
    """A place of work, by its short id."""

    id: str
    site: binding.Site
    ended_at: datetime | None = None

    @property
    def place(self) -> Place:
        """The place as a registration names it."""
        return place(self.site)


@dataclass(frozen=True, slots=True)
class Keys:
    """A gateway's public keys: raw X25519 (base64), and the verifier of its cosignatures."""

    hpke: str
    cosigner: VerifierKey


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway, its keys, and those that are about to succeed them (decision 24)."""

    id: str
    keys: Keys
    following: Keys | None = None


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A key that a gateway cosigns or cosigned with; `until` is when its successor alone counts."""

    gateway: str
    key: VerifierKey
    until: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedBinding:
    """A bundle as it was signed and issued; `site` is the id of the site it names."""

    terminal: str
    serial: int
    site: str
    effective_from: datetime
    sha256: str
    note: str


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal: its keys, and the employer whose provisioning key it trusts.

    `seal` is its raw X25519 public key. What it is bound to at a moment is in its bindings.
    From `revoked_at` on nothing of it is taken, until other hardware is enrolled in its place.
    """

    id: str
    employer: str
    enrolled: VerifierKey
    seal: bytes
    revoked_at: datetime | None = None
    revoked_why: str | None = None

    def is_revoked(self, at: datetime) -> bool:
        """Say whether it is revoked at a moment."""
        return self.revoked_at is not None and self.revoked_at <= at


@dataclass(frozen=True, slots=True)
class Employment:
    """A person's work for a company: whose number is submitted, and when (Q27-32).

    `person` is an opaque name for whoever has that NISS, the same in all their employments.
    """

    id: str
    person: str
    employer: str
    kind: Kind
    name: str | None
    initials: str
    language: str
    company: Company
    period: Period


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge in somebody's hands. A revoked one still names its holder: its taps are held."""

    id: str
    employment: str
    tier: str
    period: Period
    revoked_at: datetime | None
    revoked_why: str | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whose badge it was at the moment of a tap, and what a registration needs of them.

    `worker` is opaque and the same for all employments of one person: order is kept by it.
    `employer` names the ONSS credentials to submit with. `revoked` holds the tap for a person.
    """

    worker: str
    ssin: str
    company: Company
    employer: str
    employment: str
    badge: str
    tier: str
    revoked: bool


def company(kind: str, number: str) -> Company:
    """Read a company from its two columns."""
    return EnterpriseNumber(number) if kind == "enterprise" else ForeignNumber(number)


def company_kind(company: Company) -> str:
    """Say which of the two a company is, as its column says it."""
    return "enterprise" if isinstance(company, EnterpriseNumber) else "foreign"


def place(site: binding.Site) -> Place:
    """Read the place a bundle names (Q18); raise ValueError where it names none."""
    if site.address is not None:
        address = site.address
        return Address(
            address.post_code,
            address.municipality,
            address.street,
            address.house_number,
            address.box,
        )
    if site.coordinates is not None:
        return Coordinates(site.coordinates.longitude, site.coordinates.latitude)
    raise ValueError("a site without an address and without coordinates")
