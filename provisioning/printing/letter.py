"""Pages for people to keep: a person's extract, the notice for workers. Pure: data for a template.

Moments are cut to minutes: local, with their offset (decision 27).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from ciao.texts import N_, translations
from provisioning.printing.telling import Telling

TEMPLATE = Path(__file__).with_name("letter.typ")

_EMPLOYMENT = {
    "employer_name": N_("Employer"),
    "company": N_("Number submitted"),
    "kind": N_("As"),
    "name": N_("Name"),
    "initials": N_("Initials shown at the terminal"),
    "language": N_("Language"),
    "from": N_("From"),
    "until": N_("Until"),
}
_BADGE = {
    "uid": N_("Number of the badge (UID)"),
    "from": N_("From"),
    "until": N_("Until"),
    "revoked_at": N_("Withdrawn on"),
    "revoked_why": N_("Because"),
}
_DISCLOSURE = {"at": N_("When"), "shown_to": N_("To"), "reason": N_("Because")}
_CHANGE = {"at": N_("When"), "what": N_("Entered"), "changed": N_("What changed")}


def extract(told: Mapping[str, Any], language: str, zone: tzinfo) -> dict[str, Any]:
    """Write what the template is given for a person's extract."""
    _ = translations("provisioning", language).gettext

    telling = Telling(language, _, zone)

    def facts(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[Any]:
        said = telling.value
        return [[(_(name), said(key, row[key])) for key, name in names.items()] for row in rows]

    history = [change for of in (*told["employments"], *told["badges"]) for change in of["history"]]
    changes = [telling.change(one) for one in history]
    disclosures = [telling.disclosure(one) for one in told["disclosures"]]
    years = told["kept_years_after_the_last_employment"]
    title = _("What is kept about you")
    kept = _(
        "It is erased {years} years after your last employment ends. What identifies you is kept"
        " encrypted."
    ).format(years=years)
    stamps = _(
        "Your stamps are not in this list: ask your employer for them, or see them in the"
        " application of the social security office (ONSS), with your own registrations."
    )
    sections = [
        _section(_("You"), [kept], [[(_("NISS or BIS number"), told["niss"])]]),
        _section(_("Employments"), [], facts(told["employments"], _EMPLOYMENT)),
        _section(_("Badges"), [], facts(told["badges"], _BADGE)),
        _section(_("Who was shown your number"), [], facts(disclosures, _DISCLOSURE)),
        _section(_("What was changed"), [], facts(changes, _CHANGE)),
        _section(_("Stamps"), [stamps], []),
    ]
    return _document(title, [_part(language, f"{title} – {told['made_at'][:10]}", sections)])


@dataclass(frozen=True, slots=True)
class Notice:
    """Of whom a notice speaks."""

    employer: str
    contact: str
    people_years: int


def notice(of: Notice, languages: Sequence[str]) -> dict[str, Any]:
    """Write what the template is given for the notice for workers, a page a language."""
    parts = [_notice(of, language) for language in languages]
    return _document(parts[0]["title"], parts)


def _notice(of: Notice, language: str) -> dict[str, Any]:
    _ = translations("provisioning", language).gettext
    sections = [
        _section(
            _("What is registered"),
            [
                _(
                    "Each time you press IN or OUT: the day and the time, your NISS or BIS number,"
                    " the number of the company you work for, the number of the works declaration,"
                    " the place of work, and whether it was IN or OUT. Nothing else."
                ),
                _(
                    "The terminal hangs at the entrance and registers its own place. It does not"
                    " know where you are before or after, and there is no camera in it."
                ),
            ],
        ),
        _section(
            _("Why"),
            [
                _(
                    "The law asks it of everyone who cleans for a third party (programme law of 26"
                    " December 2022, articles 22 to 48). The data goes to the social security"
                    " office (ONSS), whose inspectors may read it."
                )
            ],
        ),
        _section(
            _("What the terminal keeps"),
            [
                _(
                    "What your badge says is encrypted at once: the terminal itself can not read it"
                    " back, and deletes it 30 days after it was received. It knows the initials"
                    " and the language that belong to a badge, and for 48 hours the last IN or OUT,"
                    " to show it to you. Your NISS and your name are never in it."
                )
            ],
        ),
        _section(
            _("How long"),
            [
                _(
                    "Your employer keeps your data, encrypted, until {years} years after your last"
                    " employment ends; then your number, your name and your badge are erased."
                ).format(years=of.people_years)
            ],
        ),
        _section(_("Your rights"), _rights(_)),
        _section(
            _("Who answers"),
            [],
            [[(_("Employer"), of.employer), (_("Contact"), of.contact)]],
        ),
    ]
    return _part(language, _("Your data at the badge terminal"), sections)


def _rights(_: Callable[[str], str]) -> list[str]:
    return [
        _(
            "You may ask your employer for everything that is kept about you, and who was shown"
            " your number. You may have it put right where it is wrong."
        ),
        _(
            "A wrong company or works declaration number: your employer can ask the ONSS for a"
            " change within 30 days. A forgotten IN or OUT can not be corrected by anybody."
        ),
        _(
            "You see your own registrations in the application of the ONSS. You may complain to the"
            " Belgian data protection authority: www.dataprotectionauthority.be."
        ),
    ]


def _section(
    title: str, sentences: Sequence[str], facts: Sequence[Sequence[tuple[str, str]]] = ()
) -> dict[str, Any]:
    return {"title": title, "sentences": list(sentences), "facts": [list(one) for one in facts]}


def _part(language: str, title: str, sections: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown = [one for one in sections if one["sentences"] or one["facts"]]
    return {"language": language, "title": title, "sections": shown}


def _document(title: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"title": title, "parts": list(parts)}


def lines(data: Mapping[str, Any]) -> Iterator[str]:
    """Write the same for a screen: a title, then each section, a line a fact."""
    for part in data["parts"]:
        yield part["title"]
        for section in part["sections"]:
            yield from ("", section["title"], *section["sentences"])
            width = max((len(name) for fact in section["facts"] for name, _ in fact), default=0)
            for number, fact in enumerate(section["facts"]):
                if number:
                    yield ""
                for name, value in fact:
                    first, *rest = value.split("\n")
                    yield f"  {name:<{width}}  {first}"
                    yield from (f"  {'':<{width}}  {line}" for line in rest)
