"""`outages`, `annotate`, `status` and `held`: what a person is told, and what they can add."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ciao import entries
from ciao.entries import Annotation, Heartbeat
from gateway.cli import main
from gateway.watch.annotations import Annotations, salted_hash
from tests.gateway import twins
from tests.gateway.house import make_house
from tests.gateway.twins import Journal
from tests.gateway.watch.world import ANCHORS, WELL, WatchWorld
from tests.gateway.world import TERMINAL, World, morning

OUTAGE = "9d3c1f6e-2b40-4f0c-8f0e-5b7a1c2d3e4f"
HOURS_30 = 30 * 3600
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_house(tmp_path_factory.mktemp("house")).folder


@pytest.fixture
def folder(office: Path) -> Iterator[Path]:
    for path in office.glob("ledger.db*"):
        path.unlink()
    for kind in ("journal", "annotations"):
        for path in sorted((office / kind).rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    yield office


@pytest.fixture
def ledger(folder: Path) -> Iterator[World]:
    world = World(folder).online()
    yield world
    world.ledger.close()


@pytest.fixture
def watch(folder: Path) -> WatchWorld:
    made = WatchWorld(folder / "journal")
    made.connect()
    made.wait(20)
    return made


@pytest.fixture
def run(folder: Path) -> Run:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--config", str(folder / "gateway.toml")])

    return run


def listed(run: Run, *words: str) -> list[dict[str, Any]]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


def fail(watch: WatchWorld) -> str:
    """The ONSS goes; return the outage's id."""
    watch.around = {**WELL, **ANCHORS, "onss-tcp": "refused"}
    watch.wait(70)
    return watch.said(entries.OutageBegin)[-1].outage


def cut_off(journal: Journal, until_s: float | None) -> None:
    """A terminal's line is cut from second 0 on."""
    fields: dict[str, Any] = {
        "outage": OUTAGE,
        "cause": "isp_upstream",
        "affected": "submit",
        "probes": {},
    }
    journal.add(entries.OutageBegin(**journal.common(0.5), **fields))
    if until_s is not None:
        well = journal.common(until_s)
        journal.add(entries.OutageEnd(**well, **fields, well_since=well["at"]))


def test_what_is_out_is_listed_with_its_cause_and_proposal(
    ledger: World, watch: WatchWorld, run: Run
) -> None:
    outage = fail(watch)
    (one,) = listed(run, "outages", "--open")
    assert one["outage"]["outage"] == outage and one["outage"]["ended"] is None
    assert (one["outage"]["cause"], one["outage"]["proposed"]) == ("onss_unavailable", "onss")
    shown = run("outages").output
    assert outage[:8] in shown and "the gateway: onss_unavailable (submit)" in shown
    watch.around = {**WELL, **ANCHORS}
    watch.wait(30)
    assert listed(run, "outages", "--open") == []
    assert listed(run, "outages")[0]["outage"]["ended"] is not None


def test_a_terminals_own_outages_are_listed_beside_the_gateways(ledger: World, run: Run) -> None:
    journal = morning()
    cut_off(journal, 600)
    ledger.run(journal.message())
    (one,) = listed(run, "outages", "--terminal", TERMINAL)
    assert one["outage"]["cause"] == "isp_upstream" and one["outage"]["terminal"] == TERMINAL
    assert one["outage"]["origin"] == journal.origin
    assert listed(run, "outages", "--terminal", "hall-9") == []


def test_without_an_outage_one_line_says_so(ledger: World, run: Run) -> None:
    assert run("outages").output == "No outage is in the journals.\n"


def test_a_note_is_kept_beside_the_journal_which_gets_salted_hashes(
    ledger: World, watch: WatchWorld, run: Run, folder: Path, tmp_path: Path
) -> None:
    outage = fail(watch)
    ticket = tmp_path / "ticket 4711.pdf"
    ticket.write_bytes(b"%PDF of the provider")
    done = run("annotate", outage[:8], "--document", str(ticket), "--text", "ticket 4711")
    assert done.exit_code == 0 and "Kept in" in done.output
    notes = Annotations(folder / "annotations")
    watch.watch.around.annotations, watch.watch.around.annotated = notes.pending, notes.journalled
    watch.wait(2)
    (said,) = watch.said(Annotation)
    (left,) = notes.of(outage)
    document, text = left.note.document, left.note.text
    assert document is not None and text is not None and left.entry is not None
    kept = (left.folder / document.name).read_bytes()
    assert kept == ticket.read_bytes()
    assert said.document == salted_hash(bytes.fromhex(document.salt), kept)
    assert said.text == salted_hash(bytes.fromhex(text.salt), b"ticket 4711")
    assert said.document != hashlib.sha256(kept).hexdigest()
    assert left.entry.seq == said.seq and notes.pending() == []
    assert listed(run, "outages")[0]["notes"] == [left.id]
    assert "1 note" in run("outages").output


def test_a_note_whose_entry_was_written_before_a_crash_is_not_written_again(
    ledger: World, watch: WatchWorld, run: Run, folder: Path
) -> None:
    outage = fail(watch)
    run("annotate", outage, "--text", "seen by the neighbours, too")
    notes = Annotations(folder / "annotations")
    # The entry is durable, and the process dies before its folder is marked.
    watch.watch.around.annotations = notes.pending
    watch.wait(2)
    assert len(watch.said(Annotation)) == 1 and len(notes.pending()) == 1
    watch.restart()
    watch.watch.around.annotations, watch.watch.around.annotated = notes.pending, notes.journalled
    watch.wait(3)
    assert len(watch.said(Annotation)) == 1 and notes.pending() == []


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--document", "missing.pdf"), "can't read missing.pdf"),
        ((), "a note of nothing"),
        (("--text", "x" * 4_001), "--text is too long"),
    ],
)
def test_a_note_that_is_none_gets_one_clear_line(
    ledger: World, watch: WatchWorld, run: Run, folder: Path, words: tuple[str, ...], what: str
) -> None:
    done = run("annotate", fail(watch)[:8], *words)
    assert done.exit_code == 2 and done.output.startswith(f"error: {what}")
    assert not list((folder / "annotations").glob("*"))


