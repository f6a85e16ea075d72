"""A gateway's own journal in a bundle names what was cosigned, so nothing of that can be hidden."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ciao import certificate
from ciao.errors import BadInput
from ciao.evidence import writer
from ciao.evidence.lines import NoteLine
from ciao.evidence.source import Terminal
from ciao.journal.store import KeptNote, note_digest
from ciao.names import Origin, cosigner_name
from ciao.notes import COSIGNATURE_V1, Signer, parse
from ciao.reading import rfc3339
from ciao.verifier.policy import Policy
from ciao.verifier.policy import parse as parse_policy
from gateway.report.witnessing import witness_of
from tests.ciao import examples
from tests.ciao.examples import DOMAIN, GATEWAY, TERMINAL, signer
from tests.evidence.bundles import Memory, asked, write
from tests.evidence.making import POLICY_TEXT, START, STRANGER, WITNESS, Twin, TwinLog, policy

OWNER = f"gateway-{GATEWAY}"
WITNESSED = POLICY_TEXT + "journals outside\n"


class OwnLog(TwinLog):
    """A segment of a gateway's own journal, certified by the key that it cosigns with."""

    @property
    def certificate(self) -> str:
        return certificate.certify(_gateway(), self.signer.verifier())


def _gateway() -> Signer:
    return Signer(cosigner_name(DOMAIN, GATEWAY), examples.COSIGNER.private)


class Pair:
    """A terminal and the gateway that journals what it cosigned of it, minute by minute."""

    def __init__(self, *cosigners: Signer) -> None:
        self.cosigners = cosigners or (examples.COSIGNER,)
        self.door = Twin()
        self.own = Twin()
        self.own.log = OwnLog(signer(str(Origin(DOMAIN, OWNER, "0123456789abcdef"))))
        self.own.logs = [self.own.log]
        self.own.write("segment", why="new", firmware="0.1.0")
        self.door.bind()
        for _ in range(6):
            self.minute()

    def minute(self) -> None:
        self.door.minutes(1)
        self.own.now = self.door.now
        newest = self.door.log.kept[-1]
        self.own.beat(notes={TERMINAL: note_digest(newest.note)})
        self.own.receipt(*self.cosigners)

    def bundle(self, folder: Path) -> Memory:
        made = writer.begin(folder, asked(self.door))
        made.add_terminals([self.door.terminal, Terminal(OWNER, list(self.own.logs), [], [])])
        made.finish()
        return Memory.read(folder)


def test_a_gateways_journal_holds_by_the_key_that_bindings_name(tmp_path: Path) -> None:
    memory = Pair().bundle(tmp_path / "b")
    findings, terminals = memory.verified()
    assert findings.failures == {}
    assert set(terminals) == {TERMINAL, OWNER}


def test_a_checkpoint_that_no_heartbeat_of_the_terminal_names_is_missed_all_the_same(
    tmp_path: Path,
) -> None:
    pair = Pair()
    pair.door.wait(5).tap("in")
    pair.door.receipt(heard=False)
    pair.own.now = pair.door.now
    pair.own.beat(notes={TERMINAL: note_digest(pair.door.log.kept[-1].note)})
    pair.own.receipt()
    pair.minute()
    memory = pair.bundle(tmp_path / "b")
    assert memory.failures() == set()
    hidden = pair.door.log.kept[-2].note
    memory.said = [x for x in memory.said if not (isinstance(x, NoteLine) and x.note == hidden)]
    assert memory.failures() == {"note_hidden"}


def test_an_older_card_with_its_later_log_left_out_is_found_by_the_gateways_journal(
    tmp_path: Path,
) -> None:
    pair = Pair()
    whole = pair.door.log
    older = TwinLog(whole.signer)
    size = whole.kept[-3].size
    for row in whole.rows(0, size):
        older.append(row.leaf, row.payload)
    older.kept = whole.kept[:-2]
    pair.door.logs[-1] = pair.door.log = older
    pair.door.begin("yearly")
    pair.minute()
    memory = pair.bundle(tmp_path / "b")
    assert memory.failures() == {"note_hidden"}


def test_what_the_next_key_cosigns_anew_later_leaves_a_policy_of_before_valid(
    tmp_path: Path,
) -> None:
    """After a roll the last receipt of a terminal that is silent is given again (decision 24)."""
    pair = Pair()
    log = pair.door.log
    end = log.kept[-1]
    later = int((pair.door.now + timedelta(days=30)).timestamp())
    anew = STRANGER.cosign(parse(log.checkpoint(end.size)), later).encode()
    log.kept.insert(-1, KeptNote(log.origin, end.size, anew))
    assert pair.bundle(tmp_path / "b").failures() == set()


