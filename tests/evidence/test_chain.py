"""One log after the other: nothing is missing between them, and what is lost is said to be lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ciao import binding
from ciao.evidence.lines import ClaimLine, SegmentLine
from ciao.verifier.findings import Place, range_place
from ciao.verifier.named import Named
from ciao.verifier.policy import parse as parse_policy
from ciao.verifier.ranges import Ranges
from ciao.verifier.seen import Seen
from tests.ciao import examples
from tests.ciao.examples import TERMINAL
from tests.evidence.bundles import Memory, asked, write
from tests.evidence.making import SECOND_BINDING, START, WITNESS, Twin, ending
from tests.evidence.test_gateways import WITNESSED, Pair
from tests.evidence.test_parts import lived

Life = Callable[[Twin], None]


def claiming_all(twin: Twin, folder: Path) -> Memory:
    """A bundle by somebody who claims more than an honest exporter does, and leaves nothing out."""
    memory = Memory.read(folder)
    start = msgspec.structs.replace(memory.manifest.stretches[0], start=asked(twin).period.start)
    memory.manifest = msgspec.structs.replace(memory.manifest, stretches=[start])
    return memory


def forged(life: Life, folder: Path) -> Memory:
    twin = lived(3)
    life(twin)
    write(twin, folder)
    return claiming_all(twin, folder)


def _from_nothing(why: str) -> Life:
    def life(twin: Twin) -> None:
        twin.logs = []
        twin.begin(why)
        twin.minutes(3)

    return life


def _rolled_back_without_a_note(twin: Twin) -> None:
    said = ending(twin.log, twin.log.kept[-2].size)
    del said["note"]
    twin.begin("rolled_back", said)
    twin.minutes(2)


def _yearly_without_a_note(twin: Twin) -> None:
    said = ending(twin.log)
    del said["note"]
    twin.begin("yearly", said)
    twin.minutes(2)


def _replaced_by_a_log_of_no_size(twin: Twin) -> None:
    twin.begin("replaced", ending(twin.log) | {"size": 0, "root": "00" * 32})
    twin.minutes(2)


def _said_to_be_lost_later(twin: Twin) -> None:
    """What was not handed over is named as lost only when somebody asks for it."""
    twin.tap("in")
    before = twin.log
    twin.begin("damaged")
    twin.minutes(2)
    lost = {"origin": before.origin, "first": before.size - 1, "last": before.size - 1}
    twin.write("deletion", ranges=[lost], why="unreadable")
    twin.receipt()


def _others_lost_instead(twin: Twin) -> None:
    twin.tap("in")
    before = twin.log
    twin.begin("damaged")
    lost = {"origin": before.origin, "first": 0, "last": 50}
    lost["last"] = before.kept[-1].size - 1
    twin.write("deletion", ranges=[lost], why="unreadable")
    twin.minutes(2)


def _handed_over_twice_for_another(twin: Twin) -> None:
    twin.tap("in")
    twin.tap("out")
    before = twin.log
    twin.begin("damaged")
    twin.carry(before, before.size - 1)
    twin.carry(before, before.size - 1)
    twin.minutes(2)


def _taken_over_in_the_midst(twin: Twin) -> None:
    """A fresh stamp says that it was handed over, so that nobody holds its time to anything."""
    old = {"origin": twin.log.origin.rsplit("/", 1)[0] + "/00000000000000ff", "seq": 7}
    twin.tap("in", at=twin.now - timedelta(hours=2), carried=old)
    twin.receipt()


def _taken_over_by_a_planned_log(twin: Twin) -> None:
    before = twin.log
    twin.begin("yearly")
    twin.carry(before, before.size - 1)
    twin.minutes(2)


def _begun_in_the_midst(twin: Twin) -> None:
    """What was in force is forgotten at a beginning: so one is put before a stamp."""
    twin.wait(3600).beat()
    twin.receipt()
    twin.write("segment", why="damaged", firmware="0.1.0")
    second = binding.digest(SECOND_BINDING)
    twin.tap("in", binding=second, declaration="1Y1000003EQCZ")
    twin.receipt()


def _binding_switched_over_the_year(twin: Twin) -> None:
    twin.wait(3600).beat()
    twin.receipt()
    twin.begin("yearly")
    second = binding.digest(SECOND_BINDING)
    twin.tap("in", binding=second, declaration="1Y1000003EQCZ")
    twin.receipt()


def _back_dated_at_a_beginning(twin: Twin) -> None:
    """A log whose heartbeats never name anything would hold no time to anything."""
    twin.begin("yearly")
    twin.wait(600).tap("in", at=twin.now - timedelta(minutes=12))
    twin.receipt(heard=False)


def _two_follow_one(twin: Twin) -> None:
    said = ending(twin.log)
    twin.begin("yearly", said)
    twin.minutes(2)
    twin.begin("yearly", said)
    twin.minutes(2)


FORGED: dict[str, tuple[Life, str]] = {
    "all that was before is gone, as if by damage": (_from_nothing("damaged"), "predecessor"),
    "new hardware that replaces nothing": (_from_nothing("replaced"), "begins_anew"),
    "a roll-back that names no checkpoint": (_rolled_back_without_a_note, "predecessor"),
    "a planned log that names no checkpoint": (_yearly_without_a_note, "predecessor"),
    "new hardware that replaces a log of no size": (
        _replaced_by_a_log_of_no_size,
        "predecessor_root",
    ),
    "entries are named as lost afterwards": (_said_to_be_lost_later, "handed_over"),
    "other entries are named as lost": (_others_lost_instead, "handed_over"),
    "one entry is handed over for two": (_handed_over_twice_for_another, "handed_over"),
    "a fresh stamp says that it was handed over": (_taken_over_in_the_midst, "carried"),
    "a planned log takes something over": (_taken_over_by_a_planned_log, "carried"),
    "a beginning in the midst of a log": (_begun_in_the_midst, "leaf"),
    "another binding without a word in a new year": (
        _binding_switched_over_the_year,
        "binding_not_in_force",
    ),
    "a stamp is back-dated at a log's beginning": (_back_dated_at_a_beginning, "too_early"),
    "two logs follow one": (_two_follow_one, "branch"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_chain_is_named(name: str, tmp_path: Path) -> None:
    life, code = FORGED[name]
    assert forged(life, tmp_path / "b").failures() == {code}


def test_a_log_that_is_there_twice_counts_nothing_twice(tmp_path: Path) -> None:
    twin = lived(2)
    twin.begin("yearly")
    twin.minutes(2)
    write(twin, tmp_path / "b")
    memory = Memory.read(tmp_path / "b")
    assert memory.failures() == set()
    at = [i for i, line in enumerate(memory.said) if isinstance(line, SegmentLine)][-1]
    origin = twin.log.origin
    memory.said += memory.said[at:]
    memory.entries += [row for row in memory.entries if row.origin == origin]
    assert "form" in memory.failures()


def test_of_one_terminal_one_thing_is_claimed(tmp_path: Path) -> None:
    write(lived(2), tmp_path / "b")
    memory = Memory.read(tmp_path / "b")
    (stretch,) = memory.manifest.stretches
    shorter = msgspec.structs.replace(stretch, end=stretch.start)
    memory.manifest = msgspec.structs.replace(memory.manifest, stretches=[stretch, shorter])
    assert memory.failures() == {"form"}


def test_what_is_lost_with_a_damaged_log_is_said_to_be_lost(tmp_path: Path) -> None:
    twin = lived(3)
    twin.tap("in")
    before = twin.log
    twin.begin("damaged")
    at = before.size - 1
    lost = {"origin": before.origin, "first": at, "last": at}
    twin.write("deletion", ranges=[lost], why="unreadable")
    twin.minutes(2)
    write(twin, tmp_path / "b")
    findings, _ = Memory.read(tmp_path / "b").verified()
    assert findings.failures == {}
    assert findings.unknowns["unreadable"].places == [range_place(before.origin, at, at)]


def test_a_terminal_that_lost_everything_claims_no_more_than_it_can_show(tmp_path: Path) -> None:
    twin = lived(5)
    before, twin.logs = twin.logs, []
    twin.begin("damaged")
    twin.logs = [*before, twin.log]
    twin.minutes(3)
    write(twin, tmp_path / "b")
    memory = Memory.read(tmp_path / "b")
    findings, terminals = memory.verified()
    assert findings.failures == {}
    assert terminals[TERMINAL].logs == 1
    assert {"damage", "not_begun"} <= set(findings.unknowns)
    assert "predecessor" in claiming_all(twin, tmp_path / "b").failures()


def _lost_everything(pair: Pair) -> None:
    """The door's store is gone whole, and what it begins then knows of nothing before."""
    before, pair.door.logs = pair.door.logs, []
    pair.door.begin("damaged")
    pair.door.logs = [*before, pair.door.log]


