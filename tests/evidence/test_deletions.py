"""What a gateway's own journal says was deleted is told apart from what is lost, and from lies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ciao.evidence import writer
from ciao.evidence.lines import DeletionLine
from ciao.evidence.source import Terminal
from ciao.tree import inclusion_proof
from ciao.verifier.sentences import UNKNOWN
from ciao.verifier.words import Speech
from gateway.evidence.attaching import add_deletions
from tests.ciao.examples import DOMAIN, TERMINAL, signer
from tests.evidence.bundles import Memory, asked, disclosed
from tests.evidence.making import START, TwinLog
from tests.evidence.test_gateways import OWNER, Pair
from tests.evidence.test_gateways import OwnLog as GatewaysLog

ENGLISH = Speech("en")
LATER = timedelta(days=1826)
Change = Callable[[Memory], Memory]


class Deleted(Pair):
    """A pair of which the gateway deleted some payloads, five years later."""

    def __init__(self, first: int = 4, last: int = 8) -> None:
        super().__init__()
        self.first, self.last, self.end = first, last, self.door.now
        self.own.now = self.door.now + LATER
        ranges = [{"origin": self.door.log.origin, "first": first, "last": last}]
        self.place = (self.own.log.origin, self.own.log.size)
        self.own.write("deletion", ranges=ranges, why="retention")
        self.own.receipt()

    def disclose(self, origin: str, found: Any, row: Any) -> Any:
        if found.kind in ("tap", "refused") and self.first <= row.seq <= self.last:
            return None, "deleted"
        return disclosed(origin, found, row)

    def full(self, folder: Path, *, says: bool = True) -> Memory:
        """The bundle of the first minutes, made after the deletion."""
        how = asked(self.door, end=self.end, disclose=self.disclose)
        made = writer.begin(folder, how)
        made.add_terminals([self.door.terminal, Terminal(OWNER, list(self.own.logs), [], [])])
        if says:
            assert add_deletions(made, self.own.logs, [self.place]) == 1
        made.finish()
        return Memory.read(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    return Deleted().full(tmp_path_factory.mktemp("deletions") / "b")


def test_what_was_deleted_is_said_with_its_day_and_the_rest_holds(whole: Memory) -> None:
    findings, terminals = whole.verified()
    assert findings.failures == {}
    assert "lost" not in findings.unknowns and "said_deleted" not in findings.unknowns
    (place,) = findings.unknowns["deleted"].places
    assert "entries 4 to 8, deleted on 2031-03-02 06:06" in ENGLISH.place(place)
    assert terminals[TERMINAL].stamps.counted["disclosed"] > 0


def test_without_an_entry_it_is_lost_but_for_the_exporters_word(tmp_path: Path) -> None:
    findings, _ = Deleted().full(tmp_path / "b", says=False).verified()
    assert findings.failures == {}
    (place,) = findings.unknowns["said_deleted"].places
    assert ENGLISH.place(place).endswith("entries 4 to 8")
    assert "lost" in UNKNOWN["said_deleted"]


def test_of_more_than_the_entry_names_nothing_speaks(tmp_path: Path) -> None:
    pair = Deleted(4, 5)
    pair.last = 8
    findings, _ = pair.full(tmp_path / "b").verified()
    assert findings.failures == {}
    (place,) = findings.unknowns["said_deleted"].places
    assert ENGLISH.place(place).endswith("entries 6 to 8")


def test_what_is_said_to_be_deleted_and_is_disclosed_is_found(tmp_path: Path) -> None:
    pair = Deleted()
    pair.first = pair.last + 1
    assert pair.full(tmp_path / "b").failures() == {"not_deleted"}


def test_a_log_that_is_said_to_be_deleted_whole_and_is_here_is_found(tmp_path: Path) -> None:
    pair = Deleted()
    ranges = [{"origin": pair.door.log.origin, "first": 0, "last": pair.door.log.size - 1}]
    pair.place = (pair.own.log.origin, pair.own.log.size)
    pair.own.write("deletion", ranges=ranges, why="segment")
    pair.own.receipt()
    pair.first = pair.last + 1
    assert pair.full(tmp_path / "b").failures() == {"not_deleted"}


def test_a_log_deleted_whole_is_said_and_what_follows_it_holds(tmp_path: Path) -> None:
    pair = Pair()
    before = pair.door.log
    pair.door.begin("yearly")
    first = pair.door.log
    for _ in range(3):
        pair.minute()
    ranges = [{"origin": before.origin, "first": 0, "last": before.size - 1}]
    place = (pair.own.log.origin, pair.own.log.size)
    pair.own.write("deletion", ranges=ranges, why="segment")
    pair.own.receipt()
    pair.door.logs = [first]
    since = START + timedelta(seconds=round((pair.door.now - START).total_seconds()) - 120)
    for begins, failing in ((since, set()), (None, {"predecessor", "note_hidden"})):
        made = writer.begin(tmp_path / f"b{len(failing)}", asked(pair.door))
        door = having(pair.door.terminal, since=begins)
        made.add_terminals([door, Terminal(OWNER, list(pair.own.logs), [], [])])
        add_deletions(made, pair.own.logs, [place])
        made.finish()
        memory = Memory.read(tmp_path / f"b{len(failing)}")
        findings, _ = memory.verified()
        assert set(findings.failures) == failing
        assert findings.unknowns["deleted_log"].places[0].said["origin"] == before.origin
        assert ("not_begun" in findings.unknowns) == (begins is not None)


def having(terminal: Terminal, **changed: Any) -> Terminal:
    fields = {name: getattr(terminal, name) for name in Terminal.__dataclass_fields__}
    return Terminal(**{**fields, **changed})


def _line(memory: Memory, **changed: Any) -> Memory:
    altered = memory.copy()
    altered.gone = [msgspec.structs.replace(altered.gone[0], **changed)]
    return altered


def _leaf(memory: Memory, old: str, new: str) -> Memory:
    assert old in memory.gone[0].leaf
    return _line(memory, leaf=memory.gone[0].leaf.replace(old, new))


ATTACKS: dict[str, Change] = {
    "its range is longer": lambda m: _leaf(m, '"last":8', '"last":9'),
    "it is of another log": lambda m: _leaf(m, f"/{TERMINAL}/", "/hall-4/"),
    "it was another day": lambda m: _leaf(m, '"at":"2031', '"at":"2030'),
    "it stands elsewhere": lambda m: _line(m, seq=m.gone[0].seq - 1),
    "it is below another checkpoint": lambda m: _line(m, note=m.said[1].note),  # type: ignore[union-attr]
    "its proof is cut": lambda m: _line(m, proof=m.gone[0].proof[:-1]),
    "its proof is none": lambda m: _line(m, proof=[]),
    "its key is another's": lambda m: _line(m, certificate=m.gone[0].note),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_deletion_that_was_altered_counts_for_nothing(attack: str, whole: Memory) -> None:
    findings, _ = ATTACKS[attack](whole).verified()
    assert set(findings.failures) == {"deletion"}
    assert "said_deleted" in findings.unknowns


def _forged(log: TwinLog, seq: int) -> DeletionLine:
    note = next(note for note in log.kept if note.size > seq)
    path = [part.hex() for part in inclusion_proof(seq, note.size, log.subtree)]
    return DeletionLine(log.certificate, note.note, seq, log.leaves[seq].decode(), path)


def test_a_terminal_cannot_say_what_the_gateway_deleted(tmp_path: Path) -> None:
    pair = Deleted()
    ranges = [{"origin": pair.door.log.origin, "first": 4, "last": 8}]
    seq = pair.door.log.size
    pair.door.write("deletion", ranges=ranges, why="retention")
    pair.door.receipt()
    pair.end = pair.door.now
    memory = pair.full(tmp_path / "b", says=False)
    assert memory.failures() == set()
    assert "said_deleted" in memory.verified()[0].unknowns, "its own copy alone"
    memory.gone = [_forged(pair.door.log, seq)]
    assert memory.failures() == {"deletion"}


def test_a_gateway_cannot_speak_of_a_terminal_that_is_another_gateways(tmp_path: Path) -> None:
    pair = Deleted()
    memory = pair.full(tmp_path / "b")
    stranger = GatewaysLog(signer(f"{DOMAIN}/ciao/gateway-south/0123456789abcdef"))
    for leaf in pair.own.log.leaves:
        stranger.append(leaf)
    stranger.kept = list(pair.own.log.kept)
    memory.gone = [_forged(stranger, pair.place[1])]
    assert memory.failures() == {"deletion"}


def test_a_deletion_that_nobody_has_cosigned_yet_is_left_out(tmp_path: Path) -> None:
    pair = Deleted()
    pair.own.log.kept.pop()
    made = writer.begin(tmp_path / "b", asked(pair.door, end=pair.end))
    assert add_deletions(made, pair.own.logs, [pair.place]) == 0