def test_a_note_whose_folder_is_broken_is_passed_over_and_the_others_are_journalled(
    ledger: World, watch: WatchWorld, run: Run, folder: Path
) -> None:
    outage = fail(watch)
    for name, content in (("0-empty", None), ("1-nonsense", b"{"), ("2-of-nothing", b"{}")):
        (folder / "annotations" / name).mkdir(parents=True)
        if content is not None:
            (folder / "annotations" / name / "note.json").write_bytes(content)
    assert run("annotate", outage[:8], "--text", "seen").exit_code == 0
    notes = Annotations(folder / "annotations")
    watch.watch.around.annotations, watch.watch.around.annotated = notes.pending, notes.journalled
    watch.wait(3)
    assert [one.outage for one in watch.said(Annotation)] == [outage] and notes.pending() == []


@pytest.mark.parametrize("named", ["", "ffffffff", "zz"])
def test_an_outage_that_is_not_there_gets_one_clear_line(
    ledger: World, watch: WatchWorld, run: Run, named: str
) -> None:
    done = run("annotate", named, "--text", "x")
    assert done.exit_code == 2 and "no outage is named" in done.output


def test_status_says_what_is_wrong_since_when_and_what_to_do(
    ledger: World, watch: WatchWorld, run: Run
) -> None:
    outage = fail(watch)
    shown = run("status").output
    assert "The gateway: the ONSS does not answer, and others outside do, since" in shown
    assert "→ wait: stamps are kept and sent when it is back" in shown
    # The journal's newest heartbeat is of a day long ago.
    assert "The gateway's journal stands still since" in shown
    said = json.loads(run("status", "--json").output)
    assert [one["outage"] for one in said["outages"]] == [outage]
    assert said["heartbeat"] == watch.said(Heartbeat)[-1].at


def test_status_before_the_first_start_has_nothing_to_say_of_a_journal(
    ledger: World, run: Run
) -> None:
    shown = run("status")
    assert shown.exit_code == 0 and "journal stands still" not in shown.output


def test_a_late_stamp_links_to_the_outage_that_explains_it(ledger: World, run: Run) -> None:
    journal = morning()
    cut_off(journal, None)
    journal.tap(twins.UID_ANN, 60)
    ledger.second = HOURS_30
    ledger.run(journal.message())
    (held,) = listed(run, "held")
    assert held["reason"] == "late" and held["explained_by"]["outage"] == OUTAGE
    assert "late because of isp_upstream, 2026-03-02 06:00:00+01:00 to now" in run("held").output
    assert json.loads(run("held", "1", "--json").output)["explained_by"]["outage"] == OUTAGE


def test_a_stamp_that_was_sent_late_links_to_it_in_its_persons_list(
    ledger: World, run: Run
) -> None:
    journal = morning()
    cut_off(journal, None)
    journal.tap(twins.UID_ANN, 60)
    ledger.second = 7_200
    ledger.run(journal.message())
    assert ledger.states() == ["accepted"]
    ((worker,),) = ledger.query("SELECT worker FROM tap")
    (stamp,) = json.loads(run("stamps", worker, "--json").output)
    assert stamp["explained_by"]["outage"] == OUTAGE
    assert "late because of isp_upstream, 2026-03-02 06:00" in run("stamps", worker).output


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", "en retard à cause de isp_upstream, de 2026-03-02 06:00:00+01:00 à maintenant"),
        ("nl", "te laat door isp_upstream, van 2026-03-02 06:00:00+01:00 tot nu"),
        ("de", "verspätet wegen isp_upstream, 2026-03-02 06:00:00+01:00 bis jetzt"),
    ],
)
def test_what_waits_is_told_in_the_language_that_the_environment_asks_for(
    ledger: World, run: Run, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    journal = morning()
    cut_off(journal, None)
    journal.tap(twins.UID_ANN, 60)
    ledger.second = HOURS_30
    ledger.run(journal.message())
    asked = run("held", "--lang", language).output, run("held", "1", "--lang", language).output
    assert all(words in text for text in asked)
    monkeypatch.setenv("LC_ALL", f"{language}_BE.UTF-8")
    assert words in run("held").output
    assert "late because" in run("held", "--lang", "en").output


def test_a_late_stamp_that_no_outage_explains_says_so_by_saying_nothing(
    ledger: World, run: Run
) -> None:
    journal = morning()
    journal.tap(twins.UID_ANN, 60)
    ledger.second = HOURS_30
    ledger.run(journal.message())
    (held,) = listed(run, "held")
    assert held["explained_by"] is None and "late because" not in run("held").output


def test_a_stamp_of_a_clock_that_never_was_right_has_an_interval(ledger: World, run: Run) -> None:
    journal = morning()
    journal.heartbeat(30)
    boot = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e78"
    journal.tap(twins.UID_ANN, 60, synced=False, wrong_s=-86_400, boot=boot)
    ledger.second = HOURS_30
    ledger.run(journal.message())
    (held,) = listed(run, "held")
    assert held["reason"] == "untrusted_clock"
    assert held["interval"]["after"] == "2026-03-02T06:00:30.000+01:00"
    assert held["interval"]["before"].startswith("2026-03-03T11:00")
    assert "its clock never was right: made between" in run("held").output
