"""Bindings: what ties a terminal to a site and its works declaration, signed by the employer.

A bundle is one line of canonical JSON, signed as a note by the employer's provisioning key.
It names no person. `docs/protocol/binding.md` is the field table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct, field

from ciao import canonical, notes
from ciao.entries import Natural
from ciao.notes import NoteBroken, Signer, VerifierKey
from ciao.reading import Reading, parse_rfc3339

BUNDLE_SIZE_MAX = 16 * 1024
MESSAGE_SIZE_MAX = 64 * 1024
SUCCESSION_HEAD = "ciao/1 succession"
# People are told that a declaration ends from so many days before, and again at each of these.
EXPIRY_WARNED_DAYS = (30, 7, 1)

Line = Annotated[str, Meta(min_length=1, max_length=256)]
Key32 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{43}=\Z")]
Decimal = Annotated[str, Meta(pattern=r"^-?[0-9]{1,3}(\.[0-9]{1,8})?\Z")]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]


class SiteAddress(Struct, frozen=True, omit_defaults=True):
    """Where the building is, as the ONSS wants it (Q18)."""

    post_code: Line
    municipality: Line
    street: Line
    house_number: Line
    box: Line | None = None


class SiteCoordinates(Struct, frozen=True):
    """Where the site is, WGS 84, decimal strings."""

    longitude: Decimal
    latitude: Decimal


class Site(Struct, frozen=True, omit_defaults=True):
    """The place of work: exactly one of address and coordinates."""

    name: Line
    address: SiteAddress | None = None
    coordinates: SiteCoordinates | None = None


class Declaration(Struct, frozen=True, omit_defaults=True):
    """The works declaration and the days it is valid, both included (Q11, Q18)."""

    number: Annotated[str, Meta(pattern=r"^[A-HJ-NP-Z0-9]{13}\Z")]
    valid_from: Day | None = None
    valid_until: Day | None = None

    def covers(self, day: date) -> bool:
        """Say whether the declaration is valid on a day."""
        text = day.isoformat()
        return (self.valid_from or "") <= text <= (self.valid_until or "9999-12-31")

    def days_left(self, day: date) -> int | None:
        """Count the days after this one that it is valid; 0 on its last, below where it ended.

        None where it has no last day, and where its last day is none.
        """
        try:
            return (date.fromisoformat(self.valid_until) - day).days if self.valid_until else None
        except ValueError:
            return None

    def expiring(self, day: date) -> int | None:
        """Return the days left where people are to be told of them (EXPIRY_WARNED_DAYS)."""
        left = self.days_left(day)
        return left if left is not None and left <= EXPIRY_WARNED_DAYS[0] else None


class GatewayKeys(Struct, frozen=True):
    """A gateway that counts: its HPKE key (raw X25519, base64) and its cosigner key."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
    hpke: Key32
    cosigner: Line


class Lateness(Struct, frozen=True):
    """What to do with a stamp that reaches the gateway late (DESIGN 3.11)."""

    policy: Literal["send", "hold", "evidence-only"] = "send"
    send_hours: Annotated[int, Meta(ge=0, le=8784)] = 24


class Binding(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="binding"
):
    """The bundle. `serial` is the UTC second of issue and only ever grows."""

    v: Literal[1]
    serial: Natural
    employer: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
    terminal: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
    enrolled: Line
    site: Site
    declaration: Declaration
    effective_from: Line
    mode: Literal["buttons", "lanes"]
    languages: Annotated[
        list[Annotated[str, Meta(pattern=r"^[a-z]{2}\Z")]], Meta(min_length=1, max_length=8)
    ]
    gateways: Annotated[list[GatewayKeys], Meta(min_length=1, max_length=4)]
    lateness: Lateness
    time_zone: Line
    next_key: Line | None = None

    def enrolled_key(self) -> VerifierKey:
        """The terminal's enrolled key, which certifies its segments."""
        return VerifierKey.parse(self.enrolled)

    def starts_at(self) -> datetime:
        """The moment from which this binding may be in force."""
        return parse_rfc3339(self.effective_from)


def held(starts: Sequence[datetime], begin: datetime, end: datetime) -> list[int]:
    """Say which of one terminal's bindings were in force at any moment of a period.

    `starts` are the moments from which they may be, in the order of issue; one holds until a later
    issued one begins. Returns their places in `starts`.
    """
    found = []
    for number, start in enumerate(starts):
        ended = min((one for one in starts[number + 1 :] if one >= start), default=None)
        if start <= end and (ended is None or ended > begin):
            found.append(number)
    return found


class Bindings(Struct, frozen=True, omit_defaults=True):
    """The retained message: current and next bundle, and the succession of provisioning keys."""

    bindings: Annotated[list[str], Meta(min_length=1, max_length=2)]
    succession: Annotated[list[str], Meta(max_length=16)] = field(default_factory=list)


