"""The numbers that name people, companies, works and badges: read as typed, normalised, checked.

Pure. Check digits are python-stdnum's. Error texts never repeat a NISS or a UID: they end up on
screens and in logs (DESIGN 3.6).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stdnum.be import ssn, vat
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import (
    InvalidChecksum,
    InvalidComponent,
    ValidationError,
)

from ciao.errors import BadInput
from ciao.registration import Company, EnterpriseNumber, ForeignNumber

TYPED_SIZE_MAX = 64
FREE_SIZE_MAX = 32
UID_SIZES = (4, 7, 10)

# Observed, not documented by the ONSS (RULES "Identifiers").
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_DECLARATION = re.compile(r"[A-HJ-NP-Z0-9]{13}")
_CHECKED = 11
_CHECK_MODULUS = 31

_EU_PREFIXES = frozenset(state.upper() for state in eu_vat.MEMBER_STATES) | {"EL"}


class DeclarationNumber(NamedTuple):
    """A works declaration number, and what looks wrong about it, if anything."""

    number: str
    warning: str | None


def ssin(text: str) -> str:
    """Return a NISS or BIS number as its 11 digits; raise BadInput.

    Births before and after 2000; a BIS month is 20 or 40 higher; a birth date may be unknown,
    in whole or in part (Q18). Spaces, dots and dashes are tolerated.
    """
    try:
        return str(ssn.validate(_typed(text, "a NISS or BIS number")))
    except InvalidChecksum as error:
        raise BadInput(
            "a NISS or BIS number whose check digits do not fit", "compare it with the card"
        ) from error
    except InvalidComponent as error:
        raise BadInput(
            "a NISS or BIS number with an impossible birth month", "compare it with the card"
        ) from error
    except ValidationError as error:
        raise BadInput("not a NISS or BIS number", "it has 11 digits") from error


def company(text: str) -> Company:
    """Return the employer's number, Belgian or foreign (Q27, Q28); raise BadInput.

    Digits alone, or `BE` and digits: Belgian, padded to 10 digits. An EU country's letters
    first: a VAT number, checked offline. Anything else: a free identifier from outside the EU,
    up to FREE_SIZE_MAX printable characters, with at least one letter, so that a mistyped
    Belgian number is never taken for it.
    """
    typed = _typed(text, "a company number")
    bare = re.sub(r"[\s./()-]", "", typed).upper()
    if bare.removeprefix("BE").isdecimal():
        return _belgian(typed)
    if bare[:2] in _EU_PREFIXES:
        return _european(typed)
    if not any(c.isalpha() for c in typed) or len(typed) > FREE_SIZE_MAX:
        raise BadInput(
            f"{typed!r} is no company number",
            f"a foreign one begins with its country's letters, {FREE_SIZE_MAX} characters at most",
        )
    return ForeignNumber(typed)


def _belgian(typed: str) -> EnterpriseNumber:
    try:
        return EnterpriseNumber(str(vat.validate(typed)))
    except ValidationError as error:
        raise BadInput(
            f"{typed!r} is no Belgian enterprise number",
            "10 digits beginning 0 or 1, the last two are check digits; "
            "a foreign number begins with its country's letters",
        ) from error


def _european(typed: str) -> ForeignNumber:
    try:
        number = str(eu_vat.validate(typed))
    except ValidationError as error:
        raise BadInput(
            f"{typed!r} is no VAT number of {typed[:2].upper()}",
            "write it as on the company's invoices",
        ) from error
    # Greece's VAT numbers begin EL wherever they are exchanged; people also write GR.
    return ForeignNumber("EL" + number[2:] if number.startswith("GR") else number)


def declaration_number(text: str) -> DeclarationNumber:
    """Return a works declaration number, with a warning where its check character differs (Q18).

    Raises BadInput where it has another form. The check character was observed, never
    documented, so a difference refuses nothing.
    """
    number = re.sub(r"[\s.-]", "", _typed(text, "a works declaration number")).upper()
    if not _DECLARATION.fullmatch(number):
        raise BadInput(
            f"{number!r} is no works declaration number",
            "13 of A-Z and 0-9 without I and O: was a 1 or a 0 meant?",
        )
    value = 0
    for character in number[:_CHECKED]:
        value = value * len(_ALPHABET) + _ALPHABET.index(character)
    if number[_CHECKED] == _ALPHABET[value % _CHECK_MODULUS]:
        return DeclarationNumber(number, None)
    return DeclarationNumber(
        number, f"the check character of {number} does not fit: compare it with the declaration"
    )


def uid(text: str) -> bytes:
    """Return a badge's UID, 4, 7 or 10 bytes, from hex in any usual spelling; raise BadInput."""
    typed = _typed(text, "a badge UID").removeprefix("0x")
    try:
        raw = bytes.fromhex(re.sub(r"[\s:.-]", "", typed))
    except ValueError as error:
        raise BadInput("a badge UID that is not hex", "such as 04:A1:B2:C3:D4:E5:80") from error
    if len(raw) not in UID_SIZES:
        raise BadInput(f"a badge UID of {len(raw)} bytes", "4, 7 or 10 bytes, two digits each")
    return raw


def _typed(text: str, what: str) -> str:
    """Return a line that somebody typed, its spaces made single; raise BadInput."""
    typed = " ".join(text.split())
    if not typed or len(typed) > TYPED_SIZE_MAX or not typed.isprintable():
        raise BadInput(f"not {what}", f"one line of at most {TYPED_SIZE_MAX} characters")
    return typed
