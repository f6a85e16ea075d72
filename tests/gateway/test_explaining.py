"""`ciao-gateway held TAP`: all that is known of a tap; a person's word where no search tells."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ciao.texts import LANGUAGES, translations
from gateway import sealing
from gateway.cli import main
from gateway.config import load
from gateway.core import Edges, Gateway
from gateway.events import Tick
from gateway.explaining.words import WORDS, explain
from gateway.onss.answers import Silence
from tests.gateway import twins
from tests.gateway.house import make_house
from tests.gateway.test_reasons import PAGE
from tests.gateway.twins import Badge, answer, problem, silence
from tests.gateway.world import World, morning

LOST = silence(Silence.TIMEOUT, True)
NO_SEARCH = problem(404, "resourceNotFound")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_house(tmp_path_factory.mktemp("house")).folder


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    """A gateway on that folder's ledger, sealing with its real key, whose ONSS has no search."""
    for path in folder.glob("ledger.db*"):
        path.unlink()
    world = World(folder)
    key = sealing.load(folder / "gateway" / "answers.key", os.urandom)
    edges = Edges(twins.COSIGNER, twins.OPENERS, key, twins.uuids())
    world.gateway = Gateway(world.ledger, world.people, edges, world.settings)
    world.onss.search = lambda query: NO_SEARCH  # type: ignore[method-assign]
    world.online()
    yield world
    world.ledger.close()


@pytest.fixture
def run(folder: Path) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--config", str(folder / "gateway.toml")])

    return run


Run = Callable[..., Result]


def unknown(world: World, *script: Any) -> None:
    """A stamp whose answer was lost, and which no search can tell of."""
    world.onss.script = list(script) or ["lost"]
    world.second = 25
    world.run(morning([(twins.UID_ANN, 20, "in")]).message(), seconds=300, every=30)
    assert world.states() == ["unknown"]


def test_all_that_is_known_of_a_tap_without_an_answer_is_shown(world: World, run: Run) -> None:
    unknown(world)
    shown = run("held", "1").output
    (trace,) = world.query("SELECT trace_id FROM attempt_begun")[0]
    assert f"trace {trace}" in shown and "timeout, sent" in shown
    assert "answer_timeout: No answer came" in shown
    assert "404 resourceNotFound" in shown
    assert f"person worker-ann, company {twins.COMPANY}, {twins.DECLARATION}" in shown
    assert "recorded → submitted" in shown and "submitted → unknown (answer_timeout)" in shown
    assert f"declaration {twins.DECLARATION}" in shown
    assert "acknowledge found 1 --id ID" in shown and "acknowledge absent 1" in shown
    assert twins.ANN not in shown
    told = json.loads(run("held", "1", "--json").output)
    assert told["attempts"][0]["trace_id"] == trace
    assert told["attempts"][0]["told"]["code"] == "answer_timeout"
    sent = told["attempts"][0]["sent"]
    assert (sent["worker"], sent["item"]["type"]) == ("worker-ann", "in")
    assert {one["told"]["said"] for one in told["searches"]} == {"404 resourceNotFound"}


def test_whoever_looks_by_hand_is_told_what_was_sent_not_what_the_registry_says_since(
    world: World, run: Run
) -> None:
    unknown(world)
    world.people.enrol(twins.UID_ANN, Badge("worker-ben", twins.BEN, company="0000000196"))
    world.run(Tick())
    shown = run("held", "1").output
    assert f"person worker-ann, company {twins.COMPANY}" in shown and "worker-ben" not in shown
    assert run("acknowledge", "found", "1", "--id", "17611", "--why", "it is there").exit_code == 0
    world.run(Tick())
    (tap,) = world.taps()
    assert (tap.state, tap.worker) == ("accepted", "worker-ann")


def test_what_was_found_by_hand_is_accepted_under_its_id(world: World, run: Run) -> None:
    unknown(world)
    result = run("acknowledge", "found", "1", "--id", "17611", "--why", "seen in the web service")
    assert result.exit_code == 0, result.output
    assert "found is asked for" in run("held").output
    world.run(Tick())
    (tap,) = world.taps()
    assert (tap.state, tap.onss_id) == ("accepted", "17611")
    assert world.outcomes()[-1] == (1, "accepted", None) and world.onss.calls == 1
    shown = run("held", "1").output
    assert "a person: found 17611, “seen in the web service”: found: 17611" in shown
    assert "the ONSS's id is 17611" in shown and "acknowledge" not in shown


def test_what_is_not_there_by_a_persons_word_is_sent_again_at_its_own_time(
    world: World, run: Run
) -> None:
    unknown(world, LOST)
    assert world.onss.calls == 1
    assert run("acknowledge", "absent", "1", "--why", "not in the web service").exit_code == 0
    world.run(Tick(), seconds=30)
    assert world.states() == ["accepted"] and world.onss.calls == 2
    assert [row["registrationDate"] for row in world.onss.rows] == ["2026-03-02T05:00:20.000Z"]


