"""Parts of logs, tails that nobody cosigned, other cosigners, keys that follow one another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ciao import binding
from ciao.evidence import lines, writer
from ciao.evidence.lines import ClaimLine, EarlierLine, NoteLine, SegmentLine
from tests.ciao import examples
from tests.evidence.altering import edited, resigned
from tests.evidence.bundles import Memory, asked, rebuilt, soon, write
from tests.evidence.making import STRANGER, WITNESS, Twin, policy


def lived(minutes: int = 30) -> Twin:
    twin = Twin()
    twin.bind()
    twin.minutes(minutes)
    return twin


def part(twin: Twin, folder: Path) -> Memory:
    """Six minutes of half an hour."""
    write(twin, folder, asked(twin, soon(600), soon(960)))
    return Memory.read(folder)


def test_a_part_of_a_log_holds_without_what_lies_left_and_right_of_it(tmp_path: Path) -> None:
    memory = part(lived(), tmp_path / "b")
    (header,) = [line for line in memory.said if isinstance(line, SegmentLine)]
    assert 0 < header.first < header.end < 62
    assert len(memory.entries) < 24
    assert memory.failures() == set()
    assert memory.verified()[0].unknowns.keys() <= {"undated", "no_journal"}


def test_it_needs_no_more_entries_the_longer_the_log_is(tmp_path: Path) -> None:
    short = part(lived(30), tmp_path / "short")
    long = part(lived(300), tmp_path / "long")
    assert len(long.entries) == len(short.entries)


def test_a_checkpoint_that_the_first_rows_name_comes_with_its_proof(tmp_path: Path) -> None:
    twin = lived(10)
    # An hour without a receipt: heartbeats go on naming the last one.
    for _ in range(60):
        twin.wait(60).beat()
    twin.receipt(heard=False)
    twin.wait(60).beat()
    twin.receipt()
    twin.wait(60).beat()
    twin.receipt()
    twin.minutes(5)
    write(twin, tmp_path / "b", asked(twin, soon(4290), soon(4600)))
    memory = Memory.read(tmp_path / "b")
    at = next(i for i, line in enumerate(memory.said) if isinstance(line, EarlierLine))
    assert memory.failures() == set()
    earlier = memory.said[at]
    assert isinstance(earlier, EarlierLine)
    broken = memory.copy()
    broken.said[at] = EarlierLine(earlier.note, ["00" * 32, *earlier.proof[1:]])
    assert "proof" in broken.failures()
    del broken.said[at]
    assert broken.failures() == {"note_missing"}


def test_the_tail_that_nobody_cosigned_is_the_terminals_word_and_no_more(tmp_path: Path) -> None:
    twin = lived(5)
    twin.wait(20).tap("in")
    twin.log.claims = True
    write(twin, tmp_path / "b", asked(twin, claims=True))
    memory = Memory.read(tmp_path / "b")
    findings, _ = memory.verified()
    assert findings.failures == {}
    assert findings.unknowns["claimed"].count == 1
    edited_tail = memory.copy()
    edited_tail.entries[-1] = edited(memory.entries[-1], direction="out")
    assert edited_tail.failures() == {"root"}
    unsigned = memory.copy()
    unsigned.said = [line for line in memory.said if not isinstance(line, ClaimLine)]
    assert unsigned.failures() == {"beyond"}
    foreign = unsigned.copy()
    foreign.said.append(ClaimLine(examples.SIGNED_CHECKPOINT))
    assert "log_signature" in foreign.failures()


def test_a_tail_cannot_be_back_dated_either(tmp_path: Path) -> None:
    twin = lived(5)
    twin.tap("in", at=soon(0))
    twin.log.claims = True
    write(twin, tmp_path / "b", asked(twin, claims=True))
    assert Memory.read(tmp_path / "b").failures() == {"too_early"}


def test_a_log_that_nobody_cosigned_yet_says_nothing_for_sure(tmp_path: Path) -> None:
    twin = Twin()
    twin.bind()
    twin.tap("in")
    twin.log.claims = True
    write(twin, tmp_path / "b", asked(twin, claims=True, end=soon(60)))
    findings, terminals = Memory.read(tmp_path / "b").verified()
    assert findings.failures == {}
    assert terminals["hall-3"].stretch.end is None
    assert findings.unknowns["claimed"].count == 3


def test_a_life_with_its_own_signature_alone_is_vouched_for_by_nobody(tmp_path: Path) -> None:
    twin = Twin()
    twin.bind()
    for _ in range(3):
        twin.wait(60).tap("in")
        twin.beat()
        twin.receipt(STRANGER)
    write(twin, tmp_path / "b")
    memory = Memory.read(tmp_path / "b")
    assert "quorum" in memory.failures()
    assert "quorum" in resigned(memory, cosignatures=False).failures()


def test_the_quorum_is_the_verifiers_choice(tmp_path: Path) -> None:
    twin = Twin()
    twin.bind()
    for _ in range(3):
        twin.wait(60).tap("in")
        twin.beat()
        twin.receipt(examples.COSIGNER, WITNESS)
    write(twin, tmp_path / "b")
    memory = Memory.read(tmp_path / "b")
    for quorum in ("north", "outside", "all-of-them"):
        findings, terminals = memory.verified(policy(quorum))
        assert findings.failures == {}
        assert set(terminals["hall-3"].cosigners) == {"north", "outside"}


def test_a_binding_by_a_key_that_the_employers_key_named_holds(tmp_path: Path) -> None:
    twin = lived(3)
    write(twin, tmp_path / "b")
    fresh = binding.sign(examples.BINDING, examples.NEXT_PROVISIONING)
    path = tmp_path / "b" / lines.BINDINGS / f"{examples.BINDING_SHA256}.note"
    path.write_text(fresh)
    rebuilt(tmp_path / "b")
    memory = Memory.read(tmp_path / "b")
    assert "binding_signature" in memory.failures()
    memory.links = [examples.SUCCESSION]
    assert memory.failures() == set()


def test_names_with_formulas_markup_and_hidden_turns_stay_harmless_cells(tmp_path: Path) -> None:
    twin = lived(2)
    nasty = '=HYPERLINK("http://x")\u202e;<b>\u0007' + "long " * 40
    hidden = msgspec.structs.replace(
        examples.BINDING,
        serial=examples.BINDING.serial + 9,
        site=msgspec.structs.replace(examples.SITE, name=nasty),
    )
    note = binding.sign(hidden, examples.PROVISIONING)
    twin.bind(binding.digest(note))
    twin.minutes(2)
    terminal = twin.terminal
    terminal.bindings.append(note)
    bundle = writer.begin(tmp_path / "b", asked(twin))
    bundle.add_terminals([terminal])
    bundle.finish()
    shown = (tmp_path / "b" / lines.TABLE).read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in shown
    assert not set("\u202e\u0007") & set(shown)
    assert "\n=" not in shown
    assert ";=" not in shown
    assert Memory.read(tmp_path / "b").failures() == set()


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_the_table_and_what_explains_it_speak_the_language_asked_for(
    language: str, tmp_path: Path
) -> None:
    twin = lived(2)
    write(twin, tmp_path / "b", replace(asked(twin), lang=language))  # type: ignore[arg-type]
    assert Memory.read(tmp_path / "b").failures() == set()
    title = (tmp_path / "b" / lines.TABLE).read_text(encoding="utf-8-sig").splitlines()[0]
    expected = {"fr": "Heure", "nl": "Tijd", "de": "Zeit", "en": "Time"}
    assert expected[language] in title


def test_notes_of_one_size_may_be_two_cosigned_at_different_times(tmp_path: Path) -> None:
    twin = lived(2)
    twin.wait(5).receipt()
    write(twin, tmp_path / "b")
    memory = Memory.read(tmp_path / "b")
    sizes = [line.note.split("\n")[1] for line in memory.said if isinstance(line, NoteLine)]
    assert len(set(sizes)) < len(sizes)
    assert memory.failures() == set()
