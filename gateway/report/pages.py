"""Facts into the data of the pages (`report.typ`), in a language. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from ciao.responsibility import Class, totals
from gateway.report import words
from gateway.report.facts import OUTAGES_MAX, Failure, Place, TerminalFacts
from gateway.report.timeline import by_day, drawn, local_days, worst
from gateway.report.words import Say, duration

# Up to here a row a day, with its hours; beyond, a square a day.
DAY_ROWS_MAX = 35
# How many ranges of entries an outage prints; the rows have them all.
ENTRIES_MAX = 8


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says. `begin` and `end` are whole minutes; `zone` is the site's.

    `witnesses` are the names of outside cosigners; `stamped_by` of time stamping authorities.
    `attached` are the files that lie in the PDF: (name, media type).
    """

    place: Place
    terminals: Sequence[TerminalFacts]
    begin: datetime
    end: datetime
    zone: ZoneInfo
    made_at: datetime
    reference: str
    witnesses: Sequence[str] = ()
    stamped_by: Sequence[str] = ()
    attached: Sequence[tuple[str, str]] = ()


class Pages:
    """A report in a language; `say` translates its texts, `language` shapes dates and numbers."""

    def __init__(self, report: Report, language: str, say: Say) -> None:
        self._report = report
        self._language = language
        self._locale = Locale.parse(f"{language}_BE" if language != "en" else "en_GB")
        self._ = say
        self._days = local_days(report.begin, report.end, report.zone)
        self._minutes = round((report.end - report.begin).total_seconds() / 60)

    def data(self) -> dict[str, Any]:
        """Return what the template prints."""
        _, report = self._, self._report
        return {
            "lang": self._language,
            "title": _("Evidence report: {site}").format(site=report.place.name),
            "author": _("made by the gateway, from signed journals"),
            "description": self._period(),
            "reference": report.reference,
            "place": report.place.address,
            "head": self._head(),
            "texts": self._texts(),
            "terminals": [self._terminal(one) for one in report.terminals],
            "several": len(report.terminals) > 1,
            "not_proven": self._not_proven(),
            "check": self._check(),
            "command": "ciao-verify BUNDLE --keys POLICY",
            "attached": [
                {"name": name, "mime": mime, "description": _("The machine-readable rows")}
                for name, mime in report.attached
            ],
        }

    def _texts(self) -> dict[str, str]:
        _ = self._
        return {
            "kind": _("Evidence of attendance registration at cleaning works"),
            "proposed": _("Whose doing it was is proposed; it is not a legal decision."),
            "terminal": _("Terminal"),
            "timeline": _("When it worked"),
            "bars": _("Upper: could people register? Lower: could the terminal submit?"),
            "squares": _("A day in which something failed shows what failed, however short."),
            "class": _("What the minutes were"),
            "register": _("Register"),
            "submit": _("Submit"),
            "share": "%",
            "not_proven": _("What is not proven"),
            "outages": _("What did not work, and when"),
            "ledger": _("Every minute, day by day"),
            "ledger_sentence": _("Minutes of each day; each minute stands in one column a side."),
            "day": _("Day"),
            "cause": _("Cause"),
            "times": _("Times"),
            "time": _("In all"),
            "certificate": _("Certificate of operation"),
            "check": _("How to check this"),
        }

    def _head(self) -> list[tuple[str, str]]:
        _, report = self._, self._report
        return [
            (_("Period"), self._period()),
            (_("Works declaration"), ", ".join(report.place.declarations) or "–"),
            (_("Terminals"), ", ".join(one.terminal for one in report.terminals)),
            (_("Made"), self._moment(report.made_at)),
        ]

    def _terminal(self, facts: TerminalFacts) -> dict[str, Any]:
        _ = self._
        judged = facts.responsibility
        register, submit = totals(judged.register), totals(judged.submit)
        return {
            "name": facts.terminal,
            "answers": [
                self._answer(_("Could people register here?"), register),
                self._answer(_("Could the terminal submit?"), submit),
            ],
            "timeline": self._timeline(facts),
            "classes": [
                {
                    "key": of.value,
                    "name": name,
                    "register": duration(register[of]) if register[of] else "–",
                    "register_share": self._share(register[of]),
                    "submit": duration(submit[of]) if submit[of] else "–",
                    "submit_share": self._share(submit[of]),
                }
                for of, name in words.class_names(_).items()
            ],
            "outages": [self._outage(n, one) for n, one in enumerate(facts.failures, 1)],
            "outages_sentence": self._outages_sentence(facts),
            "causes": self._causes(facts),
            "ledger": self._ledger(facts),
            "certificate": self._certificate(facts, register),
        }

    def _answer(self, question: str, counted: dict[Class, int]) -> dict[str, str]:
        _ = self._
        known = self._minutes - counted[Class.NO_DATA]
        failed = known - counted[Class.WORKED]
        if not known:
            figure, unit, sentence = "–", _("nothing is known"), _("No data for this period.")
        else:
            figure = self._percent(counted[Class.WORKED], known)
            unit = _("of the time that is known")
            sentence = (
                _("It did not work for {failed} in all.").format(failed=duration(failed))
                if failed
                else _("It worked all the time that is known.")
            )
        if known and counted[Class.NO_DATA]:
            sentence += " " + _("No data for {unknown}.").format(
                unknown=duration(counted[Class.NO_DATA])
            )
        return {"question": question, "figure": figure, "unit": unit, "sentence": sentence}

    def _timeline(self, facts: TerminalFacts) -> dict[str, Any]:
        _, days = self._, self._days
        judged = facts.responsibility
        alt = _("A bar of time for each day; the table below has the same in figures.")
        sides = (by_day(judged.register, days), by_day(judged.submit, days))
        if len(days) <= DAY_ROWS_MAX:
            rows = [
                {
                    "label": self._day(day),
                    "register": drawn(register, begin, end),
                    "submit": drawn(submit, begin, end),
                }
                for (day, begin, end), register, submit in zip(days, *sides, strict=True)
            ]
            height = 7 if len(days) <= 10 else 4 if len(days) <= 20 else 3
            return {"kind": "days", "rows": rows, "alt": alt, "height": height, "gap": height / 2}
        months: dict[tuple[int, int], list[dict[str, str] | None]] = {}
        for (day, _begin, _end), register, submit in zip(days, *sides, strict=True):
            cells = months.setdefault((day.year, day.month), [None] * 31)
            cells[day.day - 1] = {"register": worst(register), "submit": worst(submit)}
        named = [
            {"label": format_date(date(*month, 1), "MMM y", self._locale), "cells": cells}
            for month, cells in months.items()
        ]
        return {"kind": "calendar", "rows": named, "alt": alt}

    def _ledger(self, facts: TerminalFacts) -> dict[str, Any]:
        days = self._days
        judged = facts.responsibility
        rows = []
        sides = (by_day(judged.register, days), by_day(judged.submit, days))
        for (day, _begin, _end), register, submit in zip(days, *sides, strict=True):
            counts = [totals(side)[of] for side in (register, submit) for of in Class]
            cells = [self._number(count) if count else "·" for count in counts]
            rows.append([self._day(day), *cells])
        names = words.short_class_names(self._)
        return {"columns": [names[of] for of in Class], "rows": rows}

    def _outage(self, number: int, one: Failure) -> dict[str, Any]:
        _ = self._
        known = words.cause_names(_)
        by = [words.corroboration_names(_)[name] for name in one.corroborated]
        probes = ", ".join(f"{name}: {said}" for name, said in sorted(one.probes.items()))
        entries = [
            f"{at.origin} #{at.first}" + (f"–{at.last}" if at.last > at.first else "")
            for at in one.rests_on
        ]
        more = len(entries) - ENTRIES_MAX
        facts = [
            (_("When"), f"{self._moment(one.begin)} – {self._moment(one.end)}"),
            (_("What"), words.affected_names(_)[one.affected]),
            (_("Proposed"), words.class_names(_)[one.of]),
            (_("Proven"), words.grade_names(_)[one.grade] if one.grade else "–"),
            (_("Supported by"), ", ".join(by)),
            (_("Stamps meanwhile"), self._number(one.stamps)),
            (_("Documents filed"), self._number(one.documents) if one.documents else ""),
            (_("What the probes said"), probes),
            (_("Rests on entries"), "\n".join(entries[:ENTRIES_MAX]) + (f" +{more}" * (more > 0))),
            (_("Name in the rows"), one.outage),
        ]
        return {
            "number": number,
            "class": one.of.value,
            "cause": known.get(one.cause, one.cause),
            "duration": duration(one.minutes),
            "facts": [fact for fact in facts if fact[1]],
        }

    def _causes(self, facts: TerminalFacts) -> list[dict[str, str]]:
        """Add up each cause, the longest first."""
        times: Counter[tuple[Class, str]] = Counter()
        minutes: Counter[tuple[Class, str]] = Counter()
        for one in facts.failures:
            times[one.of, one.cause] += 1
            minutes[one.of, one.cause] += one.minutes
        names = words.cause_names(self._)
        return [
            {
                "key": key[0].value,
                "name": names.get(key[1], key[1]),
                "times": self._number(times[key]),
                "minutes": duration(total),
            }
            for key, total in minutes.most_common()
        ]

    def _outages_sentence(self, facts: TerminalFacts) -> str:
        _ = self._
        if not facts.failures:
            return _("In this period nothing is known to have failed.")
        sentence = _("{count} times something did not work, each listed below.").format(
            count=self._number(len(facts.failures) + facts.failures_beyond)
        )
        if facts.failures_beyond:
            sentence += " " + _("Only the first {shown} are printed; the rows hold all.").format(
                shown=self._number(OUTAGES_MAX)
            )
        return sentence

    def _certificate(self, facts: TerminalFacts, counted: dict[Class, int]) -> dict[str, Any]:
        _, place = self._, self._report.place
        names = words.class_names(_)
        split = [f"{names[of]}: {duration(count)}" for of, count in counted.items() if count]
        lines = [
            _("Site: {site}, {address}").format(site=place.name, address=place.address),
            _("Period: {period}").format(period=self._period()),
            _("Registering, minute by minute: {split}.").format(split="; ".join(split)),
            _("Stamps made in this period: {count}.").format(count=self._number(facts.stamps)),
            _("Its entries are complete up to {moment}.").format(
                moment=self._moment(facts.complete_to)
            )
            if facts.complete_to
            else _("Up to when its entries are complete can't be said."),
        ]
        return {
            "heading": _("Terminal {terminal}").format(terminal=facts.terminal),
            "lines": lines,
        }

    def _not_proven(self) -> list[str]:
        _, report = self._, self._report
        said = [
            _("That a cable was not pulled on purpose: no log can show who did it."),
            _("Whose doing it was: what stands here is proposed from what the probes saw."),
        ]
        if report.witnesses:
            said.append(
                _("Anything before {names} cosigned it; since then nothing can be changed.").format(
                    names=", ".join(report.witnesses)
                )
            )
        else:
            said.append(
                _("Independence: nobody outside cosigned; the employer's gateway is not a witness.")
            )
        if not report.stamped_by:
            said.append(_("The time by an outside authority: no time stamp is part of this."))
        if any(one.complete_to is None for one in report.terminals):
            said.append(_("Times of a terminal whose clock was never right."))
        return said

    def _check(self) -> list[str]:
        _ = self._
        return [
            _(
                "This page is a reading of the rows that lie beside it. Check the rows, not the"
                " page: the command below needs nothing but them and keys that you have from"
                " elsewhere. It also says whether this document fits the rows."
            ),
        ]

    # -- shapes --------------------------------------------------------------------------------

    def _period(self) -> str:
        report = self._report
        return f"{self._moment(report.begin)} – {self._moment(report.end)} ({report.zone.key})"

    def _moment(self, moment: datetime) -> str:
        local = moment.astimezone(self._report.zone)
        return format_datetime(local, "d MMM y HH:mm", locale=self._locale)

    def _day(self, day: date) -> str:
        return format_date(day, "EEE d MMM", self._locale)

    def _number(self, value: int) -> str:
        return format_decimal(value, locale=self._locale)

    def _share(self, minutes: int) -> str:
        return self._percent(minutes, self._minutes) if minutes else "–"

    def _percent(self, part: int, whole: int) -> str:
        """Never say 100 % of what is not all of it, nor 0 % of what is something."""
        share = part / whole if whole else 0.0
        if part < whole:
            share = min(share, 0.9999)
        if part:
            share = max(share, 0.0001)
        return format_percent(share, "#,##0.00 %", locale=self._locale)