def test_an_outside_witness_is_asked_for_by_the_policy(tmp_path: Path) -> None:
    with_witness = Pair(examples.COSIGNER, WITNESS).bundle(tmp_path / "with")
    without = Pair().bundle(tmp_path / "without")
    asking: Policy = parse_policy(WITNESSED, "policy")
    assert with_witness.failures(asking) == set()
    assert without.failures(asking) == {"witness"}
    assert without.failures(policy()) == set()
    alone = Pair(examples.COSIGNER, WITNESS)
    write(alone.door, tmp_path / "alone")
    assert Memory.read(tmp_path / "alone").failures(asking) == {"journal"}
    pair = Pair(examples.COSIGNER, WITNESS)
    pair.cosigners = (examples.COSIGNER,)
    pair.minute()
    findings, _ = pair.bundle(tmp_path / "partly").verified(asking)
    assert findings.failures == {}
    assert findings.unknowns["unwitnessed"].count == 1


def test_a_journal_that_was_written_afterwards_and_witnessed_then_is_named(tmp_path: Path) -> None:
    pair = Pair(examples.COSIGNER, WITNESS)
    pair.door.wait(60).beat()
    pair.door.receipt()
    pair.own.now = pair.door.now
    pair.own.beat(notes={TERMINAL: note_digest(pair.door.log.kept[-1].note)})
    # The gateway says that it is now; its witness, asked a day later, says when it is.
    late = pair.own.now + timedelta(days=1)
    note = parse(pair.own.log.checkpoint())
    note = examples.COSIGNER.cosign(note, int(pair.own.now.timestamp()))
    note = WITNESS.cosign(note, int(late.timestamp()))
    log = pair.own.log
    log.kept.append(KeptNote(log.origin, log.size, note.encode()))
    asking = parse_policy(WITNESSED, "policy")
    assert pair.bundle(tmp_path / "b").failures(asking) == {"witness_time"}


def test_what_a_witness_cosigned_is_spans_in_which_it_never_was_away(tmp_path: Path) -> None:
    pair = Pair(examples.COSIGNER, WITNESS)
    pair.cosigners = (examples.COSIGNER,)
    for _ in range(11):
        pair.minute()
    pair.cosigners = (examples.COSIGNER, WITNESS)
    for _ in range(3):
        pair.minute()
    pair.bundle(tmp_path / "b")
    found = witness_of(tmp_path / "b", WITNESS.verifier(COSIGNATURE_V1))
    assert found is not None
    began = START.timestamp()
    assert found.spans == ((began + 60, began + 360), (began + 1080, began + 1200))
    # A terminal's checkpoints are not the gateway's journal, and another key is another witness.
    assert witness_of(tmp_path / "b", STRANGER.verifier(COSIGNATURE_V1)) is None
    door = Pair(examples.COSIGNER)
    door.door.receipt(examples.COSIGNER, WITNESS)
    door.bundle(tmp_path / "door")
    assert witness_of(tmp_path / "door", WITNESS.verifier(COSIGNATURE_V1)) is None


@pytest.mark.parametrize("line", ["journals nobody\n", "journals north\njournals outside\n"])
def test_a_policy_names_its_witnesses_once_and_above(line: str) -> None:
    with pytest.raises(BadInput):
        parse_policy(POLICY_TEXT + line, "policy")


def test_a_cosignature_of_after_its_keys_end_does_not_count(tmp_path: Path) -> None:
    pair = Pair()
    memory = pair.bundle(tmp_path / "b")
    ends = pair.door.now + timedelta(seconds=1)
    stands = parse_policy(f"{POLICY_TEXT}until north {rfc3339(ends)}\n", "policy")
    assert memory.failures(stands) == set()
    ended = rfc3339(ends - timedelta(minutes=3))
    assert "quorum" in memory.failures(parse_policy(f"{POLICY_TEXT}until north {ended}\n", "p"))


@pytest.mark.parametrize(
    "line", ["until nobody {0}", "until north {0}\nuntil north {0}", "until north 5"]
)
def test_a_policy_says_once_when_a_key_it_names_ended(line: str) -> None:
    with pytest.raises(BadInput):
        parse_policy(POLICY_TEXT + line.format("2026-03-02T06:00:00.000+01:00") + "\n", "policy")
