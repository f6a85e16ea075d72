"""`ciao-gateway correction`: what may still be changed, until when, and the dossier that asks."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ciao import notes
from ciao.binding import digest
from ciao.checkpoint import Checkpoint
from ciao.errors import BadInput
from ciao.link import Connected
from ciao.registration import State
from ciao.tree import leaf_hash, verify_inclusion
from gateway.cli import main
from gateway.core import Edges, Gateway
from gateway.correction import rules
from gateway.correction.command import Clock
from gateway.correction.rules import DECLINED, Stamp, Wrong, days_left, judge, last_day
from provisioning.registry.disclosing import disclosures
from tests.gateway import twins
from tests.gateway.house import TERMINAL, House, make_house
from tests.gateway.sealer import SEALER
from tests.gateway.twins import Journal
from tests.gateway.world import World
from tests.support.world import ACME, NUMBER, OTHER_NUMBER, SSINS, UIDS

FOREIGN = "FR00999999999"
AGENCY = "0765432146"
DAY_S = 86_400
PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "correction.md"
HTML = twins.answer(200, {"items": [{"notCreatedPresenceRegistration": {}}]})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    start = twins.START.astimezone(UTC) - timedelta(hours=1)
    return make_house(tmp_path_factory.mktemp("house"), now=start)


@pytest.fixture
def world(house: House) -> Iterator[World]:
    """A morning: three stamps accepted, one refused, one of a badge that nobody has."""
    for path in house.folder.glob("ledger.db*"):
        path.unlink()
    journal = Journal(TERMINAL, papers=house.papers(twins.START))
    for second, uid, way in ((5, 0, "in"), (30, 0, "out"), (50, 0, "in"), (55, 0, "out")):
        journal.tap(bytes.fromhex(UIDS[uid]), second, way)
    journal.tap(bytes.fromhex(UIDS[1]), 56, "in")
    world = World(house.folder)
    world.second = 58
    with house.world.registry() as registry:
        edges = Edges(twins.COSIGNER, house.openers(), SEALER, twins.uuids())
        world.gateway = Gateway(world.ledger, registry, edges, world.settings)
        world.step(Connected())
        world.second += 2
        world.onss.script = [None, None, None, HTML]
        world.run(journal.message())
    assert [str(one) for one in world.states()] == [*["accepted"] * 3, "rejected", "unresolved"]
    yield world
    world.ledger.close()


@pytest.fixture
def run(house: House) -> Callable[..., Result]:
    def run(*words: str, day: float = 10) -> Result:
        clock = Clock(lambda: twins.START.timestamp() + day * DAY_S)
        config = str(house.folder / "gateway.toml")
        return CliRunner().invoke(main, ["correction", *words, "--config", config], obj=clock)

    return run


Run = Callable[..., Result]
OPEN = ("open", "1", "2", "--wrong", "declaration", "--correct", OTHER_NUMBER)
WHY = ("--why", "the terminal was bound to last year's works")


def listed(run: Run, *words: str, day: float = 10) -> Any:
    result = run(*words, "--json", day=day)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_wrong_declaration_is_asked_for_with_the_days_that_are_left(
    world: World, run: Run
) -> None:
    result = run(*OPEN, *WHY)
    assert (result.exit_code, result.stdout) == (0, "1\n"), result.output
    assert f"2 registrations, {NUMBER} → {OTHER_NUMBER}; 20 days left" in result.stderr
    (one,) = listed(run, "list")
    assert (one["registered"], one["correct"]) == (NUMBER, OTHER_NUMBER)
    assert (one["last_day"], one["days_left"], one["taps"]) == ("2026-04-01", 20, [1, 2])
    told = listed(run, "show", "1")
    assert [stamp["onss_id"] for stamp in told["stamps"]] == ["1", "2"]
    assert told["stamps"][0]["employment"]["company"] == ACME
    shown = run("show", "1").output + run("list").output
    assert "20 days left" in shown and "not exported yet" in shown and "Tower" in shown
    assert not any(ssin in shown + json.dumps(told) for ssin in SSINS)


def test_a_wrong_company_is_what_the_registry_says_or_what_somebody_knows_was_sent(
    world: World, run: Run
) -> None:
    words = ("open", "1", "--wrong", "company", *WHY)
    assert run(*words, "--correct", "BE 0765.432.146").stdout == "1\n"
    mended = run(*words, "--correct", ACME)
    assert mended.exit_code == 2 and "--registered" in mended.stderr
    assert run(*words, "--correct", ACME, "--registered", AGENCY).stdout == "2\n"
    first, second = reversed(listed(run, "list"))
    assert (first["registered"], first["correct"]) == (ACME, AGENCY)
    assert (second["registered"], second["correct"]) == (AGENCY, ACME)
    assert first["replaced_by"] == 2 and second["replaced_by"] is None
    assert "replaced by 2" in run("list").output


def test_an_export_is_a_letter_and_proofs_that_hold_by_themselves(
    world: World, run: Run, tmp_path: Path
) -> None:
    run(*OPEN, *WHY)
    out = tmp_path / "dossier"
    result = run("export", "1", "--language", "fr", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "sign it, and send it" in result.stderr
    (proof, _) = json.loads((out / "proofs.json").read_text())
    note = notes.parse(proof["receipt"])
    checkpoint = Checkpoint.parse(note.text)
    assert notes.cosignature_time(note, twins.COSIGNER.verifier(notes.COSIGNATURE_V1))
    path = [base64.b64decode(one) for one in proof["inclusion"]]
    leaf = proof["leaf"].encode()
    verify_inclusion(proof["seq"], checkpoint.size, leaf_hash(leaf), path, checkpoint.root)
    told = json.loads((out / "dossier.json").read_text())
    binding = told["stamps"][0]["binding"]
    assert json.loads(leaf)["binding"] == binding
    bundle = (out / "bindings" / f"{binding}.txt").read_bytes()
    assert digest(bundle.decode()) == binding
    page = PAGE.read_text(encoding="utf-8")
    for fields in (told, told["stamps"][0], told["stamps"][0]["employment"], proof):
        assert [name for name in fields if f"`{name}`" not in page] == []
    letter = (out / "letter-fr.pdf").read_bytes()
    assert world.query("SELECT hex(sha256) FROM correction_exported") == [
        (hashlib.sha256(letter).hexdigest().upper(),)
    ]
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in [out, *files]} == {0}
    named = [path.name for path in files if SSINS[0].encode() in path.read_bytes()]
    assert named == []
    assert listed(run, "list")[0]["exported_ms"]


def text_of(path: Path) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    )
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ["numéro de la déclaration de travaux", "1 avril 2026", "12 mars 2026"]),
        ("nl", ["nummer van de aangifte van werken", "1 april 2026", "12 maart 2026"]),
        ("de", ["Nummer der Meldung der Arbeiten", "1. April 2026", "12. März 2026"]),
        ("en", ["Working copy", "1 April 2026", "12 March 2026"]),
    ],
)
def test_the_letter_says_in_each_language_what_was_wrong_and_until_when(
    house: House, world: World, run: Run, tmp_path: Path, language: str, words: list[str]
) -> None:
    run(*OPEN, "--why", "#panic(1) *not* markup")
    run("export", "1", "--language", language, "--out", str(tmp_path / "a"))
    text = text_of(tmp_path / "a" / f"letter-{language}.pdf")
    card = "00.00.00-001.96"
    for word in (*words, NUMBER, OTHER_NUMBER, "06:00:05 (+01:00)", card, "#panic(1) *not*"):
        assert word in text, text
    assert "IN" in text and "OUT" in text and "Grasmarkt 1, 1000 Brussel" in text
    with house.world.registry() as registry:
        shown = disclosures(registry)
    run("export", "1", "--language", language, "--out", str(tmp_path / "b"), "--without-niss")
    with house.world.registry() as registry:
        assert disclosures(registry) == shown
    # One person, whose two stamps these are.
    assert (shown[-1]["what"], shown[-1]["reason"]) == ("niss", "correction dossier C-1")
    assert card not in text_of(tmp_path / "b" / f"letter-{language}.pdf")


@pytest.mark.parametrize(
    ("words", "day", "error", "hint"),
    [
        (("open", "4", "--wrong", "declaration"), 1, "tap 4 was refused", "release 4"),
        (("open", "5", "--wrong", "declaration"), 1, "tap 5 is unresolved", "accepted"),
        (("open", "99", "--wrong", "declaration"), 1, "there is no tap 99", "lists"),
        (("open", "1", "--wrong", "declaration"), 31, "ended on 2026-04-01", "Q35"),
        (("open", "1", "1", "--wrong", "declaration"), 1, "one twice", "at most"),
        (("open", "1", "--wrong", "colour"), 1, "nothing called 'colour'", "company"),
        *(
            (("open", "1", "--wrong", what), 1, error, hint)
            for what, (error, hint) in DECLINED.items()
        ),
    ],
)
def test_what_can_not_be_corrected_is_declined_with_the_rule(
    world: World, run: Run, words: tuple[str, ...], day: int, error: str, hint: str
) -> None:
    result = run(*words, "--correct", OTHER_NUMBER, *WHY, day=day)
    assert result.exit_code == 2
    first, second = result.stderr.splitlines()
    assert first.startswith("error: ") and error in first
    assert second.startswith("hint: ") and (hint in second or "list taps" in second)
    assert world.query("SELECT 1 FROM correction") == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("show", "7"), "there is no dossier 7"),
        (("export", "1", "--language", "fr", "--out", "HERE"), "is there already"),
        ((*OPEN[:-1], NUMBER, *WHY), "is the number that was registered"),
        ((*OPEN[:-1], "1Y10", *WHY), "no works declaration number"),
        ((*OPEN, "--why", " "), "--why is empty"),
    ],
)
def test_what_can_not_be_used_is_two_lines(
    world: World, run: Run, tmp_path: Path, words: tuple[str, ...], error: str
) -> None:
    run(*OPEN, *WHY)
    result = run(*(str(tmp_path) if word == "HERE" else word for word in words))
    assert result.exit_code == 2 and error in result.stderr
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "hint"]


def test_what_was_asked_for_can_not_be_rewritten(world: World, run: Run, tmp_path: Path) -> None:
    run(*OPEN, "--why", f"for {SSINS[0]}")
    run("export", "1", "--language", "nl", "--out", str(tmp_path / "a"), day=40)
    assert world.query("SELECT why FROM correction") == [("for [11 digits]",)]
    for table, column in (
        ("correction", "why"),
        ("correction_tap", "tap"),
        ("correction_exported", "language"),
    ):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 9"):
            with pytest.raises(Exception, match="append-only"):
                world.query(statement)


def test_an_export_after_the_last_day_says_that_nothing_can_be_changed(
    world: World, run: Run, tmp_path: Path
) -> None:
    run(*OPEN, *WHY)
    result = run("export", "1", "--language", "de", "--out", str(tmp_path / "a"), day=31)
    assert result.exit_code == 0 and "nothing can be changed any more" in result.stderr
    assert "endete" in text_of(tmp_path / "a" / "letter-de.pdf")
    assert "the 30 days are over" in run("list", day=31).output


BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(
    ("at", "last"),
    [
        ("2026-03-02T06:00:00+01:00", date(2026, 4, 1)),
        # Late in Brussels, early in UTC, and the other way round.
        ("2026-03-02T00:30:00+01:00", date(2026, 4, 1)),
        ("2026-03-01T23:30:00+00:00", date(2026, 4, 1)),
        # Across the change to winter time.
        ("2026-10-20T23:59:00+02:00", date(2026, 11, 19)),
    ],
)
def test_the_thirty_days_are_days_of_brussels(at: str, last: date) -> None:
    stamped = datetime.fromisoformat(at)
    assert last_day(stamped) == last
    end = datetime(last.year, last.month, last.day, 23, 59, tzinfo=BRUSSELS)
    assert days_left(stamped, end) == 0
    assert days_left(stamped, end + timedelta(minutes=1)) == -1


@given(st.datetimes(datetime(2025, 5, 1), datetime(2099, 1, 1)), st.integers(0, 40))
def test_a_day_more_is_a_day_less(at: datetime, days: int) -> None:
    stamped = at.replace(tzinfo=BRUSSELS)
    assert days_left(stamped, stamped + timedelta(days=days)) == 30 - days


def stamp(**changes: Any) -> Stamp:
    values = {"tap": 1, "at": twins.START, "state": State.VALID, "employer": "acme"}
    return Stamp(**{**values, "declaration": NUMBER, "company": ACME, **changes})


@pytest.mark.parametrize(
    ("stamps", "error"),
    [
        ([stamp(), stamp(employer="other")], "several employers"),
        ([stamp(), stamp(company=FOREIGN)], "several numbers"),
        ([stamp(company=None)], "not known any more"),
        ([stamp(), stamp(state=State.UNKNOWN)], "is unknown"),
    ],
)
def test_one_dossier_is_of_one_employer_and_one_number(stamps: list[Stamp], error: str) -> None:
    with pytest.raises(BadInput, match=error):
        judge(stamps, Wrong.COMPANY, AGENCY, None, twins.START)


def test_every_state_is_either_registered_or_not() -> None:
    for state in State:
        if state in rules.REGISTERED:
            assert judge([stamp(state=state)], Wrong.COMPANY, AGENCY, None, twins.START) == ACME
        else:
            with pytest.raises(BadInput):
                judge([stamp(state=state)], Wrong.COMPANY, AGENCY, None, twins.START)
