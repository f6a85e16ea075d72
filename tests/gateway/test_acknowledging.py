"""`ciao-gateway held` and `acknowledge`: what waits for a person, and what they decide."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.events import Tick
from gateway.ledger import report
from tests.gateway import twins
from tests.gateway.house import make_house
from tests.gateway.twins import Journal
from tests.gateway.world import TERMINAL, World, morning

HOURS_30 = 30 * 3600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gateway's folder, as `ciao-provision` makes it."""
    return make_house(tmp_path_factory.mktemp("house")).folder


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    """A gateway on the ledger of that folder."""
    for path in folder.glob("ledger.db*"):
        path.unlink()
    world = World(folder).online()
    yield world
    world.ledger.close()


@pytest.fixture
def run(folder: Path) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--config", str(folder / "gateway.toml")])

    return run


Run = Callable[..., Result]


def listed(run: Run, *words: str) -> list[dict[str, Any]]:
    result = run("held", "--json", *words)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


def late(world: World, *uids: bytes) -> Journal:
    """Taps that came thirty hours after they were made."""
    journal = morning()
    for number, uid in enumerate(uids):
        journal.tap(uid, number)
    world.second = HOURS_30
    world.run(journal.message())
    return journal


def test_what_waits_is_listed_with_its_reason_and_nobodys_name(world: World, run: Run) -> None:
    journal = late(world, twins.UID_ANN, twins.UID_NEW)
    first, second = listed(run)
    assert (first["state"], first["reason"], first["seq"]) == ("held", "late", 1)
    assert (second["state"], second["reason"]) == ("unresolved", "unknown_badge")
    assert first["origin"] == journal.origin and first["at"].startswith("2026-03-02T06:00:00")
    assert [one["seq"] for one in listed(run, "--state", "unresolved")] == [2]
    assert listed(run, "--terminal", "hall-9") == []
    assert len(listed(run, "--limit", "1")) == 1
    shown = run("held").output
    assert "held (late)" in shown and TERMINAL in shown and twins.ANN not in shown
    assert "and more" in run("held", "--limit", "1").output


def test_a_derived_time_is_shown_with_its_basis(world: World, run: Run) -> None:
    journal = morning()
    journal.tap(twins.UID_ANN, 0, synced=False, wrong_s=-9000)
    journal.clock_step(HOURS_30, -9000)
    world.second = HOURS_30
    world.run(journal.message())
    (tap,) = listed(run)
    assert tap["derived_at"] == "2026-03-02T06:00:00.000+01:00"
    assert tap["basis"] == f"{journal.origin}#2" and tap["at"] != tap["derived_at"]
    assert "; really 2026-03-02 06:00:00+01:00, by " in run("held").output
    assert "1 tap has a time derived" in run("status").output


def test_a_released_tap_goes_at_its_own_time(world: World, run: Run) -> None:
    late(world, twins.UID_ANN)
    assert run("acknowledge", "release", "1", "--why", "the site had no power").exit_code == 0
    assert listed(run)[0]["asked"] == "release" and "is asked for" in run("held").output
    world.run(Tick())
    assert world.states() == ["accepted"] and listed(run) == []
    assert world.onss.rows[0]["registrationDate"] == "2026-03-02T05:00:00.000Z"
    assert world.outcomes()[-1] == (1, "accepted", None)
    assert world.query("SELECT result FROM decision_taken") == [("released",)]
    assert world.query("SELECT what, why FROM decision") == [("release", "the site had no power")]


@pytest.mark.parametrize(
    "changes",
    [{"synced": False}, {"direction": "out"}],
    ids=["untrusted clock", "carried differs"],
)
def test_what_a_person_releases_goes_whatever_held_it(
    world: World, run: Run, changes: dict[str, Any]
) -> None:
    if "synced" in changes:
        journal = morning()
        journal.tap(twins.UID_ANN, 20, **changes)
        world.run(journal.message())
    else:
        first = morning([(twins.UID_ANN, 20, "in")])
        second = Journal(TERMINAL, "0123456789abcdef")
        second.carry(first, 1, **changes)
        world.run(first.message(), second.message())
    assert world.states() == ["held"]
    run("acknowledge", "release", "1", "--why", "seen on the paper list")
    world.run(Tick())
    assert world.states() == ["accepted"]


def test_a_rejected_tap_can_be_sent_again_and_a_missing_key_tried_again(
    world: World, run: Run
) -> None:
    refused: dict[str, Any] = {"notCreatedPresenceRegistration": {"issues": []}}
    world.onss.script = [twins.answer(200, {"items": [refused]})]
    world.second = 25
    world.run(morning([(twins.UID_ANN, 20, "in")]).message())
    assert world.states() == ["rejected"]
    run("acknowledge", "release", "1", "--why", "the declaration was opened")
    world.run(Tick())
    assert world.states() == ["accepted"]
    other = Journal(TERMINAL, "0123456789abcdef")
    other.tap(twins.UID_BEN, 21, key="0123456789abcdef")
    world.run(other.message())
    run("acknowledge", "release", "2", "--why", "try the key again")
    world.run(Tick())
    assert world.taps()[1].reason == "unknown_key" and world.onss.calls == 2


