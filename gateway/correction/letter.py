"""A dossier as a letter to the ONSS, in a language: what the template prints. Pure.

The letter is the one place where a person is named: the ONSS finds a registration by it. A person
checks it, signs it and sends it (Q35).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton

from ciao.moments import BELGIUM
from ciao.registration import Address, Coordinates
from gateway.correction.dossier import Dossier, Known
from gateway.correction.rules import DAYS, Wrong, days_left, last_day

TEMPLATE = Path(__file__).with_name("letter.typ")
# The ONSS's languages; an English one is a working copy.
OFFICIAL = ("fr", "nl", "de")
WORKING = "en"

# A text of the catalogue, in the letter's language.
Say = Callable[[str], str]


class Letter:
    """A dossier in a language; `names` also prints each worker's NISS and initials."""

    def __init__(
        self, dossier: Dossier, language: str, say: Say, now: datetime, names: bool
    ) -> None:
        self._dossier = dossier
        self._language = language
        self._locale = Locale.parse("en_GB" if language == WORKING else f"{language}_BE")
        self._ = say
        self._now = now
        self._names = names

    def data(self) -> dict[str, Any]:
        """Return what the template prints."""
        _, dossier = self._, self._dossier
        employer = dossier.employer
        return {
            "lang": self._language,
            "title": _("Request to correct registrations: {reference}").format(
                reference=dossier.reference
            ),
            "author": employer.name if employer else dossier.row.employer,
            "working": _("Working copy: not for the ONSS") if self._language == WORKING else "",
            "reference": dossier.reference,
            "sender": self._sender(),
            "to": [_("National Social Security Office (ONSS/RSZ/LSS)"), "Check In and Out at Work"],
            "date": self._day(self._now.astimezone(BELGIUM).date()),
            "texts": self._texts(),
            "paragraphs": self._paragraphs(),
            "columns": self._columns(),
            "rows": [self._row(n, one) for n, one in enumerate(dossier.stamps, 1)],
            "numbers": [
                [_("Registered, and wrong"), dossier.row.registered],
                [_("Correct"), dossier.row.correct],
            ],
            "enclosed": self._enclosed(),
        }

    def _sender(self) -> list[str]:
        employer = self._dossier.employer
        if employer is None:
            return [self._dossier.row.employer]
        number = self._("Company number {number}").format(number=employer.company.number)
        return [employer.name, number]

    def _what(self) -> str:
        _ = self._
        if self._dossier.wrong is Wrong.COMPANY:
            return _("the company number")
        return _("the number of the works declaration")

    def _texts(self) -> dict[str, str]:
        _ = self._
        return {
            "reference": _("Our reference"),
            "date": _("Date"),
            "subject": _("Subject: request to correct registered data, Check In and Out at Work"),
            "numbers": _("What is to be changed"),
            "rows": _("The registrations"),
            "reason": _("Why it was wrong"),
            "why": self._dossier.row.why,
            "enclosed": _("Enclosed"),
            "signature": _("Name, function and signature"),
            "closing": _("Yours faithfully,"),
        }

    def _paragraphs(self) -> list[str]:
        _, dossier = self._, self._dossier
        ask = _(
            "For the registrations listed below, {what} was wrong. We ask you to change it in the"
            " data that were registered. Nothing else is to be changed: times, directions, places"
            " and persons stay as they are."
        ).format(what=self._what())
        left = days_left(dossier.first_at, self._now)
        last = self._day(last_day(dossier.first_at))
        if left < 0:
            until = _("The {days} days in which a change may be asked for ended on {last}.")
        else:
            until = _(
                "A change may be asked for within {days} days of the registration. The first of"
                " these terms ends on {last}."
            )
        return [ask, until.format(days=DAYS, last=last)]

    def _columns(self) -> list[str]:
        _ = self._
        who = [_("NISS/INSZ")] if self._names else []
        return ["", _("ONSS id"), _("Date and time"), "IN/OUT", *who, _("Place"), _("Until")]

    def _row(self, number: int, known: Known) -> list[str]:
        ssin = known.holder.ssin if known.holder else "–"
        who = [_spaced(ssin)] if self._names else []
        return [
            str(number),
            known.tap.onss_id or "–",
            self._moment(known.at.astimezone(BELGIUM)),
            known.tap.direction.upper(),
            *who,
            self._place(known),
            self._short(last_day(known.at)),
        ]

    def _place(self, known: Known) -> str:
        match known.place:
            case Address() as at:
                box = f"/{at.box}" if at.box else ""
                return f"{at.street} {at.house_number}{box}, {at.post_code} {at.municipality}"
            case Coordinates() as at:
                return f"{at.latitude}, {at.longitude}"
        return known.site or "–"

    def _enclosed(self) -> list[str]:
        _ = self._
        return [
            _("dossier.json: the stamps, the terminal's binding and the employment in force"),
            _("proofs.json: each entry, its signed receipt, and the proof that it is in the log"),
            _("bindings: the bundles that the terminals were bound by, as they were signed"),
        ]

    def _moment(self, local: datetime) -> str:
        """With its offset: October has an hour twice (decision 27)."""
        return f"{self._short(local)} {local:%H:%M:%S} ({local.isoformat()[-6:]})"

    def _short(self, day: date) -> str:
        return format_skeleton("yMMdd", day, locale=self._locale)

    def _day(self, day: date) -> str:
        return format_date(day, "long", self._locale)


def _spaced(ssin: str) -> str:
    """Write a NISS as cards do: 70.01.01-001.88."""
    if len(ssin) != 11:
        return ssin
    return f"{ssin[:2]}.{ssin[2:4]}.{ssin[4:6]}-{ssin[6:9]}.{ssin[9:]}"
