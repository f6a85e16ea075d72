"""A bundle made of a real ledger and journal after a deletion: it holds, and says what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ciao import binding
from ciao.evidence import writer
from ciao.evidence.source import Terminal
from ciao.evidence.writer import Asked
from ciao.journal.archive import archives
from ciao.notes import COSIGNATURE_V1
from ciao.verifier.bundle import Bundle
from ciao.verifier.findings import Findings
from ciao.verifier.policy import parse
from ciao.verifier.verify import Demand, verify
from ciao.verifier.words import Speech
from gateway.evidence.attaching import add_deletions
from gateway.evidence.disclosing import Disclosing
from gateway.ledger.evidence import deletions_said, is_deleted, logs_of, open_to_read
from tests.gateway import twins
from tests.gateway.test_retention import YEARS_5, Keeper
from tests.gateway.twins import UID_ANN, UID_BEN, Journal, Papers
from tests.gateway.world import TERMINAL

PROVISIONING = twins.signer("badges.example.be/ciao/provisioning/shiny")
NOTE = binding.sign(twins.bound(TERMINAL), PROVISIONING)
POLICY = f"""witness north {twins.COSIGNER.verifier(COSIGNATURE_V1)}
quorum north
provisioning {PROVISIONING.verifier()}
"""


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path)
    yield keeper
    keeper.close()


def stamped(keeper: Keeper) -> None:
    digest = binding.digest(NOTE)
    keeper.world.people.bundles[digest] = twins.bound(TERMINAL)
    papers = Papers(twins.enrolled(TERMINAL), twins.HPKE_PUBLIC, digest)
    journal = Journal(TERMINAL, papers=papers)
    journal.segment()
    journal.tap(UID_ANN, 1, "in")
    journal.tap(UID_BEN, 2, "in")
    keeper.world.run(journal.message(), seconds=5)


def exported(keeper: Keeper, folder: Path) -> Findings:
    """Export the first minutes as the command does, and verify what came."""
    end = twins.START + timedelta(minutes=5)
    own, _ = archives(keeper.folder / "journal")
    with closing(open_to_read(keeper.world.path)) as db:
        disclose = Disclosing(twins.OPENERS, partial(is_deleted, db))
        asked = Asked(twins.START, end, end, "gateway", "en", disclose=disclose)
        bundle = writer.begin(folder, asked)
        door = Terminal(TERMINAL, list(logs_of(db, TERMINAL)), [NOTE], [])
        bundle.add_terminals([door, Terminal("gateway-north", list(own), [], [])])
        add_deletions(bundle, own, deletions_said(db, bundle.parts, [TERMINAL]))
        bundle.finish()
    for archive in own:
        archive.close()
    findings = Findings()
    with closing(Bundle(folder, findings, lambda _: None)) as opened:
        opened.check_files()
        verify(opened, parse(POLICY, "policy"), Demand(), findings)
        assert opened.attachments() == [], "deletions.jsonl is read, not passed over"
    return findings


def test_before_a_deletion_all_is_disclosed_and_after_it_what_was_deleted_is_said(
    keeper: Keeper, tmp_path: Path
) -> None:
    stamped(keeper)
    keeper.wait(1)
    before = exported(keeper, tmp_path / "before")
    assert before.failures == {}
    assert not {"deleted", "lost", "said_deleted"} & before.unknowns.keys()
    keeper.wait(YEARS_5)
    after = exported(keeper, tmp_path / "after")
    assert after.failures == {}
    assert not {"lost", "said_deleted"} & after.unknowns.keys()
    (place,) = after.unknowns["deleted"].places
    assert "entries 1 to 2, deleted on 2031-03-" in Speech("en").place(place)


def test_what_is_gone_without_having_been_deleted_is_lost(keeper: Keeper, tmp_path: Path) -> None:
    stamped(keeper)
    keeper.wait(1)
    keeper.world.query("DROP TRIGGER entry_never_update")
    keeper.world.query("UPDATE entry SET payload = NULL WHERE seq = 1")
    found = exported(keeper, tmp_path / "b")
    assert found.unknowns["lost"].places[0].said["seq"] == 1
    assert "deleted" not in found.unknowns
