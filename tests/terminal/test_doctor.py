"""`ciao-terminal doctor`: what works and what does not, in the order of a stamp's path."""

from __future__ import annotations

import json
import socket
import sqlite3
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ciao import binding, entries
from ciao.moments import shown_text
from ciao.reading import ClockQuality, rfc3339
from ciao.texts import TRANSLATED
from hardware.control import ControlServer
from terminal import config, doctor
from terminal.texts import texts
from terminal.watch import remembered
from tests.terminal.folder import terminal_folder
from tests.terminal.test_config import DOCTOR, run
from tests.terminal.world import ANNA, IN, ZONE, World, bound_world


def findings(path: Path, world: World) -> dict[str, doctor.Finding]:
    found = doctor.examine(config.load(path), world.clock())
    return {finding.part: finding for finding in found}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return terminal_folder(tmp_path)


def test_everything_in_order_is_said_in_the_order_of_a_stamps_path(
    world: World, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        port = broker.getsockname()[1]
        path = terminal_folder(tmp_path, "port = 1", f"port = {port}")
        (tmp_path / "reader").touch()
        found = findings(path, world)
    parts = ["program", "clock", "reader door", "keys", "binding", "roster", "journal", "broker"]
    assert list(found) == [*parts, "submitting"]
    # In order, but that nobody started it.
    program = found.pop("program")
    assert program.verdict == "fault" and program.said.startswith("it does not run since 2026-")
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert found["binding"].said == "declaration 1Y1000NF9KCQZ at Hall 3"
    assert found["roster"].said == "badges known here: 2"


def test_what_is_wrong_comes_with_what_to_do(world: World, path: Path) -> None:
    world.clock.step(world.clock.at, ClockQuality("none", synced=False))
    world.stamp(ANNA, IN)
    found = findings(path, world)
    assert found["clock"].verdict == "warning"
    assert found["reader door"].verdict == "fault"
    assert found["journal"].verdict == "warning"
    assert "stamps that wait to be sent: 1" in found["journal"].said
    assert found["broker"].verdict == "fault"
    assert all(f.advice for f in found.values() if f.verdict == "fault")


def test_an_unbound_terminal_is_at_fault(tmp_path: Path, path: Path) -> None:
    world = World(tmp_path / "state")
    found = findings(path, world)
    assert found["binding"].said == "none in force: nothing can be stamped"


def test_a_declaration_that_is_over_is_at_fault(tmp_path: Path, path: Path) -> None:
    ended = binding.Declaration("1Y1000NF9KCQZ", valid_until="2026-03-01")
    world = bound_world(tmp_path / "state", declaration=ended)
    assert findings(path, world)["binding"].verdict == "fault"


def test_a_tampered_binding_file_is_at_fault(world: World, path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "state" / "bindings.json"
    kept.write_bytes(b'{"message":"e30="}')
    found = doctor.examine(config.load(path), world.clock())
    assert [f.said for f in found if "bindings.json: malformed" in f.said]


def test_a_key_that_others_can_read_is_at_fault(world: World, path: Path, tmp_path: Path) -> None:
    (tmp_path / "seal.key").chmod(0o640)
    found = findings(path, world)["keys"]
    assert (found.verdict, "chmod 600" in found.advice) == ("fault", True)


def test_a_damaged_journal_is_at_fault_and_left_as_it_is(
    world: World, path: Path, tmp_path: Path
) -> None:
    world.power_cut()
    (file,) = (tmp_path / "state" / "journal").glob("*.db")
    file.write_bytes(b"x" * 9000)
    assert findings(path, world)["journal"].verdict == "fault"
    assert file.read_bytes() == b"x" * 9000


def test_a_segment_put_aside_is_told(world: World, path: Path, tmp_path: Path) -> None:
    world.power_cut()
    (file,) = (tmp_path / "state" / "journal").glob("*.db")
    db = sqlite3.connect(file)
    db.execute("UPDATE segment SET seed = x'00'")
    db.commit()
    db.close()
    world.power_on()
    found = findings(path, world)["journal"]
    assert (found.verdict, "segments put aside: 1" in found.said) == ("warning", True)


def test_the_command_prints_json_and_exits_1_on_a_fault(world: World, path: Path) -> None:
    del world
    done = run(*DOCTOR, "--json", "--config", str(path))
    assert (done.returncode, done.stderr) == (1, "")
    said = json.loads(done.stdout)
    assert said[0]["part"] == "program"
    plain = run(*DOCTOR, "--config", str(path))
    assert plain.returncode == 1
    assert "FAULT" in plain.stdout


def test_it_may_be_asked_before_the_first_start(path: Path, tmp_path: Path) -> None:
    done = run(*DOCTOR, "--config", str(path))
    assert done.returncode == 1
    assert "not begun yet" in done.stdout
    assert not (tmp_path / "state").exists(), "it changes nothing"


def test_of_a_running_terminal_it_says_what_the_watch_says(world: World, path: Path) -> None:
    state = {
        "causes": {"submit": "isp_upstream", "register": "reader_fault"},
        "outages": [{"affected": "submit", "since": "2026-03-02T06:02:00.000+01:00"}],
        "maintenance": True,
    }
    with ControlServer(config.load(path).control, lambda _line: json.dumps(state)):
        found = findings(path, world)
    assert found["program"].verdict == "ok"
    assert found["submitting"].said.startswith("isp_upstream since 2026-03-02 06:02:00+01:00: ")
    assert "call the provider" in found["submitting"].advice
    assert found["registering"].verdict == "fault" and found["maintenance"].verdict == "ok"


def test_without_a_running_terminal_it_looks_around_itself(world: World, path: Path) -> None:
    found = findings(path, world)
    assert found["submitting"].said.startswith("broker_down: ")
    assert found["submitting"].advice


@pytest.mark.parametrize("answer", ["nonsense", "[]", "{}"])
def test_whatever_answers_at_the_socket_it_says_what_it_can(
    world: World, path: Path, answer: str
) -> None:
    with ControlServer(config.load(path).control, lambda _line: answer):
        assert findings(path, world)["program"].verdict == "fault"


def test_it_is_said_in_the_language_that_is_asked_for(world: World, path: Path) -> None:
    english = {f.part: f for f in doctor.examine(config.load(path), world.clock())}
    for language in TRANSLATED:
        say = texts(language).gettext
        found = {f.part: f for f in doctor.examine(config.load(path), world.clock(), say)}
        assert list(found) == list(english)
        for part, finding in found.items():
            theirs = english[part]
            assert finding.verdict == theirs.verdict and finding.said != theirs.said, part
            told = finding.advice != theirs.advice or finding.advice.startswith("ciao-")
            assert told or not finding.advice, part
        assert found["clock"].named(say) != "clock"
        assert found["reader door"].named(say).endswith(" door")


def test_outages_of_the_past_week_are_read_from_the_journal_of_a_terminal_that_stopped(
    world: World, path: Path
) -> None:
    begun = rfc3339(world.clock.at)
    outage = {"outage": str(UUID(int=1)), "affected": "submit", "probes": {}}
    disk = world.terminal._disk
    disk.append(world.clock(), entries.OutageBegin, cause="isp_upstream", **outage)
    world.clock.advance(60_000)
    ended = rfc3339(world.clock.at)
    end = {**outage, "cause": "isp_upstream", "well_since": ended}
    disk.append(world.clock(), entries.OutageEnd, **end)
    world.clock.advance(60_000)
    other = {**outage, "outage": str(UUID(int=2))}
    disk.append(world.clock(), entries.OutageBegin, cause="dns_isp", **other)
    world.power_cut()
    journal = config.load(path).journal
    past = remembered.newest(journal, world.clock.at)
    first, last = (remembered.said(one, ZONE, str) for one in past)
    assert shown_text(begun, ZONE) in first and shown_text(ended, ZONE) in first
    assert first.startswith("submitting, isp_upstream from ")
    assert "it had not ended when the terminal stopped" in last
    told = [
        f.verdict for f in doctor.examine(config.load(path), world.clock()) if f.part == "outage"
    ]
    assert told == ["past", "warning"]
    later = remembered.newest(journal, world.clock.at + timedelta(days=8))
    assert [one.cause for one in later] == ["dns_isp"]
