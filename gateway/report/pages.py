"""Facts into the data of the pages (`report.typ`), in a language. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ciao.responsibility import Class, totals
from gateway.report import words
from gateway.report.deleted import Kept, WholeLog
from gateway.report.deleting import Deleting
from gateway.report.facts import OUTAGES_MAX, Failure, TerminalFacts
from gateway.report.places import Place
from gateway.report.shapes import Shapes
from gateway.report.timeline import by_day, drawn, local_days, worst
from gateway.report.witnessing import Witness
from gateway.report.words import Say

# Up to here a row a day, with its hours; beyond, a square a day.
DAY_ROWS_MAX = 35
# Up to so many sentences on what is not proven leave a month's bars their whole height.
NOT_PROVEN_FEW = 5
# How many ranges of entries an outage prints; the rows have them all.
ENTRIES_MAX = 8


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says. `begin` and `end` are whole minutes; `zone` is the site's.

    `witnesses` are outside cosigners; `stamped_by` the names of time stamping authorities.
    `attached` are the files that lie in the PDF: (name, media type). `deleted` are logs that were
    deleted whole; `kept` is for how long the gateway keeps what identifies people.
    """

    terminals: Sequence[TerminalFacts]
    begin: datetime
    end: datetime
    zone: ZoneInfo
    made_at: datetime
    reference: str
    witnesses: Sequence[Witness] = ()
    stamped_by: Sequence[str] = ()
    attached: Sequence[tuple[str, str]] = ()
    deleted: Sequence[WholeLog] = ()
    kept: Kept | None = None

    @property
    def places(self) -> list[Place]:
        """The sites of all terminals, each once."""
        return list(dict.fromkeys(place for one in self.terminals for place in one.places))


