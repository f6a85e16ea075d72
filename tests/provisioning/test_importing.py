"""People from a spreadsheet: all or nothing, every bad line named, the second time nothing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao.errors import BadInput
from provisioning.importing import columns, table
from tests.support.world import ACME, AGENCY, SSINS, UIDS, World

HEADER = ("niss", "name", "language", "kind", "company", "from", "badge")
PEOPLE = (
    (SSINS[0], "Example, Anna", "fr", "", "", "05/01/2026", UIDS[0]),
    (SSINS[1], "Example Bram", "nl", "agency", AGENCY, "2026-01-05", UIDS[1]),
    (SSINS[2], "Exämple Çelik", "tr", "employee", "", "5.1.2026", ""),
)


def written(tmp_path: Path, *rows: tuple[str, ...], separator: str = ";", mark: str = "") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerows(rows)
    path = tmp_path / "people.csv"
    path.write_bytes((mark + out.getvalue()).encode())
    return str(path)


def problems(world: World, file: str, *more: str) -> list[tuple[int, str, str]]:
    """Import what is bad; return line, column and reason of each, once nothing was done."""
    before = _state(world)
    result = world.run("import", file, "--json", *more, status=2)
    told = [line.split(":")[0] for line in result.stderr.splitlines()]
    assert told[-2:] == ["error", "hint"]
    assert _state(world) == before
    found = json.loads(result.stdout)["problems"]
    return [(one["line"], one["column"], one["why"]) for one in found]


def _state(world: World) -> list[Any]:
    with world.registry() as registry:
        tables = registry.store.db.table_names()
        return [registry.store.rows(f"SELECT * FROM {name}") for name in sorted(tables)]


@pytest.mark.parametrize(("separator", "mark"), [(";", "\ufeff"), (",", ""), ("\t", "sep=\t\r\n")])
def test_what_excel_writes_is_read(world: World, tmp_path: Path, separator: str, mark: str) -> None:
    file = written(tmp_path, HEADER, *PEOPLE, separator=separator, mark=mark)
    done = world.json("import", file)
    assert (done["employments"], done["badges"], done["problems"]) == (3, 2, [])
    people = world.json("employment", "list")
    assert [one["name"] for one in people] == [row[1] for row in PEOPLE]
    assert [one["initials"] for one in people] == ["EA", "EB", "EÇ"]
    assert [one["company"] for one in people] == [ACME, AGENCY, ACME]
    assert {one["from"] for one in people} == {"2026-01-05T00:00:00.000+01:00"}
    with world.registry() as registry:
        assert registry.version() == len(registry.store.rows("SELECT row FROM changes"))
        found = registry.resolve(registry.badge_hmac(bytes.fromhex(UIDS[1])), world.now)
        assert found is not None and found.ssin == SSINS[1]


def test_a_second_time_changes_nothing_and_says_so(world: World, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER, *PEOPLE)
    assert "added 3 employments and 2 badges" in world.run("import", file).stdout
    before = _state(world)
    assert world.run("import", file).stdout.startswith("nothing to do: all 3 lines")
    assert _state(world) == before
    more = written(tmp_path, HEADER, *PEOPLE[:2], (*PEOPLE[2][:6], UIDS[2]))
    assert "added 1 badge; 2 of 3 lines were there already" in world.run("import", more).stdout


def test_what_was_changed_since_is_not_brought_back(world: World, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER, *PEOPLE)
    world.run("import", file)
    world.run("badge", "revoke", "b1", "--why", "lost")
    world.run("employment", "end", "e3", "--at", "2026-03-31")
    world.run("employment", "change", "e1", "--from", "2026-04-01", "--company", AGENCY)
    assert world.run("import", file).stdout.startswith("nothing to do")


def test_a_dry_run_tells_the_same_and_does_nothing(world: World, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER, *PEOPLE)
    before = _state(world)
    result = world.run("import", file, "--dry-run")
    assert result.stdout.startswith("would add 3 employments and 2 badges")
    assert _state(world) == before


def test_every_bad_line_is_named_and_nothing_half_imported(world: World, tmp_path: Path) -> None:
    header = (*HEADER, "until", "employer")
    good = (*PEOPLE[0], "", "")
    bad = [
        ("00000000197", "A", "fr", "", "", "2026-01-05", "", "", ""),
        ("196", "A", "fr", "", "", "2026-01-05", "", "", ""),
        ("0000000196", "A", "fr", "", "", "2026-01-05", "", "", ""),
        (SSINS[1], "A", "french", "", "", "2026-01-05", "", "", ""),
        (SSINS[1], "A", "fr", "boss", "", "2026-01-05", "", "", ""),
        (SSINS[1], "A", "fr", "agency", "", "2026-01-05", "", "", ""),
        (SSINS[1], "A", "fr", "", "0123456748", "2026-01-05", "", "", ""),
        (SSINS[1], "A", "fr", "", "", "31/02/2026", "", "", ""),
        (SSINS[1], "A", "fr", "", "", "", "", "", ""),
        (SSINS[1], "A", "fr", "", "", "2026-01-05", "04A1", "", ""),
        (SSINS[1], "A", "fr", "", "", "2026-01-05", "4,12E+11", "", ""),
        (SSINS[1], "A", "fr", "", "", "2026-01-05", "", "2025-01-05", ""),
        (SSINS[1], "A", "fr", "", "", "2026-01-05", "", "", "nobody"),
        (SSINS[1], "=HYPERLINK(1)", "fr", "", "", "2026-01-05", "", "", ""),
        (SSINS[1], "a\nb", "fr", "", "", "2026-01-05", "", "", ""),
        (SSINS[1], "x" * 300, "fr", "", "", "2026-01-05", "", "", ""),
        (SSINS[1], "A", "fr", "", "", "2026-01-05", "", "", "", "more"),
        (SSINS[1], "", "fr", "", "", "2026-01-05", "", "", ""),
        (SSINS[1], "A", "fr", "", "", "2026-01-05", UIDS[0], "", ""),
        (SSINS[0], "Example, Anna", "fr", "", "", "2026-02-05", "", "", ""),
    ]
    found = problems(world, written(tmp_path, header, good, *bad))
    expected = [
        *("niss", "niss", "niss", "language", "kind", "company", "company", "from", "from"),
        *("badge", "badge", "until", "employer", "name", "name", "name", "-", "initials"),
        *("badge", "from"),
    ]
    assert [column for _, column, _ in found] == expected
    # the cell with a line break ends on the line after
    assert [line for line, _, _ in found] == [*range(3, 17), *range(18, 24)]
    assert "fewer than 11 digits" in found[2][2]
    assert "a spreadsheet made a number of it" in found[10][2]
    assert "with e" in found[-2][2] and "already: e" in found[-1][2]


def test_no_cell_is_repeated_where_a_column_has_slipped(world: World, tmp_path: Path) -> None:
    for place in range(1, len(HEADER)):
        row = list(PEOPLE[1])
        row[0], row[place] = PEOPLE[0][0], PEOPLE[1][0]
        file = written(tmp_path, HEADER, tuple(row))
        result = world.run("import", file, status=2 if place != 1 else 0)
        assert PEOPLE[1][0] not in result.output


def test_a_line_that_differs_is_bad_until_it_is_to_be_put_right(
    world: World, tmp_path: Path
) -> None:
    world.run("import", written(tmp_path, HEADER, *PEOPLE))
    header = (*HEADER, "until")
    row = (SSINS[0], "Married Anna", "nl", "", "", "2026-01-05", "", "30/06/2026")
    file = written(tmp_path, header, row)
    assert [one[:2] for one in problems(world, file)] == [(2, "name")]
    assert "updated 1 employment" in world.run("import", file, "--update").stdout
    record = world.json("employment", "show", "e1")
    assert (record["name"], record["language"]) == ("Married Anna", "nl")
    assert record["until"] == "2026-07-01T00:00:00.000+02:00"
    assert world.run("import", file).stdout.startswith("nothing to do")
    other = written(tmp_path, HEADER, (*PEOPLE[0][:3], "student", *PEOPLE[0][4:]))
    assert [one[:2] for one in problems(world, other, "--update")] == [(2, "kind")]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "is empty"),
        (b"\r\n;;\r\n", "is empty"),
        (b"niss;from\r\nJ\xe9r\xf4me;x", "line 2 is not in UTF-8"),
        ("niss;from\r\n".encode("utf-16"), "line 1 is not in UTF-8"),
        (b"niss;from\0", "no text"),
        (b'niss;from\r\n"open;x', "line 2 is no CSV"),
        (b"niss;shoe size;from", "'shoe size' is not known"),
        (b"niss;insz;from", "two columns are the niss"),
        (b"name;badge", "no column niss and no column from"),
        (b";".join([b"x"] * 41), "41 columns"),
        (b"sep=x\r\nniss;from", "something unusual"),
        (b"niss;from\n" + b"1;2\n" * 20_001, "more than 20000 lines"),
        (b"x" * (8 * 1024 * 1024 + 1), "8388609 bytes"),
    ],
)
def test_what_is_no_table_is_refused_in_two_lines(
    world: World, tmp_path: Path, content: bytes, error: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    result = world.run("import", str(path), status=2)
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and error in lines[0], lines
    assert "does not exist" in world.run("import", str(tmp_path / "none"), status=2).stderr


def test_the_template_imports(world: World, tmp_path: Path) -> None:
    path = tmp_path / "template.csv"
    path.write_bytes(world.run("import", "--template").stdout_bytes)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfniss;name;")
    assert world.json("import", str(path))["employments"] == 1


def test_columns_are_known_in_four_languages() -> None:
    for header in (
        "NISS;Nom;Langue;Employeur;Entreprise;Début;Fin;Badge",
        "INSZ;Naam;Taal;Werkgever;Onderneming;Begin;Einde;Badge",
        "niss;Naam;sprache;Arbeitgeber;Unternehmen;von;Ende;uid",
    ):
        assert len(columns.recognised(header.split(";"))) == 8


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    try:
        read = table.read(content)
    except BadInput:
        return
    assert len(read.lines) + len(read.problems) <= table.LINES_MAX
    for line in read.lines:
        assert all(cell.isprintable() and len(cell) <= 256 for cell in line.cells.values())


CELLS = st.sampled_from(
    ["", *SSINS, *UIDS, "2026-01-05", "05/01/2026", "AA", "fr", "agency", AGENCY, "acme", "x", "="]
) | st.text(max_size=12)


@pytest.fixture(scope="module")
def played(made: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    return made.copy(tmp_path_factory.mktemp("played") / "world")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[CELLS] * len(HEADER)), max_size=4))
def test_any_lines_go_in_whole_or_not_at_all_and_never_twice(
    played: World, rows: list[tuple[str, ...]]
) -> None:
    file = written(played.folder, HEADER, *rows)
    before = _state(played)
    first = _imported(played, file)
    after = _state(played)
    if first != 0:
        assert after == before
    assert _imported(played, file) == first
    assert _state(played) == after


def _imported(world: World, file: str) -> int:
    try:
        world.run("import", file)
    except AssertionError as refused:
        arguments, _, exception = refused.args[0]
        assert arguments[0] == "import" and isinstance(exception, SystemExit), refused
        return 2
    return 0
