"""The report's pages: every minute in one place, percentages that never flatter, any name."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao import printing
from ciao.causes import CAUSES
from ciao.responsibility import Class, Responsibility, totals
from ciao.texts import LANGUAGES
from gateway.report import words
from gateway.report.facts import Details, failures
from gateway.report.pages import DAY_ROWS_MAX, Report
from gateway.report.places import Place
from gateway.report.shapes import Shapes
from tests.house.source import ROOT
from tests.report.making import BRUSSELS, PLACE, pages, report

TEMPLATE = ROOT / "gateway" / "report" / "report.typ"


def printed(of: Report, language: str, tmp_path: Path) -> str:
    """Print a report, and read its text back with another program."""
    path = tmp_path / "report.pdf"
    path.write_bytes(printing.pdf(TEMPLATE, pages(of, language).data(), of.made_at))
    line = ["pdftotext", "-layout", str(path), "-"]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_finds_the_answers_on_page_one_in_their_language(
    language: str, tmp_path: Path
) -> None:
    made = report(days=31, outages=20)
    first = printed(made, language, tmp_path).split("\f")[0]
    data = pages(made, language).data()
    for answer in data["terminals"][0]["answers"]:
        assert answer["question"] in first
        assert answer["figure"] in first
    assert data["texts"]["not_proven"] in first
    assert data["texts"]["proposed"] in first


@pytest.mark.parametrize(
    ("days", "outages"), [(1, 0), (7, 0), (31, 3), (DAY_ROWS_MAX + 1, 40), (365, 300)]
)
def test_every_length_and_any_number_of_outages_prints(
    days: int, outages: int, tmp_path: Path
) -> None:
    made = report(days, outages)
    text = printed(made, "fr", tmp_path)
    assert text.split("\f")[0].count("Hal Noord") == 1
    assert f"#{made.terminals[0].failures[-1].rests_on[0].first}" in text if outages else True


def test_several_terminals_of_a_site_stand_one_after_another(tmp_path: Path) -> None:
    text = printed(report(3, 5, terminals=("door-1", "door-2")), "nl", tmp_path)
    assert "Terminal door-1" in text and "Terminal door-2" in text


def test_the_first_page_of_several_sites_names_each_with_its_terminals_and_figures(
    tmp_path: Path,
) -> None:
    sites = [PLACE, Place("Hal Zuid", "Lange Nieuwstraat 117, 2000 Antwerpen", ("1Y1000003EQCZ",))]
    made = report(31, 9, sites, ("door-1", "door-2", "lift"))
    text = printed(made, "en", tmp_path)
    first, *rest = text.split("\f")
    assert "Evidence report: 2 sites" in first and "1Y1000NF9KCQZ, 1Y1000003EQCZ" in first
    for one in pages(made).data()["summary"]:
        (line,) = [row for row in first.splitlines() if row.strip().startswith(one["name"])]
        assert one["places"][0][0] in line and all(figure in line for figure in one["figures"])
    headings = (
        "Terminal door-1, Hal Noord",
        "Terminal door-2, Hal Zuid",
        "Terminal lift, Hal Noord",
    )
    assert all(any(heading in page for page in rest) for heading in headings)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("days", "outages"), [(31, 14), (365, 40)])
def test_what_is_not_proven_ends_on_the_first_page(
    days: int, outages: int, language: str, tmp_path: Path
) -> None:
    made = report(days, outages)
    first = printed(made, language, tmp_path).split("\f")[0]
    assert pages(made, language).data()["not_proven"][-1][:20] in first


@settings(max_examples=60, deadline=None)
@given(days=st.integers(1, 60), outages=st.integers(0, 40))
def test_each_minute_of_each_day_stands_in_exactly_one_column(days: int, outages: int) -> None:
    made = report(days, outages)
    data = pages(made).data()
    rows = data["terminals"][0]["ledger"]["rows"]
    assert len(rows) == days
    numbers = [[_minutes(cell) for cell in row[1:]] for row in rows]
    # The day on which the clocks change has 23 hours, and so has its row.
    lengths = {sum(row[:6]) for row in numbers}
    assert lengths <= {24 * 60, 23 * 60}
    for side, spans in (
        (slice(0, 6), made.terminals[0].responsibility.register),
        (slice(6, 12), made.terminals[0].responsibility.submit),
    ):
        columns = [sum(column) for column in zip(*(row[side] for row in numbers), strict=True)]
        assert columns == [totals(spans)[of] for of in Class]


def _minutes(cell: str) -> int:
    return 0 if cell == "·" else int(cell.replace(",", ""))


@settings(max_examples=60, deadline=None)
@given(days=st.integers(1, 60), outages=st.integers(1, 40))
def test_what_is_drawn_covers_each_day_once(days: int, outages: int) -> None:
    timeline = pages(report(days, outages)).data()["terminals"][0]["timeline"]
    if timeline["kind"] == "calendar":
        cells = [cell for row in timeline["rows"] for cell in row["cells"] if cell]
        assert len(cells) == days
        return
    for row in timeline["rows"]:
        for side in ("register", "submit"):
            edges = [(one["from"], one["to"]) for one in row[side]]
            assert edges[0][0] == 0.0 and edges[-1][1] == 1.0
            assert all(one[1] == two[0] for one, two in pairwise(edges))


def test_one_minute_in_a_year_is_never_rounded_to_all_of_it() -> None:
    made = report(365)
    facts = made.terminals[0]
    (whole,) = facts.responsibility.submit
    worked = replace(whole, minutes=whole.minutes - 1)
    failed = replace(whole, begin=worked.end, minutes=1, of=Class.ONSS, cause="onss_unavailable")
    judged = Responsibility((whole,), (worked, failed))
    told = replace(made, terminals=[replace(facts, responsibility=judged)])
    answers = pages(told).data()["terminals"][0]["answers"]
    assert [answer["figure"] for answer in answers] == ["100.00 %", "99.99 %"]


def test_a_time_without_data_is_not_called_an_outage() -> None:
    made = report(days=2)
    facts = made.terminals[0]
    unknown = replace(facts.responsibility.register[0], of=Class.NO_DATA, grade=None)
    judged = Responsibility((unknown,), (unknown,))
    found = tuple(failures(judged, Details()))
    told = replace(made, terminals=[replace(facts, responsibility=judged, failures=found)])
    data = pages(told).data()
    answer = data["terminals"][0]["answers"][0]
    assert (answer["figure"], answer["unit"]) == ("–", "nothing is known")
    assert data["terminals"][0]["outages_sentence"].startswith("In this period nothing")


@pytest.mark.parametrize(
    "name",
    [
        '#panic("x") *bold* $1$ <a> @b',
        "=cmd|' /C calc'!A0",
        "שלום \u202eevil\u202c \u0627\u0644",
        "Zeer lang " * 25,
        "\x1b[31mred\x00",
    ],
)
def test_any_name_of_a_site_prints_as_text(name: str, tmp_path: Path) -> None:
    text = printed(report(1, 1, [Place(name, name, (name,))]), "de", tmp_path)
    assert "\x1b" not in text and "\u202e" not in text
    assert "Nachweisbericht" in text


def test_every_cause_has_words() -> None:
    assert {*CAUSES} <= words.cause_names(str).keys()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "1 day 1 hr 5 mins"),
        ("fr", "1 j 1 h 5 min"),
        ("nl", "1 dag 1 uur 5 min"),
        ("de", "1 Tg. 1 Std. 5 Min."),
    ],
)
def test_a_length_of_time_is_written_as_its_language_writes_it(language: str, said: str) -> None:
    shapes = Shapes(language, BRUSSELS)
    assert shapes.duration(1505).replace("\u202f", " ").replace("\xa0", " ") == said
    assert shapes.duration(1440).startswith("1") and shapes.duration(1440).count("1") == 1
    assert shapes.duration(0).startswith("0")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "26 March 2026, 06:02 (+01:00)"),
        ("fr", "26 mars 2026, 06:02 (+01:00)"),
        ("nl", "26 maart 2026, 06:02 (+01:00)"),
        ("de", "26. März 2026, 06:02 (+01:00)"),
    ],
)
def test_a_moment_is_written_as_its_language_writes_it(language: str, said: str) -> None:
    assert Shapes(language, BRUSSELS).moment(datetime(2026, 3, 26, 5, 2, tzinfo=UTC)) == said


def test_an_outage_in_october_s_doubled_hour_says_which_of_the_two_it_is() -> None:
    """From 02:50 summer time to 02:10 winter time are twenty minutes."""
    begin = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    shapes = Shapes("en", BRUSSELS)
    across = shapes.between(begin, begin + timedelta(minutes=20))
    assert across == "25 October 2026, 02:50 (+02:00) – 02:10 (+01:00)"
    within = shapes.between(begin + timedelta(minutes=20), begin + timedelta(minutes=30))
    assert within == "25 October 2026, 02:10 – 02:20 (+01:00)"


def test_no_sentence_ends_in_two_points_after_a_shortened_unit() -> None:
    for made in (report(31, 14), report(31, 0)):
        (terminal,) = pages(made, "de").data()["terminals"]
        said = [one["sentence"] for one in terminal["answers"]] + terminal["certificate"]["lines"]
        assert not [line for line in said if ".." in line]
