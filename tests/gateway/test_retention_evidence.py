"""A bundle made of a real ledger and journal after a deletion: it holds, and says what is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
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
from gateway.evidence.attaching import add_deletions, add_report
from gateway.evidence.disclosing import Disclosing
from gateway.ledger.evidence import deletions_said, is_deleted, logs_of, open_to_read
from gateway.report.deleted import Kept
from gateway.report.making import Told
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
        add_report(bundle, Told(kept=Kept(1826, 3653)), None, lambda _: None)
        bundle.finish()
    for archive in own:
        archive.close()
    findings = Findings()
    with closing(Bundle(folder, findings, lambda _: None)) as opened:
        opened.check_files()
        verify(opened, parse(POLICY, "policy"), Demand(), findings)
        assert opened.attachments() == ["report.pdf"], "deletions.jsonl is read, not passed over"
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


def read(folder: Path) -> str:
    words = ["pdftotext", "-layout", str(folder / "report.pdf"), "-"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_the_report_tells_what_was_deleted_as_the_verifier_does(
    keeper: Keeper, tmp_path: Path
) -> None:
    stamped(keeper)
    keeper.wait(1)
    exported(keeper, tmp_path / "before")
    assert "deleted" not in read(tmp_path / "before")
    keeper.wait(YEARS_5)
    found = exported(keeper, tmp_path / "after")
    assert found.failures == {}
    (place,) = found.unknowns["deleted"].places
    first, *_, last = read(tmp_path / "after").split("\f")[:-1]
    assert "(badge readings: 2)" in " ".join(first.split())
    assert "payload_days 1,826" in last and "segment_days 3,653" in last
    (line,) = [row for row in last.splitlines() if f"Terminal {TERMINAL}: what badges said" in row]
    _, count, day, month, year, *_, days = line.split(":", 1)[1].rsplit(maxsplit=7)
    assert (count, days) == ("2", "1,827")
    said = datetime.strptime(f"{day} {month} {year.rstrip(',')}", "%d %B %Y")
    assert f"entries 1 to 2, deleted on {said:%Y-%m-%d}" in Speech("en").place(place)


def test_what_is_gone_without_having_been_deleted_is_lost(keeper: Keeper, tmp_path: Path) -> None:
    stamped(keeper)
    keeper.wait(1)
    keeper.world.query("DROP TRIGGER entry_never_update")
    keeper.world.query("UPDATE entry SET payload = NULL WHERE seq = 1")
    found = exported(keeper, tmp_path / "b")
    assert found.unknowns["lost"].places[0].said["seq"] == 1
    said = " ".join(read(tmp_path / "b").split())
    assert "is lost: no entry says that it was deleted (badge readings: 1)" in said
    assert "What was deleted, and when" not in said
    assert "deleted" not in found.unknowns
