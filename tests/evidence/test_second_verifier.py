"""Another verifier, written from the pages alone, comes to the same verdict as ours."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from ciao.evidence import lines
from tests.evidence.attacks import ON_A_BUNDLE
from tests.evidence.bundles import Memory, asked, rebuilt, soon, write
from tests.evidence.lies import BY_A_LYING_TERMINAL
from tests.evidence.making import POLICY_TEXT, Twin, honest
from tests.evidence.second.verifier import verify
from tests.evidence.test_deletions import Deleted
from tests.evidence.test_files import codes
from tests.evidence.test_gateways import Pair

# What it doesn't judge.
BEYOND = {"table"}
JUDGED = {name: one for name, one in ON_A_BUNDLE.items() if one[1] not in BEYOND}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "b"
    write(honest(), folder)
    return folder


def saved(memory: Memory, like: Path, folder: Path) -> Path:
    """Write an altered bundle as a careful attacker does: table and manifest fit."""
    shutil.copytree(like, folder)
    for path in (folder / lines.BINDINGS).glob("*.note"):
        path.unlink()
    for name, note in memory.notes:
        (folder / lines.BINDINGS / name).write_text(note)
    files: dict[str, Sequence[msgspec.Struct]] = {
        lines.ROWS: memory.entries,
        lines.CHECKPOINTS: memory.said,
        lines.DELETIONS: memory.gone,
    }
    for name, said in files.items():
        if said or (folder / name).exists():
            (folder / name).write_bytes(b"".join(lines.encode(one) for one in said))
    (folder / "report.csv").write_bytes("".join(memory.table()).encode())
    (folder / lines.MANIFEST).write_bytes(lines.encode(memory.manifest))
    rebuilt(folder)
    return folder


def both(bundle: Path) -> tuple[set[str], set[str]]:
    """Return what either says, in the same words: the codes of the page."""
    return codes(bundle), verify(bundle, POLICY_TEXT)


def lived(twin: Twin) -> Twin:
    twin.bind()
    twin.minutes(3)
    return twin


def test_an_honest_bundle_holds_for_both_whatever_its_terminal_went_through(written: Path) -> None:
    assert both(written) == (set(), set())


@pytest.mark.parametrize("minute", range(0, 50, 10))
def test_an_honest_bundle_of_any_part_holds_for_both(minute: int, tmp_path: Path) -> None:
    twin = honest()
    write(twin, tmp_path / "b", asked(twin, soon(60 * minute), soon(60 * minute + 400)))
    assert both(tmp_path / "b") == (set(), set())


def test_what_gateways_and_terminals_export_holds_for_both(tmp_path: Path) -> None:
    Pair().bundle(tmp_path / "journal")
    assert (tmp_path / "journal" / lines.ROWS).read_text().count("gateway-") > 6
    Deleted().full(tmp_path / "deleted")
    assert (tmp_path / "deleted" / lines.DELETIONS).exists()
    twin = lived(Twin())
    twin.tap("in")
    twin.log.claims = True
    write(twin, tmp_path / "terminal", asked(twin, end=soon(170), claims=True))
    assert '"claim"' in (tmp_path / "terminal" / lines.CHECKPOINTS).read_text()
    for name in ("journal", "deleted", "terminal"):
        assert both(tmp_path / name) == (set(), set()), name


@pytest.mark.parametrize("name", JUDGED)
def test_both_name_an_attack_on_a_bundle(name: str, written: Path, tmp_path: Path) -> None:
    attack, code = JUDGED[name]
    for said in both(saved(attack(Memory.read(written)), written, tmp_path / "b")):
        assert code in said


@pytest.mark.parametrize("name", BY_A_LYING_TERMINAL)
def test_both_name_what_a_lying_terminal_had_cosigned(name: str, tmp_path: Path) -> None:
    life, code = BY_A_LYING_TERMINAL[name]
    twin = lived(Twin())
    life(twin)
    write(twin, tmp_path / "b")
    for said in both(tmp_path / "b"):
        assert code in said


def test_both_name_what_is_deleted_and_here_hidden_or_disclosed_unsaid(tmp_path: Path) -> None:
    pair = Deleted()
    pair.full(tmp_path / "deleted")
    memory = Memory.read(tmp_path / "deleted")
    (line,) = memory.gone
    unproven = memory.copy()
    unproven.gone = [msgspec.structs.replace(line, seq=line.seq - 1)]
    hidden = memory.copy()
    named = pair.door.log.kept[-1].note
    hidden.said = [one for one in memory.said if getattr(one, "note", None) != named]
    shut = memory.copy()
    shut.manifest = msgspec.structs.replace(memory.manifest, full=False)
    pair.first = pair.last + 1
    shown = pair.full(tmp_path / "shown")
    cases = {"deletion": unproven, "note_hidden": hidden, "opening": shut, "not_deleted": shown}
    for code, changed in cases.items():
        for said in both(saved(changed, tmp_path / "deleted", tmp_path / code)):
            assert code in said


def test_both_name_what_is_not_the_file_that_the_manifest_names(
    written: Path, tmp_path: Path
) -> None:
    def altered(name: str, content: bytes | None) -> tuple[set[str], set[str]]:
        folder = Path(shutil.copytree(written, tmp_path / str(len(list(tmp_path.iterdir())))))
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)
        return both(folder)

    for said in altered("README", None):
        assert "file_missing" in said
    for said in altered("README", b"other"):
        assert "file_altered" in said
    for said in altered("bindings/more", b"more"):
        assert "file_unnamed" in said


def test_each_checkpoint_dropped_or_swapped_leads_both_to_one_verdict(
    written: Path, tmp_path: Path
) -> None:
    memory = Memory.read(written)
    for index in range(0, len(memory.said), 3):
        dropped, swapped = memory.copy(), memory.copy()
        del dropped.said[index]
        swapped.said[index : index + 2] = swapped.said[index : index + 2][::-1]
        for name, changed in (("dropped", dropped), ("swapped", swapped)):
            ours, theirs = both(saved(changed, written, tmp_path / f"{name}{index}"))
            assert bool(ours) == bool(theirs), (name, index, ours, theirs)


def test_the_second_verifier_imports_nothing_of_the_project() -> None:
    for path in (Path(__file__).parent / "second").glob("*.py"):
        found = re.findall(r"^\s*(?:from|import) ([\w.]+)", path.read_text(), re.MULTILINE)
        own = [name for name in found if not name.startswith("tests.evidence.second")]
        rest = {name.split(".")[0] for name in own} - set(sys.stdlib_module_names)
        assert rest <= {"cryptography"}, path.name
