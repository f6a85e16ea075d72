"""What the registry holds of a person, in words that they understand. Pure.

The registry knows codes: commands, columns, languages, kinds. What somebody typed in, such as a
reason, is shown as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from babel import Locale

from ciao.texts import N_
from provisioning.registry import Kind

Say = Callable[[str], str]

KINDS = {
    Kind.EMPLOYEE: N_("employee"),
    Kind.STUDENT: N_("student"),
    Kind.TRAINEE: N_("trainee"),
    Kind.APPRENTICE: N_("apprentice"),
    Kind.AGENCY: N_("agency worker"),
    Kind.POSTED: N_("posted worker"),
    Kind.SELF_EMPLOYED: N_("self-employed"),
    Kind.HELPER: N_("helper of a self-employed person"),
}
# By the first words of the command that wrote it.
_ACTS = {
    "employment add": N_("An employment was entered"),
    "employment change": N_("An employment was changed"),
    "employment end": N_("The end of an employment was entered"),
    "badge add": N_("A badge was given out"),
    "badge enrol": N_("A badge was given out"),
    "badge replace": N_("A badge was replaced"),
    "badge end": N_("The end of a badge was entered"),
    "badge revoke": N_("A badge was withdrawn"),
    "import": N_("Entered from a list"),
    "forget": N_("Erased"),
}
_COLUMNS = {
    "employer": N_("Employer"),
    "company": N_("Number submitted"),
    "kind": N_("As"),
    "name": N_("Name"),
    "initials": N_("Initials shown at the terminal"),
    "language": N_("Language"),
    "uid": N_("Number of the badge (UID)"),
    "valid_from": N_("From"),
    "valid_until": N_("Until"),
    "revoked_at": N_("Withdrawn on"),
    "revoked_why": N_("Because"),
}
_WHYS = {
    "lost": N_("lost"),
    "stolen": N_("stolen"),
    "copied": N_("copied"),
    "worn out": N_("worn out"),
}
# A change is told as `column: before → after`, or by its column where that is encrypted.
_ONE = re.compile(rf", (?=(?:{'|'.join((*_COLUMNS, 'company_kind'))})(?:: |, |$))")


class Telling:
    """Words of one language; moments are of `zone`."""

    def __init__(self, language: str, say: Say, zone: tzinfo) -> None:
        self._language = language
        self._ = say
        self._zone = zone

    def value(self, field: str, value: Any) -> str:
        """Say what stands in a field of an employment, a badge or a disclosure."""
        if value in (None, "", "-"):
            return "-"
        if isinstance(value, datetime):
            return value.astimezone(self._zone).isoformat(" ", "minutes")
        text = str(value)
        match field:
            case "language":
                return str(Locale.parse(self._language).languages.get(text, text))
            case "kind":
                return self._(KINDS[Kind(text)])
            case "company" if text.startswith("foreign "):
                return self._("{number} (foreign)").format(number=text.removeprefix("foreign "))
            case "revoked_why" if text.lower() in _WHYS:
                return self._(_WHYS[text.lower()])
            case "shown_to":
                return self._("your employer's office (account {account})").format(account=text)
            case "valid_from" | "valid_until" | "revoked_at":
                return self.value(field, datetime.fromisoformat(text))
            case _:
                return text

    def disclosure(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Say why a number was shown; the list itself is a reason of its own."""
        said = self._("to make such a list for you") if one["what"] == "extract" else one["reason"]
        return {**one, "reason": said}

    def change(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """Say what was entered, and what that changed."""
        words = str(one["what"]).split()
        act = _ACTS.get(" ".join(words[:2])) or _ACTS.get(words[0]) if words else None
        parts = [self._changed(part) for part in _ONE.split(one["changed"]) if part]
        said = "\n".join(part for part in parts if part)
        return {**one, "what": self._(act) if act else one["what"], "changed": said}

    def _changed(self, part: str) -> str:
        column, _, values = part.partition(": ")
        if column == "company_kind":
            return ""
        name = self._(_COLUMNS[column]) if column in _COLUMNS else column
        if not values:
            return name
        before, _, after = values.partition(" → ")
        return f"{name}: {self.value(column, before)} → {self.value(column, after)}"