class Pages:
    """A report in a language; `say` translates its texts, `language` shapes dates and numbers."""

    def __init__(self, report: Report, language: str, say: Say) -> None:
        self._report = report
        self._language = language
        self._shapes = Shapes(language, report.zone)
        self._ = say
        self._days = local_days(report.begin, report.end, report.zone)
        self._minutes = round((report.end - report.begin).total_seconds() / 60)
        payloads = [gone for one in report.terminals for gone in one.deleted]
        lost = sum(one.lost for one in report.terminals)
        self._deleting = Deleting(payloads, report.deleted, lost, self._shapes, say)

    def data(self) -> dict[str, Any]:
        """Return what the template prints."""
        _, report = self._, self._report
        return {
            "lang": self._language,
            "title": self._title(),
            "author": _("made by the gateway, from signed journals"),
            "description": self._period(),
            "reference": report.reference,
            "place": report.places[0].address if len(report.places) == 1 else "",
            "head": self._head(),
            "texts": self._texts(),
            "terminals": [self._terminal(one) for one in report.terminals],
            "several": len(report.terminals) > 1,
            "summary": [self._summary(one) for one in report.terminals],
            "legend": [(of.value, name) for of, name in words.class_names(_).items()],
            "proven": _(
                "By the rows that lie beside this page, once ciao-verify has checked them (see the"
                " last page): no entry was changed, left out or added after it was cosigned."
            ),
            "not_proven": self._not_proven(),
            "deleted": self._deleting.section(report.kept),
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
            "site": _("Site"),
            "summary": _("Each terminal, over the whole period"),
            "known": _("The figures are shares of the time that is known."),
            "timeline": _("When it worked"),
            "bars": _("Upper: could people register? Lower: could the terminal submit?"),
            "squares": _("A day in which something failed shows what failed, however short."),
            "class": _("What the minutes were"),
            "register": _("Register"),
            "submit": _("Submit"),
            "share": "%",
            "proven": _("What is proven"),
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
        declarations = dict.fromkeys(one for place in report.places for one in place.declarations)
        names = [one.terminal for one in report.terminals]
        # Several stand below, each in its line.
        which = names[0] if len(names) == 1 else self._shapes.number(len(names))
        return [
            (_("Period"), self._period()),
            (_("Works declaration"), ", ".join(declarations) or "–"),
            (_("Terminals"), which),
            (_("Made"), self._shapes.moment(report.made_at)),
        ]

    def _title(self) -> str:
        _, places = self._, self._report.places
        if len(places) == 1:
            return _("Evidence report: {site}").format(site=places[0].name)
        return _("Evidence report: {count} sites").format(count=self._shapes.number(len(places)))

    def _heading(self, facts: TerminalFacts) -> str:
        said = self._("Terminal {terminal}").format(terminal=facts.terminal)
        return ", ".join([said, *(place.name for place in facts.places)])

    def _summary(self, facts: TerminalFacts) -> dict[str, Any]:
        """One terminal in a line, where there are several; its bars cover the whole period."""
        judged, report = facts.responsibility, self._report
        sides = (judged.register, judged.submit)
        counted = [totals(side) for side in sides]
        return {
            "name": facts.terminal,
            "places": [[place.name, place.address] for place in facts.places],
            "bars": [drawn(side, report.begin, report.end) for side in sides],
            "figures": [self._answered(counts)[0] for counts in counted],
        }

    def _terminal(self, facts: TerminalFacts) -> dict[str, Any]:
        _ = self._
        judged = facts.responsibility
        register, submit = totals(judged.register), totals(judged.submit)
        return {
            "heading": self._heading(facts),
            "answers": [
                self._answer(_("Could people register here?"), register),
                self._answer(_("Could the terminal submit?"), submit),
            ],
            "timeline": self._timeline(facts),
            "classes": [
                {
                    "key": of.value,
                    "name": name,
                    "register": self._shapes.duration(register[of]) if register[of] else "–",
                    "register_share": self._share(register[of]),
                    "submit": self._shapes.duration(submit[of]) if submit[of] else "–",
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
        _, duration = self._, self._shapes.duration
        figure, known, failed = self._answered(counted)
        if not known:
            unit, sentence = _("nothing is known"), _("No data for this period.")
        else:
            unit = _("of the time that is known")
            sentence = (
                _("It did not work for {failed} in all.").format(failed=duration(failed))
                if failed
                else _("It worked all the time that is known.")
            )
        if known and counted[Class.NO_DATA]:
            sentence += " " + _("No data for {unknown}.").format(
                unknown=self._shapes.duration(counted[Class.NO_DATA])
            )
        # Where a unit of time is short, its point ends the sentence as well.
        sentence = sentence.replace("..", ".")
        return {"question": question, "figure": figure, "unit": unit, "sentence": sentence}

    def _answered(self, counted: dict[Class, int]) -> tuple[str, int, int]:
        """Return the share that worked, how many minutes are known, and in how many it failed."""
        known = self._minutes - counted[Class.NO_DATA]
        worked = counted[Class.WORKED]
        return (self._shapes.share(worked, known) if known else "–", known, known - worked)

    def _timeline(self, facts: TerminalFacts) -> dict[str, Any]:
        _, days = self._, self._days
        judged = facts.responsibility
        alt = _("A bar of time for each day; the table below has the same in figures.")
        sides = (by_day(judged.register, days), by_day(judged.submit, days))
        if len(days) <= DAY_ROWS_MAX:
            rows = [
                {
                    "label": self._shapes.day(day),
                    "register": drawn(register, begin, end),
                    "submit": drawn(submit, begin, end),
                }
                for (day, begin, end), register, submit in zip(days, *sides, strict=True)
            ]
            # What is not proven ends on page one, also where more is to be said of it.
            least = 3.0 if len(self._not_proven()) <= NOT_PROVEN_FEW else 2.4
            height = 7.0 if len(days) <= 10 else 4.0 if len(days) <= 20 else least
            return {"kind": "days", "rows": rows, "alt": alt, "height": height, "gap": height / 2}
        months: dict[tuple[int, int], list[dict[str, str] | None]] = {}
        for (day, _begin, _end), register, submit in zip(days, *sides, strict=True):
            cells = months.setdefault((day.year, day.month), [None] * 31)
            cells[day.day - 1] = {"register": worst(register), "submit": worst(submit)}
        named = [
            {"label": self._shapes.month(date(*month, 1)), "cells": cells}
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
            cells = [self._shapes.number(count) if count else "·" for count in counts]
            rows.append([self._shapes.day(day), *cells])
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
            (_("When"), self._shapes.between(one.begin, one.end)),
            (_("What"), words.affected_names(_)[one.affected]),
            (_("Proposed"), words.class_names(_)[one.of]),
            (_("Proven"), words.grade_names(_)[one.grade] if one.grade else "–"),
            (_("Supported by"), ", ".join(by)),
            (_("Stamps meanwhile"), self._shapes.number(one.stamps)),
            (_("Documents filed"), self._shapes.number(one.documents) if one.documents else ""),
            (_("What the probes said"), probes),
            (_("Rests on entries"), "\n".join(entries[:ENTRIES_MAX]) + (f" +{more}" * (more > 0))),
            (_("Name in the rows"), one.outage),
        ]
        return {
            "number": number,
            "class": one.of.value,
            "cause": known.get(one.cause, one.cause),
            "duration": self._shapes.duration(one.minutes),
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
                "times": self._shapes.number(times[key]),
                "minutes": self._shapes.duration(total),
            }
            for key, total in minutes.most_common()
        ]

    def _outages_sentence(self, facts: TerminalFacts) -> str:
        _ = self._
        if not facts.failures:
            return _("In this period nothing is known to have failed.")
        sentence = _("{count} times something did not work, each listed below.").format(
            count=self._shapes.number(len(facts.failures) + facts.failures_beyond)
        )
        if facts.failures_beyond:
            sentence += " " + _("Only the first {shown} are printed; the rows hold all.").format(
                shown=self._shapes.number(OUTAGES_MAX)
            )
        return sentence

    def _certificate(self, facts: TerminalFacts, counted: dict[Class, int]) -> dict[str, Any]:
        _ = self._
        names = words.class_names(_)
        split = [
            _("{what}: {length}").format(what=names[of], length=self._shapes.duration(count))
            for of, count in counted.items()
            if count
        ]
        lines = [
            *(
                _("Site: {site}, {address}").format(site=place.name, address=place.address)
                for place in facts.places
            ),
            _("Period: {period}").format(period=self._period()),
            _("Registering, minute by minute: {split}.")
            .format(split="; ".join(split))
            .replace("..", "."),
            _("Stamps made in this period: {count}.").format(
                count=self._shapes.number(facts.stamps)
            ),
            _("Its entries are complete up to {moment}.").format(
                moment=self._shapes.moment(facts.complete_to)
            )
            if facts.complete_to
            else _("Up to when its entries are complete can't be said."),
        ]
        return {"heading": _("Terminal {terminal}").format(terminal=facts.terminal), "lines": lines}

    def _not_proven(self) -> list[str]:
        _, report = self._, self._report
        said = [
            _("That a cable was not pulled on purpose: no log can show who did it."),
            _("Whose doing it was: what stands here is proposed from what the probes saw."),
        ]
        said += [
            _(
                "{name} cosigned the gateway's journal from outside, from {since} to {until}: what"
                " came before or after, and while it was away, is the employer's word (grade C)."
            ).format(
                name=one.name,
                since=self._shapes.moment(one.since),
                until=self._shapes.moment(one.until),
            )
            for one in report.witnesses
        ]
        if not report.witnesses:
            said.append(
                _("Independence: nobody outside cosigned; the employer's gateway is not a witness.")
            )
        if not report.stamped_by:
            said.append(_("The time by an outside authority: no time stamp is part of this."))
        if any(one.complete_to is None for one in report.terminals):
            said.append(_("Times of a terminal whose clock was never right."))
        return said + self._deleting.not_proven()

    def _check(self) -> list[str]:
        _ = self._
        return [
            _(
                "This page is a reading of the rows that lie beside it. Check the rows, not the"
                " page: the command below needs nothing but them and keys that you have from"
                " elsewhere. It also says whether this document fits the rows."
            )
        ]

    def _period(self) -> str:
        report = self._report
        return f"{self._shapes.between(report.begin, report.end)}, {report.zone.key}"

    def _share(self, minutes: int) -> str:
        return self._shapes.share(minutes, self._minutes) if minutes else "–"
