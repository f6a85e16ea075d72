"""The report's pages: every minute in one place, percentages that never flatter, any name."""

from __future__ import annotations

import subprocess
from dataclasses import replace
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
from gateway.report.facts import Details, Place, failures
from gateway.report.pages import DAY_ROWS_MAX, Report
from tests.house.source import ROOT
from tests.report.making import pages, report

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
    text = printed(report(1, 1, Place(name, name, (name,))), "de", tmp_path)
    assert "\x1b" not in text and "\u202e" not in text
    assert "Nachweisbericht" in text


def test_every_cause_has_words() -> None:
    assert {*CAUSES} <= words.cause_names(str).keys()


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "0 min"), (59, "59 min"), (65, "1 h 05"), (1501, "1 d 1 h 01")]
)
def test_a_duration_reads_the_same_in_every_language(minutes: int, said: str) -> None:
    assert words.duration(minutes) == said