class BindingRefused(ValueError):
    """A bundle is not accepted; `reason` is one of a closed set.

    `malformed`, `signature`, `foreign` (another terminal), `older` (serial not beyond ours).
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Signed:
    """A bundle whose signature was checked, with the SHA-256 that entries name it by."""

    binding: Binding
    note: str
    sha256: str


_decoder = msgspec.json.Decoder(Binding)
_message_decoder = msgspec.json.Decoder(Bindings)


def sign(binding: Binding, signer: Signer) -> str:
    """Write a bundle as a signed note."""
    return signer.sign(canonical.encode(binding).decode() + "\n").encode()


def digest(note: str) -> str:
    """Name a signed bundle: SHA-256 in hex of its canonical JSON, without signatures."""
    return hashlib.sha256(notes.parse(note).text.removesuffix("\n").encode()).hexdigest()


def read_unverified(note: str) -> Signed:
    """Read a bundle that was checked before, without its signature; raise BindingRefused."""
    try:
        return _opened(note, notes.parse(note))
    except NoteBroken as error:
        raise BindingRefused("malformed", str(error)) from error


def open_signed(note: str, keys: Sequence[VerifierKey]) -> Signed:
    """Check a bundle against the provisioning keys that are trusted; raise BindingRefused."""
    try:
        parsed = notes.parse(note)
    except NoteBroken as error:
        raise BindingRefused("malformed", str(error)) from error
    if not notes.signed_by_any(parsed, keys):
        raise BindingRefused("signature", "not signed by a provisioning key that is trusted here")
    return _opened(note, parsed)


def _opened(note: str, parsed: notes.Note) -> Signed:
    body = parsed.text.removesuffix("\n").encode()
    try:
        canonical.decode(body, BUNDLE_SIZE_MAX)
        binding = _decoder.decode(body)
        _check(binding)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        # OSError: a zone's name is looked up as a file's, and may be a folder's or too long.
        raise BindingRefused("malformed", str(error)) from error
    return Signed(binding, note, hashlib.sha256(body).hexdigest())


def _check(binding: Binding) -> None:
    """Raise ValueError for what types alone can't say."""
    if (binding.site.address is None) == (binding.site.coordinates is None):
        raise ValueError("a site has an address or coordinates, exactly one")
    binding.starts_at()
    if binding.enrolled_key().kind != notes.ED25519:
        raise ValueError("the enrolled key is not for plain Ed25519 signatures")
    ZoneInfo(binding.time_zone)
    for gateway in binding.gateways:
        if VerifierKey.parse(gateway.cosigner).kind != notes.COSIGNATURE_V1:
            raise ValueError("a cosigner's key is not for cosignatures")


def trusted_keys(root: VerifierKey, succession: Sequence[str]) -> list[VerifierKey]:
    """Follow the succession from the key we were given: each link is signed by one before it."""
    keys = [root]
    for link in succession:
        try:
            note = notes.parse(link)
            head, following, end = note.text.split("\n")
            if head == SUCCESSION_HEAD and not end and notes.signed_by_any(note, keys):
                keys.append(VerifierKey.parse(following))
        except ValueError:
            continue
    return keys


def succeed(signer: Signer, following: VerifierKey) -> str:
    """Write a succession link: from now on that key signs too."""
    return signer.sign(f"{SUCCESSION_HEAD}\n{following}\n").encode()


def open_message(payload: bytes, root: VerifierKey, terminal: str, serial_min: int) -> list[Signed]:
    """Check the retained message for one terminal, in order of serial; raise BindingRefused.

    `serial_min` is the newest serial held: nothing older replaces it.
    """
    if len(payload) > MESSAGE_SIZE_MAX:
        raise BindingRefused("malformed", f"{len(payload)} bytes")
    try:
        message = _message_decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BindingRefused("malformed", str(error)) from error
    keys = trusted_keys(root, message.succession)
    opened = [open_signed(note, keys) for note in message.bindings]
    for signed in opened:
        if signed.binding.terminal != terminal:
            raise BindingRefused("foreign", f"for terminal {signed.binding.terminal}")
    opened.sort(key=lambda signed: signed.binding.serial)
    if opened[-1].binding.serial < serial_min:
        raise BindingRefused("older", f"serial {opened[-1].binding.serial} < {serial_min}")
    return opened


def in_force(known: Sequence[Signed], current: Signed | None, now: Reading) -> Signed | None:
    """Choose the bundle for this moment: the newest that has begun, on a trusted clock only.

    On an untrusted clock the current one stays; with none current, the oldest known serves,
    since a tap without a declaration could never be registered.
    """
    if now.clock.synced:
        begun = [signed for signed in known if signed.binding.starts_at() <= now.at]
        if begun:
            return max(begun, key=lambda signed: signed.binding.serial)
        return current
    if current is not None:
        return current
    return min(known, key=lambda signed: signed.binding.serial, default=None)