def test_a_gateways_journal_shows_that_nothing_lay_before_damage(tmp_path: Path) -> None:
    pair = Pair()
    _lost_everything(pair)
    for _ in range(6):
        pair.minute()
    memory = pair.bundle(tmp_path / "b")
    findings, terminals = memory.verified()
    assert findings.failures == {}
    assert terminals[TERMINAL].logs == 2
    assert findings.unknowns["damage"].count == 1


def test_a_log_that_was_hidden_behind_damage_is_in_the_gateways_journal(tmp_path: Path) -> None:
    pair = Pair()
    whole = pair.door.logs
    pair.door.begin("yearly")
    for _ in range(6):
        pair.minute()
    pair.door.logs = [*whole[:1]]
    _lost_everything(pair)
    for _ in range(6):
        pair.minute()
    assert pair.bundle(tmp_path / "b").failures() == {"note_hidden"}


def test_a_gateways_journal_of_another_time_bridges_nothing(tmp_path: Path) -> None:
    pair = Pair()
    _lost_everything(pair)
    for _ in range(12):
        pair.minute()
    memory = pair.bundle(tmp_path / "b")
    assert memory.failures() == set()
    door, own = memory.manifest.stretches
    shorter = msgspec.structs.replace(own, end="2026-03-02T06:08:00.000+01:00")
    memory.manifest = msgspec.structs.replace(memory.manifest, stretches=[door, shorter])
    assert memory.failures() == {"predecessor"}
    later = msgspec.structs.replace(own, start="2026-03-02T06:01:00.000+01:00")
    memory.manifest = msgspec.structs.replace(memory.manifest, stretches=[door, later])
    assert "predecessor" in memory.failures()


