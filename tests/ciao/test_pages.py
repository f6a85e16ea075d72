"""docs/protocol and the code say the same: every field, every state, every example, every limit."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest

from ciao import binding, entries, opening, roster, sealing, wire
from ciao.notes import NOTE_SIZE_MAX, SIGNATURES_MAX
from ciao.registration import TRANSITIONS, State
from tests.ciao import pages

PAGE = {path.name: path.read_text(encoding="utf-8") for path in pages.PAGES.glob("*.md")}
STRUCTS: dict[str, list[Any]] = {
    "entry.md": [
        *get_args(entries.Entry),
        entries.Clock,
        entries.Carried,
        entries.Previous,
        entries.SeqRange,
    ],
    "payload.md": [opening.Opening],
    "batch.md": [
        wire.Batch,
        wire.Receipt,
        wire.Hint,
        wire.ResendFrom,
        wire.Refusal,
        wire.Outcomes,
        wire.Outcome,
        wire.Online,
        wire.GatewayOnline,
    ],
    "binding.md": [
        binding.Binding,
        binding.Bindings,
        binding.Site,
        binding.SiteAddress,
        binding.SiteCoordinates,
        binding.Declaration,
        binding.GatewayKeys,
        binding.Lateness,
    ],
    "roster.md": [roster.Roster, roster.Holder],
}


def rows(page: str) -> list[list[str]]:
    """The rows of every table of a page, as cells."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names(cell: str) -> set[str]:
    """The fields that the first cell of a row names: the last part of each dotted name."""
    return {name.rpartition(".")[2] for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize(
    ("page", "struct"),
    [(page, struct) for page, structs in STRUCTS.items() for struct in structs],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_field_has_its_row(page: str, struct: Any) -> None:
    listed = set().union(*(names(row[0]) for row in rows(PAGE[page])))
    prose = set(re.findall(r"^`([a-z]+)`: ", PAGE[page], re.MULTILINE))
    for field in msgspec.structs.fields(struct):
        assert field.encode_name in listed | prose, f"{struct.__name__}.{field.encode_name}"
    if struct.__struct_config__.tag_field:
        assert struct.__struct_config__.tag_field in listed


@pytest.mark.parametrize("page", STRUCTS)
def test_every_row_is_of_a_field_that_exists(page: str) -> None:
    known = {
        field.encode_name for struct in STRUCTS[page] for field in msgspec.structs.fields(struct)
    } | {"kind"}
    for table in re.findall(r"^\| field \|.*?(?=^$|\Z)", PAGE[page], re.MULTILINE | re.DOTALL):
        for row in rows(table)[1:]:
            if not set(row[0]) <= {"-", "|"}:
                assert names(row[0]) <= known, row[0]


def test_an_optional_field_is_marked_so() -> None:
    """In the tables of entries, where a wrong mark would make unreadable leaves."""
    optional = {
        field.encode_name
        for struct in STRUCTS["entry.md"]
        for field in msgspec.structs.fields(struct)
        if not field.required
    }
    required = {
        field.encode_name
        for struct in STRUCTS["entry.md"]
        for field in msgspec.structs.fields(struct)
        if field.required
    }
    marked: set[str] = set()
    unmarked: set[str] = set()
    for row in rows(PAGE["entry.md"]):
        (marked if row[0].endswith("?") else unmarked).update(names(row[0]))
    assert optional <= marked
    assert required & marked <= optional
    assert required <= unmarked | optional


def test_every_kind_has_its_heading() -> None:
    headings = " ".join(re.findall(r"^## (.*)$", PAGE["entry.md"], re.MULTILINE))
    for kind in entries.KINDS:
        assert f"`{kind}`" in headings


def closed_sets() -> list[tuple[str, Any]]:
    return [
        ("entry.md", entries.SegmentReason),
        ("segment.md", entries.SegmentReason),
        ("entry.md", entries.RefusalReason),
        ("entry.md", entries.Affected),
        ("batch.md", wire.BatchRefusal),
    ]


@pytest.mark.parametrize(("page", "values"), closed_sets())
def test_every_value_of_a_closed_set_is_named(page: str, values: Any) -> None:
    for value in get_args(values):
        assert f"`{value}`" in PAGE[page]


def test_the_documented_states_are_the_table_of_transitions() -> None:
    documented = {
        row[0].strip("`"): set(re.findall(r"`([a-z]+)`", row[2]))
        for row in rows(PAGE["states.md"])
        if row[0].startswith("`")
    }
    assert documented == {
        state.value: {after.value for after in following}
        for state, following in TRANSITIONS.items()
    }
    assert next(iter(documented)) == State.RECORDED


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("entry.md", f"at most {entries.LEAF_SIZE_MAX} bytes"),
        ("entry.md", f"at most {entries.LEAF_SIZE_MAX - entries.CARRIED_ROOM} bytes"),
        ("payload.md", f"at most {sealing.SEALED_SIZE_MAX} bytes"),
        ("payload.md", f"at most {opening.OPENING_SIZE_MAX} bytes"),
        ("batch.md", f"1 to {wire.BATCH_ENTRIES_MAX} texts"),
        ("batch.md", f"at most {wire.BATCH_ENTRIES_MAX + 1} texts"),
        ("batch.md", f"1 to {wire.OUTCOMES_MAX} objects"),
        ("batch.md", f"A batch is at most {wire.BATCH_SIZE_MAX // 1024} KiB"),
        ("batch.md", f"any other message {wire.MESSAGE_SIZE_MAX // 1024} KiB"),
        ("batch.md", f"a roster about {roster.SEALED_ROSTER_MAX // 1024} KiB"),
        ("binding.md", f"at most {binding.BUNDLE_SIZE_MAX // 1024} KiB"),
        ("binding.md", f"at most {binding.MESSAGE_SIZE_MAX // 1024} KiB"),
        ("roster.md", f"at most {roster.ROSTER_SIZE_MAX // 1024} KiB"),
        ("checkpoint.md", f"at most {NOTE_SIZE_MAX // 1024} KiB"),
        ("checkpoint.md", f"1 to {SIGNATURES_MAX} signature lines"),
    ],
)
def test_limits_are_those_of_the_code(page: str, said: str) -> None:
    assert said in PAGE[page]


@pytest.mark.parametrize("page", sorted(PAGE))
def test_examples_are_what_the_code_makes_today(page: str) -> None:
    assert PAGE[page] == pages.filled(PAGE[page]), "run: python -m tests.ciao.pages"


def test_every_example_is_shown_once() -> None:
    shown = [name for page in PAGE.values() for name in pages.names_in(page)]
    assert sorted(shown) == sorted(pages.EXAMPLES)


def test_every_page_of_the_protocol_is_in_the_index_and_shows_an_example() -> None:
    for name, page in PAGE.items():
        if name != "README.md":
            assert f"({name})" in PAGE["README.md"]
        # The service's own form is not ours to show, and a table is its own example.
        if name not in ("README.md", "onss.md", "reasons.md", "causes.md", "correction.md"):
            assert pages.names_in(page), f"{name} has no example"
    for linked in re.findall(r"\]\(([a-z]+\.md)\)", "".join(PAGE.values())):
        assert linked in PAGE
