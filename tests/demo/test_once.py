"""`./dev demo --once`: the whole path with real parts, and a tally that can't be fooled."""

from __future__ import annotations

import json
import queue
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ciao.journal.store import SegmentStore
from ciao.link import Connected, LinkEvent, Message, Publish
from ciao.mqtt import BrokerSettings, Link
from ciao.notes import COSIGNATURE_V1, Signer, parse
from gateway.config import load
from tests.ciao.examples import signer
from tests.demo import scenario
from tests.demo.people import LATE, PEOPLE
from tests.demo.processes import script
from tests.demo.tally import count
from tests.demo.world import World

TIMEOUT_S = 240


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a short path: a Unix socket's has at most 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="ciao-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Path, dict[str, int], str]]:
    """A world that was lived in and ended: its folder, what it counted, what it said."""
    # A short path: a Unix socket's has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="ciao-"))
    words = [sys.executable, "-m", "tests.demo", "--once", "--keep", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    yield folder, json.loads(done.stdout.splitlines()[-1]), done.stderr
    shutil.rmtree(folder)


def test_every_tap_of_the_day_reaches_the_onss_once(
    played: tuple[Path, dict[str, int], str],
) -> None:
    _, tally, _ = played
    taps = tally["taps"]
    assert taps >= 12
    assert tally == {
        "taps": taps,
        "journalled": taps,
        "receipted": taps,
        "accepted": taps,
        "lost": 0,
        "duplicated": 0,
    }


def test_without_mosquitto_the_day_is_the_same_and_no_message_names_anybody(
    short_folder: Path,
) -> None:
    said: list[str] = []
    heard: queue.SimpleQueue[LinkEvent] = queue.SimpleQueue()
    world = World(short_folder, said.append, embedded=True)
    settings = BrokerSettings("127.0.0.1", world.broker_port, mqtt="3.1.1")
    # The embedded broker knows no access list: here one client may hear everything.
    spy = Link(settings, None, "spy", Publish("spy", b""), ["#"], heard.put)

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("morning"):
            spy.start()
            assert heard.get(timeout=10) == Connected()

    tally = scenario.play(world, say)
    spy.stop()
    assert "for this demo only" in " ".join(said)
    assert (tally.lost, tally.duplicated, tally.accepted) == (0, 0, tally.taps)
    messages = [event for event in iter(lambda: _next(heard), None) if isinstance(event, Message)]
    assert {"journal", "receipt", "outcome"} <= {one.topic.split("/")[-1] for one in messages}
    for message in messages:
        said_there = message.topic.encode() + message.payload
        assert [secret for secret in _secrets() if secret in said_there] == []


def _next(heard: queue.SimpleQueue[LinkEvent]) -> LinkEvent | None:
    return None if heard.empty() else heard.get()


def test_one_row_deleted_at_the_onss_counts_as_lost(
    played: tuple[Path, dict[str, int], str], tmp_path: Path
) -> None:
    folder, _, _ = played
    sandbox = _copy(folder / "onss" / "sandbox.db", tmp_path)
    _change(sandbox, "DELETE FROM registration WHERE id = (SELECT max(id) FROM registration)")
    tally = count(folder / "door-1", folder / "ledger.db", sandbox)
    assert (tally.lost, tally.duplicated) == (1, 0)


def test_one_row_added_at_the_onss_counts_as_duplicated(
    played: tuple[Path, dict[str, int], str], tmp_path: Path
) -> None:
    folder, _, _ = played
    sandbox = _copy(folder / "onss" / "sandbox.db", tmp_path)
    columns = "client, trace_id, received_ms, instant_us, ssin, type, employer_number,"
    columns += " declaration, item, validity"
    _change(
        sandbox,
        f"INSERT INTO registration ({columns}) SELECT {columns} FROM registration LIMIT 1",
    )
    tally = count(folder / "door-1", folder / "ledger.db", sandbox)
    assert (tally.lost, tally.duplicated) == (0, 1)


def test_a_stamp_that_was_re_timed_counts_as_lost_and_as_duplicated(
    played: tuple[Path, dict[str, int], str], tmp_path: Path
) -> None:
    folder, _, _ = played
    sandbox = _copy(folder / "onss" / "sandbox.db", tmp_path)
    _change(
        sandbox,
        "UPDATE registration SET item = json_set(item, '$.registrationDate',"
        " '2020-01-01T00:00:00.000Z') WHERE id = 1",
    )
    tally = count(folder / "door-1", folder / "ledger.db", sandbox)
    assert (tally.lost, tally.duplicated) == (1, 1)


def test_no_niss_and_no_uid_is_in_any_file_of_the_terminal_or_in_any_log(
    played: tuple[Path, dict[str, int], str],
) -> None:
    folder, _, said = played
    files = [path for path in (folder / "door-1").rglob("*") if path.is_file()]
    files += list((folder / "logs").iterdir())
    assert any(path.name.endswith(".db") for path in files)
    for path in files:
        content = path.read_bytes()
        assert [secret for secret in _secrets() if secret in content] == [], path
    assert [secret for secret in _secrets() if secret in said.encode()] == []


def _secrets() -> list[bytes]:
    return [form for person in (*PEOPLE, LATE) for form in _forms(person.ssin, person.uid)]


def _forms(ssin: str, uid: str) -> list[bytes]:
    """Every way in which the bytes of a NISS or a UID could stand in a file."""
    raw = bytes.fromhex(uid)
    return [ssin.encode(), uid.encode(), uid.lower().encode(), raw, raw[::-1]]


def _copy(path: Path, into: Path) -> Path:
    return Path(shutil.copy(path, into / path.name))


def _change(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(statement)
    db.close()


def test_the_world_it_leaves_exports_evidence_that_its_policy_verifies(
    played: tuple[Path, dict[str, int], str], tmp_path: Path
) -> None:
    folder, tally, _ = played
    ways = {
        "gateway": [script("ciao-gateway"), "evidence", "export", "--site", "hall"],
        "full": [script("ciao-gateway"), "evidence", "export", "--full", "--reason", "a test"],
        "terminal": [script("ciao-terminal"), "export", "--lang", "nl"],
    }
    for name, words in ways.items():
        settings = folder / ("terminal.toml" if name == "terminal" else "gateway.toml")
        _run([*words, "--out", str(tmp_path / name), "--config", str(settings)])
        policy = str(folder / "policy.txt")
        said = _run([script("ciao-verify"), str(tmp_path / name), "--keys", policy, "--json"])
        found = {one["terminal"]: one for one in json.loads(said)["terminals"]}
        assert set(found) - {"gateway-one"} == {"door-1"}
        terminal = found["door-1"]
        counted = terminal["counted"]
        assert counted["in"] + counted["out"] == tally["taps"]
        assert counted.get("disclosed", 0) == (tally["taps"] if name == "full" else 0)
        uids = [person.uid.lower() for person in PEOPLE]
        rows = (tmp_path / name / "rows.jsonl").read_text()
        assert any(uid in rows for uid in uids) == (name == "full")
    signature = _run(["pdfsig", str(tmp_path / "gateway" / "report.pdf")])
    assert "Signature is Valid" in signature and "badges.example.be reports" in signature
    db = sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)
    assert [row[0] for row in db.execute("SELECT why FROM decision WHERE what = 'disclose'")] == [
        "a test"
    ]
    db.close()


def test_a_key_that_was_rolled_since_is_followed_from_the_one_the_inspector_has(
    played: tuple[Path, dict[str, int], str], tmp_path: Path
) -> None:
    folder = tmp_path / "office"
    shutil.copytree(played[0], folder, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    office = ["--dir", str(folder)]
    (door,) = json.loads(_run([script("ciao-provision"), "terminal", "list", "--json", *office]))
    _run([script("ciao-provision"), "employer", "roll", door["employer"], *office])
    _run([script("ciao-provision"), "terminal", "bind", door["id"], "--languages", "nl", *office])
    out = str(tmp_path / "bundle")
    words = [script("ciao-gateway"), "evidence", "export", "--no-report", "--out", out]
    _run([*words, "--config", str(folder / "gateway.toml")])
    _run([script("ciao-verify"), out, "--keys", str(played[0] / "policy.txt")])


def test_a_witness_that_did_cosign_is_in_the_report_as_the_verifier_sees_it(
    played: tuple[Path, dict[str, int], str], tmp_path: Path
) -> None:
    folder = tmp_path / "office"
    shutil.copytree(played[0], folder, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    witness = signer("witness.example.org/one")
    key = witness.verifier(COSIGNATURE_V1)
    settings = folder / "gateway.toml"
    asked = f'\n[witness]\nurl = "https://witness.example.org"\nkey = "{key}"\n'
    settings.write_text(settings.read_text() + asked)
    policy = tmp_path / "policy.txt"
    trusted = (folder / "policy.txt").read_text()
    policy.write_text(f"witness outside {key}\n{trusted}journals outside\n")

    def bundle(name: str) -> tuple[str, dict[str, Any]]:
        out = tmp_path / name
        words = [script("ciao-gateway"), "evidence", "export", "--lang", "en", "--out", str(out)]
        _run([*words, "--config", str(settings)])
        words = [script("ciao-verify"), str(out), "--keys", str(policy), "--json"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        pages = _run(["pdftotext", str(out / "report.pdf"), "-"])
        return " ".join(pages.split()), json.loads(done.stdout)

    # It is configured, and never cosigned anything: that is grade C, and the policy is not met.
    pages, said = bundle("without")
    assert "nobody outside cosigned" in pages
    assert "witness.example.org" not in pages
    assert [one["code"] for one in said["fails"]] == ["witness"]
    at_s = _witnessed(folder, witness)
    pages, said = bundle("with")
    assert said["fails"] == []
    own = next(one for one in said["terminals"] if one["terminal"] == "gateway-one")
    assert own["cosigners"]["outside"]["first"] == datetime.fromtimestamp(at_s, UTC).isoformat()
    local = datetime.fromtimestamp(at_s, ZoneInfo("Europe/Brussels"))
    since = f"cosigned the gateway's journal from outside, from {local:%-d %B %Y, %H:%M}"
    assert f"witness.example.org/one {since}" in pages


def _witnessed(folder: Path, witness: Signer) -> int:
    """Have the newest checkpoint of the gateway's own journal cosigned; return when."""
    store = SegmentStore.open(max((folder / load(folder / "gateway.toml").journal).glob("*.db")))
    assert store is not None
    newest = store.newest_note()
    assert newest is not None
    note = parse(newest.note)
    at_s = int.from_bytes(note.signatures[-1].blob[:8]) + 1
    store.keep_note(witness.cosign(note, at_s).encode(), newest.size)
    store.close()
    return at_s


def _run(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
