"""Honest bundles hold; each attack fails, with the sentence that says what was done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ciao import canonical
from ciao.evidence.lines import NoteLine
from ciao.verifier.findings import Place
from ciao.verifier.sentences import FAILS
from tests.evidence import attacks
from tests.evidence.altering import edited, resigned, size_of
from tests.evidence.attacks import ON_A_BUNDLE
from tests.evidence.bundles import Memory, asked, disclosed, soon, write
from tests.evidence.lies import BY_A_LYING_TERMINAL
from tests.evidence.making import Twin, honest


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    folder = tmp_path_factory.mktemp("bundle")
    write(honest(), folder)
    return Memory.read(folder)


def test_an_honest_bundle_holds_whatever_its_terminal_went_through(whole: Memory) -> None:
    findings, terminals = whole.verified()
    assert findings.failures == {}
    expected = {"undated", "kind", "clock", "carried", "damage", "rolled_back", "gap"}
    expected |= {"wide", "no_journal", "unreadable", "first"}
    assert set(findings.unknowns) == expected
    counted = terminals["hall-3"].stamps.counted
    assert counted["outage_begin"] == 1
    assert terminals["hall-3"].logs == 4


@pytest.mark.parametrize("minute", range(0, 50, 3))
def test_an_honest_bundle_of_any_part_holds(minute: int, tmp_path: Path) -> None:
    twin = honest()
    write(twin, tmp_path / "b", asked(twin, soon(60 * minute), soon(60 * minute + 400)))
    assert Memory.read(tmp_path / "b").failures() == set()


@pytest.mark.parametrize("name", ON_A_BUNDLE)
def test_an_attack_on_a_bundle_is_named(name: str, whole: Memory) -> None:
    attack, code = ON_A_BUNDLE[name]
    assert code in attack(whole).failures()


@pytest.mark.parametrize("name", BY_A_LYING_TERMINAL)
def test_what_a_lying_terminal_had_cosigned_is_named(name: str, tmp_path: Path) -> None:
    life, code = BY_A_LYING_TERMINAL[name]
    twin = Twin()
    twin.bind()
    twin.minutes(3)
    write(twin, tmp_path / "before")
    assert Memory.read(tmp_path / "before").failures() == set()
    life(twin)
    write(twin, tmp_path / "after")
    assert code in Memory.read(tmp_path / "after").failures()


def test_a_tail_dropped_with_all_that_speaks_of_it_is_no_answer_to_who_asked_for_more(
    whole: Memory,
) -> None:
    cut = attacks.claimed_shorter(whole)
    assert cut.failures() == set()
    assert cut.failures(demand=attacks.UNTIL) == {"asked"}
    assert whole.failures(demand=attacks.UNTIL) == set()


def test_every_sentence_that_can_fail_is_shown_to_be_said() -> None:
    shown = {code for _, code in (*ON_A_BUNDLE.values(), *BY_A_LYING_TERMINAL.values())}
    elsewhere = {
        # test_files.py
        *("file_missing", "file_altered", "file_unnamed", "form"),
        # here, and test_parts.py
        *("asked", "proof"),
        # test_gateways.py
        *("note_hidden", "witness", "witness_time"),
        # test_chain.py
        *("branch", "journal"),
        # test_deletions.py
        *("deletion", "not_deleted"),
        # test_attachments.py
        *("stamp", "stamp_form", "stamp_note", "stamp_time"),
        *("report_form", "report_rows", "report_altered"),
    }
    assert shown | elsewhere == set(FAILS)


def _mutants(row: Any) -> Iterator[dict[str, Any]]:
    """Every way in which one field of an entry can say something else, or be gone, or be new."""
    said = canonical.decode(row.leaf.encode(), 4096)
    for path, value in _fields(said):
        yield _with(said, path, _other(value))
        if value is not said:
            yield _with(said, path, None)
    yield {**said, "more": "said"}


def _fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key), item
        if isinstance(item, dict | list):
            yield from _fields(item, (*path, key))


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value[:-1] + ("0" if value[-1:] != "0" else "1")
        case list():
            return [*value, "more"]
        case _:
            return {**value, "more": 1}


def _with(said: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(said))
    inside: Any = copied
    for key in path[:-1]:
        inside = inside[key]
    if value is None:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return copied


def test_each_field_of_each_kind_is_covered_by_what_was_cosigned(whole: Memory) -> None:
    kinds: dict[str, int] = {}
    for index, row in enumerate(whole.entries):
        kinds.setdefault(canonical.decode(row.leaf.encode(), 4096)["kind"], index)
    tried = 0
    for index in kinds.values():
        for said in _mutants(whole.entries[index]):
            changed = whole.copy()
            leaf = canonical.encode(said).decode()
            changed.entries[index] = msgspec.structs.replace(changed.entries[index], leaf=leaf)
            assert changed.failures() & {"root", "leaf"}, said
            tried += 1
    assert tried > 250
    assert len(kinds) >= 15


def test_each_entry_dropped_doubled_or_swapped_is_noticed(whole: Memory) -> None:
    for index in range(len(whole.entries)):
        dropped, doubled, swapped = whole.copy(), whole.copy(), whole.copy()
        del dropped.entries[index]
        doubled.entries.insert(index, doubled.entries[index])
        pair = swapped.entries[index : index + 2]
        swapped.entries[index : index + 2] = pair[::-1]
        assert dropped.failures() & {"row_order", "end"}, index
        assert doubled.failures() & {"row_order"}, index
        assert len(pair) < 2 or swapped.failures() & {"row_order", "end"}, index


def test_each_entry_edited_and_signed_again_by_the_owner_is_noticed(whole: Memory) -> None:
    for index, row in enumerate(whole.entries):
        changed = whole.copy()
        changed.entries[index] = edited(row, up_ms=1)
        assert "cosignature" in resigned(changed, cosignatures=True).failures(), index
        assert "quorum" in resigned(changed, cosignatures=False).failures(), index


def test_each_checkpoint_dropped_doubled_or_swapped_is_noticed_if_anything_rests_on_it(
    whole: Memory,
) -> None:
    loosened = 0
    for index, line in enumerate(whole.said):
        dropped, doubled, swapped = whole.copy(), whole.copy(), whole.copy()
        del dropped.said[index]
        doubled.said.insert(index, line)
        pair = swapped.said[index : index + 2]
        swapped.said[index : index + 2] = pair[::-1]
        assert doubled.failures(), index
        sizes = {size_of(one) for one in pair if isinstance(one, NoteLine)}
        alike = len(pair) == 2 and len(sizes) == 1 and all(isinstance(o, NoteLine) for o in pair)
        assert len(pair) < 2 or alike or swapped.failures(), index
        if not dropped.failures():
            # Nobody named it, and a later one covers the same entries: it proved nothing alone.
            assert isinstance(line, NoteLine)
            loosened += 1
    assert loosened < len(whole.said) / 2


def test_a_full_bundle_discloses_what_was_sealed_and_tells_deleted_from_lost(
    tmp_path: Path,
) -> None:
    twin = honest()

    def partly(origin: str, found: Any, row: Any) -> Any:
        if found.kind not in ("tap", "refused") or row.payload is None:
            return None, None
        if (origin, row.seq) <= (twin.logs[0].origin, 5) and origin == twin.logs[0].origin:
            return None, "deleted"
        if origin == twin.logs[1].origin:
            return (None, "lost") if row.seq < 4 else (None, "deleted")
        return disclosed(origin, found, row)

    write(twin, tmp_path / "full", asked(twin, disclose=partly))
    memory = Memory.read(tmp_path / "full")
    findings, terminals = memory.verified()
    assert findings.failures == {}
    # What the terminal says that it deleted is its own copy: of the gateway's nothing speaks.
    assert "deleted" not in findings.unknowns
    assert findings.unknowns["said_deleted"].count == 2
    own = memory.copy()
    own.manifest = msgspec.structs.replace(own.manifest, made_by="terminal")
    found, _ = own.verified()
    assert found.unknowns["deleted"].places[0].said.items() >= {"first": 3, "last": 5}.items()
    assert found.unknowns["said_deleted"].count == 1
    assert findings.unknowns["lost"].count >= 1
    assert terminals["hall-3"].stamps.counted["disclosed"] > 10


def test_of_a_stamp_that_its_owner_may_have_dated_within_a_long_silence_it_is_said(
    tmp_path: Path,
) -> None:
    twin = Twin()
    twin.bind()
    twin.minutes(3)
    write(twin, tmp_path / "close")
    assert "wide" not in Memory.read(tmp_path / "close").verified()[0].unknowns
    # Receipts come, and nothing that is written names them: then a stamp may say any time since.
    for _ in range(30):
        twin.wait(60).receipt(heard=False)
    twin.tap("in", at=twin.now - timedelta(minutes=25))
    twin.receipt()
    write(twin, tmp_path / "wide")
    findings, _ = Memory.read(tmp_path / "wide").verified()
    assert findings.failures == {}
    assert findings.unknowns["wide"].places == [
        Place("entry", {"origin": twin.log.origin, "seq": twin.log.size - 1})
    ]


def test_a_bundle_of_nothing_is_none(whole: Memory) -> None:
    empty = whole.copy()
    empty.manifest = msgspec.structs.replace(empty.manifest, stretches=[])
    empty.said, empty.entries = [], []
    assert empty.failures() == {"asked"}


def test_a_stretch_that_begins_later_than_was_asked_for_is_said(whole: Memory) -> None:
    later = whole.copy()
    (stretch,) = later.manifest.stretches
    stretch = msgspec.structs.replace(stretch, start="2026-03-02T06:35:00.000+01:00")
    later.manifest = msgspec.structs.replace(later.manifest, stretches=[stretch])
    findings, _ = later.verified()
    assert findings.failures == {}
    assert findings.unknowns["not_begun"].count == 1


@pytest.mark.parametrize("hidden", ["opening", "gone"])
def test_nothing_is_disclosed_or_gone_of_an_entry_that_sealed_nothing(
    hidden: str, whole: Memory
) -> None:
    at = next(i for i, row in enumerate(whole.entries) if '"heartbeat"' in row.leaf)
    said = {"opening": '{"uid":"04deadbeef"}', "gone": "deleted"}
    changed = whole.copy()
    changed.entries[at] = msgspec.structs.replace(changed.entries[at], **{hidden: said[hidden]})
    assert changed.failures() == {hidden}


def test_a_clock_that_claims_any_error_is_not_believed(tmp_path: Path) -> None:
    twin = Twin()
    twin.bind()
    twin.minutes(2)
    twin.error_ms, twin.off = 10**9, timedelta(hours=-1)
    twin.tap("in")
    twin.receipt()
    write(twin, tmp_path / "b")
    findings, _ = Memory.read(tmp_path / "b").verified()
    assert findings.failures == {}
    assert findings.unknowns["clock"].count == 1