def test_a_word_that_is_overtaken_changes_nothing(world: World, run: Run) -> None:
    unknown(world)
    run("acknowledge", "found", "1", "--id", "1", "--why", "one")
    run("acknowledge", "absent", "1", "--why", "two")
    world.run(Tick(), seconds=30)
    assert world.states() == ["accepted"] and world.onss.calls == 1
    results = [row[0] for row in world.query("SELECT result FROM decision_taken")]
    assert results == ["found: 1", "not possible: it is accepted"]


def test_an_id_that_another_stamp_has_is_refused(world: World, run: Run) -> None:
    world.onss.script = [None, "lost"]
    world.second = 25
    journal = morning([(twins.UID_ANN, 20, "in"), (twins.UID_ANN, 22, "out")])
    world.run(journal.message(), seconds=60, every=10)
    assert world.states() == ["accepted", "unknown"]
    result = run("acknowledge", "found", "2", "--id", "1", "--why", "x")
    assert result.exit_code == 2 and "tap 1 has that id already" in result.stderr


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("held", "9"), "there is no tap 9"),
        (("acknowledge", "found", "9", "--id", "1", "--why", "x"), "there is no tap 9"),
        (("acknowledge", "found", "1", "--id", " ", "--why", "x"), "--id is empty"),
        (("acknowledge", "found", "1", "--id", "1", "--why", "x"), "tap 1 is accepted"),
        (("acknowledge", "absent", "1", "--why", "x"), "tap 1 is accepted"),
    ],
)
def test_what_can_not_be_is_refused_in_two_lines(
    world: World, run: Run, words: tuple[str, ...], error: str
) -> None:
    world.second = 25
    world.run(morning([(twins.UID_ANN, 20, "in")]).message())
    result = run(*words)
    assert result.exit_code == 2 and error in result.stderr
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "hint"]


def test_a_refusal_is_in_plain_words_in_each_language_and_raw_without_a_niss(
    world: World, run: Run
) -> None:
    raw = {"text": f"{twins.ANN}: worker not declared"}
    refused = {"items": [{"notCreatedPresenceRegistration": raw}]}
    world.onss.script = [answer(200, refused)]
    world.second = 25
    world.run(morning([(twins.UID_ANN, 20, "in")]).message())
    assert world.outcomes()[-1] == (1, "rejected", "worker_not_declared")
    for language, words in {
        "fr": "le travailleur n'est pas déclaré",
        "nl": "de werknemer niet is aangegeven",
        "de": "der Arbeitnehmer nicht gemeldet ist",
        "en": "the worker is not declared",
    }.items():
        assert words in run("held", "1", "--language", language).output
        assert words in run("held", "--language", language).output
    assert "the worker is not declared" in run("status").output
    shown = run("held", "1", "--raw").output
    assert "[11 digits]: worker not declared" in shown and twins.ANN not in shown


def test_remarks_of_an_accepted_one_have_a_code_too(world: World, run: Run) -> None:
    remarks = [{"code": "declarationNotActive"}]
    world.onss.script = [twins.created(7, remarks=remarks)]
    world.second = 25
    world.run(morning([(twins.UID_ANN, 20, "in")]).message())
    assert world.outcomes()[-1] == (1, "remarked", "declaration_not_active")
    assert "works declaration is not active" in run("held", "1").output


def test_an_answer_of_another_gateway_s_key_is_said_so(
    world: World, run: Run, folder: Path
) -> None:
    unknown(world)
    world.query("INSERT INTO search (tap, at_ms, what, answer) VALUES (1, 9, '200', x'00')")
    assert "200 (its answer does not open with this gateway's key)" in run("held", "1").output


def test_every_code_that_the_protocol_lists_has_words_in_every_language() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    codes = [c for line in lines if line.startswith("| `") for c in re.findall(r"`(\w+)`", line)]
    states = {"held", "unresolved", "withheld", "abandoned", "recorded", "unknown", "clock_step"}
    for code in set(codes) - states - {"rejected", "remarked"}:
        assert code in WORDS, code
    for language in LANGUAGES:
        say = translations("gateway", language).gettext
        assert all(explain(code, say) for code in WORDS)
    assert explain("newer_than_us", str) == "newer_than_us" and explain(None, str) == ""


def test_where_there_is_no_search_nothing_is_asked_and_a_person_says(
    world: World, run: Run, folder: Path
) -> None:
    config = folder / "gateway.toml"
    text = config.read_text()
    config.write_text(text.replace("[onss]\n", '[onss]\nsearch_path = ""\n'))
    try:
        settings = load(config).settings()
        assert not settings.searches and not settings.polls
        world.settings = replace(world.settings, searches=False, polls=False)
        world.restart()
        world.online()
        unknown(world)
        assert world.query("SELECT count(*) FROM search") == [(0,)]
        assert "There is no search" in run("held", "1").output
        run("acknowledge", "absent", "1", "--why", "not in the web service")
        world.run(Tick(), seconds=30)
        assert world.states() == ["accepted"]
        several = config.read_text().replace("[onss]\n", "[onss]\nitems_per_call = 5\n")
        config.write_text(several)
        result = run("held")
        assert result.exit_code == 2 and "there is no search" in result.stderr
    finally:
        config.write_text(text)
