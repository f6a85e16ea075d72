"""What was deleted stands in the report with its time and age, in four languages, on page one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ciao.entries import Deletion, SeqRange
from ciao.reading import ClockQuality, rfc3339
from ciao.texts import LANGUAGES
from gateway.report.deleted import Kept, Payloads, Sealed, WholeLog, payloads, said
from gateway.report.pages import Report
from tests.report.making import pages, report
from tests.report.test_pages import printed

ORIGIN = "badges.example.be/ciao/door-1/6f1d2c3b4a596877"
OTHER = "badges.example.be/ciao/door-2/6f1d2c3b4a596877"
START = datetime(2026, 3, 26, tzinfo=UTC)
LATER = START + timedelta(days=1830)


def entry(at: datetime, why: str, *ranges: tuple[str, int, int]) -> Deletion:
    return Deletion(
        v=1,
        seq=7,
        at=rfc3339(at),
        boot="7a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77",
        up_ms=1,
        clock=ClockQuality("ntp", True, 5),
        ranges=[SeqRange(*one) for one in ranges],
        why=why,
    )


def readings(count: int) -> Sealed:
    """One badge reading a day, of entries 0, 10, 20..."""
    sealed = Sealed()
    for day in range(count):
        sealed.add(day * 10, round((START + timedelta(days=day)).timestamp() * 1000))
    return sealed


def told(days: int = 31) -> Report:
    """A report with all that can be said of deletions."""
    gone = Payloads(ORIGIN, 12, 44012, 8123, LATER, LATER + timedelta(days=37), (1826, 1829))
    made = report(days, 5)
    first = replace(made.terminals[0], deleted=(gone,), lost=3)
    whole = [WholeLog(OTHER, 523_000, LATER)]
    return replace(made, terminals=[first], deleted=whole, kept=Kept(1826, 3653))


def test_each_reading_is_deleted_by_the_entry_that_names_it_and_lost_where_none_does() -> None:
    known = said(
        [
            entry(LATER, "retention", (ORIGIN, 0, 10), (OTHER, 0, 999)),
            entry(LATER + timedelta(days=2), "retention", (ORIGIN, 20, 39)),
            entry(LATER, "segment", (ORIGIN, 0, 999), (OTHER, 0, 41)),
        ]
    )
    period = readings(9).between(START + timedelta(days=1), START + timedelta(days=7))
    gone, lost = payloads(ORIGIN, period, known, {0, 10, 30, 40, 60, 80})
    assert gone == Payloads(ORIGIN, 10, 30, 3, LATER, LATER + timedelta(days=2), (1829, 1830))
    assert lost == 2, "40 and 60; 0 and 80 are of other days"
    assert [(one.terminal, one.entries) for one in known.whole] == [
        ("door-1", 1000),
        ("door-2", 42),
    ]


def test_where_nothing_is_gone_nothing_is_said() -> None:
    assert payloads(ORIGIN, readings(3).between(START, LATER), said([])) == (None, 0)
    assert pages(report(7)).data()["deleted"] is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("days", [7, 31, 365])
def test_what_is_gone_stands_on_page_one_and_with_its_proof_behind(
    language: str, days: int, tmp_path: Path
) -> None:
    made = told(days)
    text = printed(made, language, tmp_path)
    first, *rest = text.split("\f")
    behind = " ".join(" ".join(rest).split())
    data = pages(made, language).data()
    assert len(data["not_proven"]) == len(pages(report(days), language).data()["not_proven"]) + 3
    flat = "".join(first.split())
    for sentence in data["not_proven"]:
        assert "".join(sentence[:30].split()) in flat
    for words in ("deletions.jsonl", "payload_days", f"{ORIGIN} #12–44012", f"{OTHER} #0–522999"):
        assert words in behind