def test_a_tap_given_up_is_never_sent_and_its_terminal_is_told(world: World, run: Run) -> None:
    late(world, twins.UID_ANN, twins.UID_NEW)
    assert run("acknowledge", "abandon", "1", "2", "--why", "a test badge").exit_code == 0
    world.run(Tick())
    assert world.outcomes()[-2:] == [
        (1, "abandoned", "given_up"),
        (2, "abandoned", "given_up"),
    ]
    world.people.enrol(twins.UID_NEW, twins.Badge("worker-new", twins.BEN))
    world.run(Tick(), seconds=100)
    assert world.onss.calls == 0


def test_an_unknown_tap_is_searched_before_a_release_sends_it(world: World, run: Run) -> None:
    world.onss.script = ["lost"]
    world.second = 25
    world.settle(morning([(twins.UID_ANN, 20, "in")]).message())
    world.step(*world.answers())
    assert world.states() == ["unknown"]
    run("acknowledge", "release", "1", "--why", "hurry")
    world.run(Tick(), seconds=60)
    assert world.states() == ["accepted"] and len(world.onss.rows) == 1


def test_a_tap_that_was_released_and_sent_keeps_its_time_when_its_clock_is_set(
    world: World, run: Run
) -> None:
    """Or it would be searched for at another time than it was sent with, and sent again."""
    journal = morning()
    journal.tap(twins.UID_ANN, 20, synced=False, wrong_s=-9000)
    world.run(journal.message())
    run("acknowledge", "release", "1", "--why", "seen there")
    world.onss.script = ["lost"]
    world.settle(Tick())
    world.step(*world.answers())
    assert world.states() == ["unknown"]
    journal.clock_step(60, -9000)
    world.run(journal.message(2), seconds=300)
    assert world.states() == ["accepted"] and len(world.onss.rows) == 1
    (tap,) = world.taps()
    assert tap.derived_at is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("release", "7"), "there is no tap 7"),
        (("release", "2"), "tap 2 is unresolved"),
        (("abandon", "3"), "tap 3 is accepted"),
        (("release", "1", "--why", " "), "--why is empty"),
        (("abandon", "1", "--why", "x" * 501), "--why is empty or too long"),
        (("terminal", "hall-77"), "no terminal hall-77"),
    ],
)
def test_a_decision_that_can_not_be_is_refused_in_two_lines_and_not_written(
    world: World, run: Run, words: tuple[str, ...], error: str
) -> None:
    journal = late(world, twins.UID_ANN, twins.UID_NEW)
    journal.tap(twins.UID_BEN, HOURS_30)
    world.run(journal.message(3))
    why = () if "--why" in words else ("--why", "because")
    result = run("acknowledge", *words, *why)
    assert result.exit_code == 2 and error in result.stderr
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "error",
        "hint",
    ]
    assert not world.query("SELECT 1 FROM decision")


def test_a_decision_overtaken_by_events_is_answered_and_changes_nothing(
    world: World, run: Run
) -> None:
    late(world, twins.UID_ANN)
    run("acknowledge", "release", "1", "--why", "one")
    run("acknowledge", "abandon", "1", "--why", "two")
    run("acknowledge", "release", "1", "--why", "three")
    world.run(Tick())
    assert world.states() == ["accepted"] and len(world.onss.rows) == 1
    assert [row[0] for row in world.query("SELECT result FROM decision_taken")] == [
        "released",
        "not possible: it is recorded",
        "not possible: it is recorded",
    ]


def test_decisions_are_taken_once_even_by_a_gateway_that_was_stopped(
    world: World, run: Run
) -> None:
    late(world, twins.UID_ANN)
    run("acknowledge", "release", "1", "--why", "one")
    world.restart()
    world.online()
    world.run(Tick())
    world.restart()
    world.online()
    world.run(Tick())
    assert world.query("SELECT count(*) FROM decision_taken") == [(1,)]
    assert len(world.onss.rows) == 1


def test_a_reason_that_holds_a_niss_is_masked(world: World, run: Run) -> None:
    late(world, twins.UID_ANN)
    run("acknowledge", "release", "1", "--why", f"for {twins.ANN}, who was there")
    assert world.query("SELECT why FROM decision") == [("for [11 digits], who was there",)]


def test_what_was_decided_can_not_be_rewritten(world: World, run: Run) -> None:
    late(world, twins.UID_ANN)
    run("acknowledge", "release", "1", "--why", "one")
    world.run(Tick())
    for statement in ("DELETE FROM decision", "UPDATE decision_taken SET result = ''"):
        with pytest.raises(Exception, match="append-only"):
            world.query(statement)


def test_terminals_and_restored_ledgers_are_acknowledged(world: World, run: Run) -> None:
    journal = Journal(TERMINAL)
    journal.segment(1, why="rolled_back")
    world.step(journal.message())
    assert "was rolled back" in run("status").output
    assert run("acknowledge", "terminal", TERMINAL, "--why", "card replaced").exit_code == 0
    assert run("acknowledge", "restored", "--why", "copied back").exit_code == 0
    world.run(Tick())
    assert not report.read(world.path).alerts
    assert report.read(world.path).restored_ms is not None
    assert world.on("hint")[-1].resend_from.seq == 1
    assert "Restored from a backup" in run("status").output