def test_a_history_made_today_is_said_to_rest_on_its_own_word(tmp_path: Path) -> None:
    """A new log, dated as one wishes, in the place of what a terminal really wrote."""
    twin = Twin()
    twin.bind()
    for _ in range(5):
        twin.wait(60).tap("in")
    twin.now += timedelta(days=90)
    twin.receipt()
    write(twin, tmp_path / "b", asked(twin, end=START + timedelta(hours=1)))
    findings, _ = Memory.read(tmp_path / "b").verified()
    assert findings.unknowns["first"].places == [Place("log", {"origin": twin.log.origin})]
    assert findings.unknowns["undated"].count == twin.log.size
    assert "first" not in Pair().bundle(tmp_path / "c").verified()[0].unknowns


def test_a_witnessed_journal_must_tell_of_all_the_time_that_is_claimed(tmp_path: Path) -> None:
    asking = parse_policy(WITNESSED, "policy")
    pair = Pair(examples.COSIGNER, WITNESS)
    for _ in range(12):
        pair.minute()
    memory = pair.bundle(tmp_path / "b")
    assert memory.failures(asking) == set()
    door, own = memory.manifest.stretches
    shorter = msgspec.structs.replace(own, end="2026-03-02T06:08:00.000+01:00")
    memory.manifest = msgspec.structs.replace(memory.manifest, stretches=[door, shorter])
    assert memory.failures(asking) == {"journal"}
    # A journal that names none of this terminal's checkpoints is another gateway's.
    other = pair.own.log
    pair.own = Twin()
    pair.own.log = type(other)(other.signer)
    pair.own.logs = [pair.own.log]
    pair.own.write("segment", why="new", firmware="0.1.0")
    for _ in range(18):
        pair.own.wait(60).beat()
        pair.own.receipt(*pair.cosigners)
    assert pair.bundle(tmp_path / "other").failures(asking) == {"journal"}


def test_what_a_witnessed_journal_does_not_name_yet_is_said(tmp_path: Path) -> None:
    pair = Pair(examples.COSIGNER, WITNESS)
    pair.door.minutes(2)
    findings, _ = pair.bundle(tmp_path / "b").verified(parse_policy(WITNESSED, "policy"))
    assert findings.failures == {}
    assert findings.unknowns["unnamed"].places == [
        Place("count", {"terminal": TERMINAL, "count": 2})
    ]


def test_what_nobody_cosigned_is_not_counted_among_what_none_was_left_out_of(
    tmp_path: Path,
) -> None:
    twin = lived(4)
    twin.log.claims = True
    write(twin, tmp_path / "before", asked(twin, claims=True))
    twin.wait(20).tap("in")
    twin.tap("out")
    twin.write("refused", reason="random_uid")
    write(twin, tmp_path / "after", asked(twin, claims=True))
    before = Memory.read(tmp_path / "before").verified()[1][TERMINAL]
    memory = Memory.read(tmp_path / "after")
    assert any(isinstance(line, ClaimLine) for line in memory.said)
    findings, found = memory.verified()
    after = found[TERMINAL]
    assert findings.unknowns["claimed"].count == 3
    assert (after.entries, after.stamps.counted) == (before.entries, before.stamps.counted)
    assert after.stamps.sites == before.stamps.sites


def test_naming_the_oldest_of_many_checkpoints_costs_no_more_than_that_one() -> None:
    def cost_s(number: int) -> float:
        named = Named()
        every = [Seen(size, b"", f"{size:064x}", size, {}) for size in range(number)]
        for seen in every:
            named.add(seen)
        begun = time.process_time()
        for seen in every:
            assert named.name(seen.sha256) is seen
        assert len(named.kept) == 1
        return time.process_time() - begun

    assert min(cost_s(20_000) for _ in range(3)) < 10 * min(cost_s(4_000) for _ in range(3))


@pytest.mark.parametrize(
    ("covering", "left"),
    [
        ([], [(3, 9)]),
        ([(0, 20)], []),
        ([(3, 5), (6, 9)], []),
        ([(0, 3), (5, 5), (9, 12)], [(4, 4), (6, 8)]),
        ([(4, 4), (0, 2)], [(3, 3), (5, 9)]),
        ([(10, 20)], [(3, 9)]),
    ],
)
def test_what_ranges_leave_is_what_nobody_named(
    covering: list[tuple[int, int]], left: list[tuple[int, int]]
) -> None:
    mine, other = Ranges(), Ranges()
    mine.add("log", 3, 9)
    mine.add("log", 30, 31)
    for part in covering:
        other.add("log", *part)
    other.add("log", 30, 31)
    assert [(first, last) for _, first, last in mine.outside(other)] == left
