"""Facts for reports: any mix of what can be, drawn by a seed, of any length."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ciao.entries import SeqRange
from ciao.responsibility import Class, Grade, Responsibility, Span
from ciao.texts import translations
from gateway.report.facts import Details, TerminalFacts, failures
from gateway.report.pages import Pages, Report
from gateway.report.places import Place

BRUSSELS = ZoneInfo("Europe/Brussels")
ORIGIN = "badges.example.be/ciao/door-1/6f1d2c3b4a5968778695a4b3c2d1e0f0"
PLACE = Place("Hal Noord", "Rue de l'Exemple 1, 1000 Bruxelles", ("1Y1000NF9KCQZ",))
CAUSES = (
    (Class.THIRD_PARTY, "isp_upstream"),
    (Class.ONSS, "onss_unavailable"),
    (Class.EMPLOYER, "local_link_down"),
    (Class.UNDETERMINED, "power_loss_unexplained"),
    (Class.UNDETERMINED, "a_cause_of_tomorrow"),
    (Class.NO_DATA, None),
)


def spans(begin: datetime, minutes: int, outages: int, seed: int) -> tuple[Span, ...]:
    """A side of a period: `outages` times, at most, something was not as it should be."""
    rng = random.Random(seed)
    found, at = [], 0
    for start in sorted(rng.sample(range(minutes), outages)):
        length = min(rng.choice((1, 3, 25, 90, 1500)), minutes - start)
        if start <= at or length < 1:
            continue
        found.append(_span(begin, at, start, Class.WORKED))
        of, cause = rng.choice(CAUSES)
        found.append(_span(begin, start, start + length, of, cause, rng.choice(list(Grade))))
        at = start + length
    if at < minutes:
        found.append(_span(begin, at, minutes, Class.WORKED))
    return tuple(found)


def _span(
    begin: datetime,
    start: int,
    end: int,
    of: Class,
    cause: str | None = None,
    grade: Grade = Grade.C,
) -> Span:
    return Span(
        begin + timedelta(minutes=start),
        end - start,
        of,
        cause,
        f"outage-{start}" if cause else None,
        None if of is Class.NO_DATA else grade,
        ("vantage",) if grade is not Grade.C else (),
        (SeqRange(ORIGIN, start, end - 1),),
    )


def report(
    days: int = 7,
    outages: int = 0,
    places: Sequence[Place] = (PLACE,),
    terminals: Sequence[str] = ("door-1",),
    begin: datetime = datetime(2026, 3, 26, tzinfo=BRUSSELS),
) -> Report:
    """A report over whole local days from `begin` on: the clocks change on 29 March."""
    first = begin.date() + timedelta(days=days)
    end = datetime(first.year, first.month, first.day, tzinfo=BRUSSELS).astimezone(UTC)
    start = begin.astimezone(UTC)
    minutes = round((end - start).total_seconds() / 60)
    told = []
    for number, name in enumerate(terminals):
        judged = Responsibility(
            spans(start, minutes, outages // 3, number), spans(start, minutes, outages, number + 9)
        )
        found = tuple(failures(judged, Details()))
        stood = tuple(places[number % len(places) :][:1])
        told.append(TerminalFacts(name, stood, judged, found, 0, 1234, end))
    made_at = datetime(2026, 4, 2, 9, tzinfo=BRUSSELS)
    return Report(told, start, end, BRUSSELS, made_at, "sha256 6f1d2c3b")


def pages(of: Report, language: str = "en") -> Pages:
    """The same report's pages, in a language."""
    return Pages(of, language, translations("gateway", language).gettext)
