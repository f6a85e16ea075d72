"""What people are owed: their number masked, shown for a reason that stays, forgotten in time."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ciao.errors import BadInput
from ciao.keys import read_secret, secret_path
from ciao.texts import LANGUAGES
from provisioning.printing import letter
from tests.support.world import SSINS, UIDS, World

NAME = "Somebody Madeup"


@pytest.fixture
def staffed(world: World) -> World:
    world.enrol(UIDS[0], world.employ(SSINS[0], "SM", "--name", NAME, "--language", "nl"))
    world.enrol(UIDS[1], world.employ(SSINS[1], "BB"))
    return world


def text_of(path: Path) -> str:
    done = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.replace("\u200b", "").split())


def test_a_number_is_shown_for_a_reason_that_is_noted_first(staffed: World) -> None:
    asked = ("--reveal-niss", "--reason", "the ONSS asked for it")
    assert staffed.json("employment", "show", "e1", *asked)["ssin"] == SSINS[0]
    assert [one["ssin"] for one in staffed.json("employment", "list", *asked)] == list(SSINS[:2])
    noted = staffed.json("disclosure", "list")
    assert [(one["person"], one["what"], one["reason"]) for one in noted] == [
        ("p1", "niss", asked[2]),
        ("p1", "niss", asked[2]),
        ("p2", "niss", asked[2]),
    ]
    assert all(one["shown_to"] for one in noted)
    assert [one["person"] for one in staffed.json("disclosure", "list", "--person", "p2")] == ["p2"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (("--reveal-niss",), "shown for a reason"),
        (("--reason", "curious"), "shown for a reason"),
        (("--reveal-niss", "--reason", " "), "no reason"),
        (("--reveal-niss", "--reason", f"about {SSINS[0]}"), "a long number in it"),
        (("--reveal-niss", "--reason", "00.00.00-001.96"), "a long number in it"),
    ],
)
def test_without_a_reason_it_is_not_shown(
    staffed: World, asked: tuple[str, ...], error: str
) -> None:
    for words in (("show", "e1"), ("list",)):
        result = staffed.run("employment", *words, *asked, status=2)
        assert error in result.stderr and SSINS[0] not in result.output
    assert staffed.json("disclosure", "list") == []


def test_where_it_can_not_be_noted_it_is_not_shown(staffed: World) -> None:
    with staffed.registry() as registry, registry.store.change("long", staffed.now):
        result = staffed.run(
            *("employment", "show", "e1", "--reveal-niss", "--reason", "why"), status=2
        )
    assert SSINS[0] not in result.output


def test_an_extract_tells_a_person_everything_and_nothing_of_others(
    staffed: World, tmp_path: Path
) -> None:
    staffed.run("badge", "replace", "b1", "--why", "lost", asked=f"{UIDS[2]}\n")
    staffed.run("employment", "show", "e1", "--reveal-niss", "--reason", "payroll")
    told = staffed.json("employment", "extract", "e1")
    assert told["niss"] == SSINS[0]
    assert [one["name"] for one in told["employments"]] == [NAME]
    assert {one["uid"] for one in told["badges"]} == {UIDS[0], UIDS[2]}
    assert [one["reason"] for one in told["disclosures"]] == ["payroll", "extract for the person"]
    assert told["disclosures"][0]["at"] == "2026-03-02T09:00:00.000+01:00", "local, as the rest"
    everything = json.dumps(told)
    assert SSINS[1] not in everything and UIDS[1] not in everything
    out = tmp_path / "extract.pdf"
    result = staffed.run("employment", "extract", "e1", "--out", str(out))
    assert SSINS[0] not in result.output, "with a file, nothing is printed beside it"
    shown = text_of(out)
    for words in (
        "Wat over u bewaard wordt",
        "werknemer",
        SSINS[0],
        NAME,
        UIDS[0],
        UIDS[2],
        "payroll",
    ):
        assert words in shown
    assert "no employment" in staffed.run("employment", "extract", "e9", status=2).stderr


CODES = ("root", "extract for", "employment change", "badge replace", "valid_until", "+00:00", "{")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", ("français", "perdu", "Langue: néerlandais → français", "Un badge a été remplacé")),
        ("nl", ("Frans", "verloren", "Taal: Nederlands → Frans", "Een badge is vervangen")),
        ("de", ("Französisch", "verloren", "Sprache: Niederländisch → Französisch")),
        ("en", ("French", "lost", "Language: Dutch → French", "to make such a list for you")),
    ],
)
def test_an_extract_is_in_words_that_its_person_reads(
    staffed: World, tmp_path: Path, language: str, words: tuple[str, ...]
) -> None:
    staffed.run("badge", "replace", "b1", "--why", "lost", asked=f"{UIDS[2]}\n")
    staffed.run("employment", "change", "e1", "--language", "fr")
    staffed.run("employment", "end", "e1", "--at", "2026-03-31")
    out = tmp_path / "extract.pdf"
    staffed.run("employment", "extract", "e1", "--out", str(out), "--language", language)
    shown = staffed.run("employment", "extract", "e1", "--language", language).stdout
    for said in (text_of(out), " ".join(shown.split())):
        assert all(one in said for one in words)
        account = f"({'Konto' if language == 'de' else 'compte' if language == 'fr' else 'account'}"
        codes = [one for one in CODES if one in said.replace(f"{account} root)", "")]
        assert codes == []
        assert "2026-04-01 00:00+02:00" in said


def test_the_notice_says_the_same_in_four_languages(world: World, tmp_path: Path) -> None:
    out = tmp_path / "notice.pdf"
    world.run("notice", "--contact", "privacy@acme.example", "--out", str(out))
    done = subprocess.run(["pdfinfo", str(out)], capture_output=True, text=True, check=True)
    assert "Pages:           4" in done.stdout
    shown = text_of(out)
    for words in (
        *("loi-programme du 26 décembre 2022", "programmawet van 26 december 2022"),
        *("Programmgesetz vom 26. Dezember 2022", "programme law of 26 December 2022"),
        *("privacy@acme.example", "Acme", "jusqu'à 5 ans", "5 years after"),
    ):
        assert words in shown
    world.run("notice", "--contact", "x", "--language", "de", "--out", str(out))
    assert "Your rights" not in text_of(out)
    assert (
        "no employer"
        in world.run(
            *("notice", "--contact", "x", "--employer", "z", "--out", str(out)), status=2
        ).stderr
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_of_the_notice_is_there_in_each_language(language: str) -> None:
    (part,) = letter.notice(letter.Notice("Acme", "x", 7), [language])["parts"]
    assert len(part["sections"]) == 6
    assert "7" in str(part)


def _bytes_of(world: World) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(world.folder.glob("registry.db*")))


def _sealed(world: World) -> list[bytes]:
    """Every ciphertext that identifies the first person."""
    with world.registry() as registry:
        find: Any = registry.store.rows
        return [
            *(row["ssin"] for row in find("SELECT ssin FROM people WHERE id = 'p1'")),
            *(row["name"] for row in find("SELECT name FROM employments WHERE person = 'p1'")),
            *(row["uid"] for row in find("SELECT uid FROM badges WHERE employment = 'e1'")),
        ]


def test_who_left_long_ago_is_forgotten_in_every_row_and_byte(staffed: World) -> None:
    staffed.run("badge", "revoke", "b1", "--why", "lost")
    staffed.run("employment", "end", "e1", "--at", "2026-03-31")
    sealed = _sealed(staffed)
    assert len(sealed) == 5 and all(one in _bytes_of(staffed) for one in sealed)
    staffed.now += timedelta(days=5 * 365)
    assert staffed.json("forget")["people"] == []
    staffed.now += timedelta(days=40)
    assert staffed.json("forget", "--dry-run")["people"] == ["p1"]
    assert staffed.json("employment", "show", "e1")["name"] == NAME
    assert staffed.json("forget")["people"] == ["p1"]
    assert not any(one in _bytes_of(staffed) for one in sealed)
    record = staffed.json("employment", "show", "e1")
    assert (record["name"], record["initials"], record["ssin"]) == (None, "", "")
    assert record["until"] == "2026-04-01T00:00:00.000+02:00", "that somebody was here stays"
    assert staffed.json("badge", "show", "b1")["uid"] == ""
    assert staffed.json("employment", "show", "e2")["ssin"] == "*********95"
    assert staffed.json("forget")["people"] == []
    # and who comes back is somebody new
    assert staffed.employ(SSINS[0], "SM") != "e1"
    staffed.enrol(UIDS[0], "e2")


def test_who_has_another_employment_is_kept(staffed: World) -> None:
    staffed.run("employment", "end", "e1", "--at", "2026-03-31")
    again = ("--company", "0765432146", "--kind", "agency")
    staffed.employ(SSINS[0], "SM", *again)
    staffed.now += timedelta(days=10 * 365)
    assert staffed.json("forget")["people"] == []


def test_how_long_is_a_setting(staffed: World) -> None:
    staffed.run("employment", "end", "e1", "--at", "2026-03-31")
    path = staffed.folder / "provision.toml"
    text = path.read_text()
    path.write_text(text.replace("people_years = 5", "people_years = 1"))
    staffed.now += timedelta(days=400)
    assert staffed.json("forget", "--dry-run")["people"] == ["p1"]
    path.write_text(text.replace("people_years = 5", "people_years = 0"))
    assert "retention.people_years" in staffed.run("forget", status=2).stderr


def test_a_key_that_systemd_gives_a_service_is_taken_from_there(
    staffed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = staffed.folder / "provision.toml"
    named = '"$CREDENTIALS_DIRECTORY/registry.key"'
    settings.write_text(settings.read_text().replace('"registry.key"', named))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "no credentials here" in staffed.run("badge", "list", status=2).stderr
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    key = (staffed.folder / "registry.key").rename(tmp_path / "registry.key")
    # where an access list lets the service read, its mask shows as the group's
    key.chmod(0o440)
    assert len(staffed.json("badge", "list")) == 2
    for mode in (0o444, 0o460):
        key.chmod(mode)
        assert "others can read the key" in staffed.run("badge", "list", status=2).stderr
    key.chmod(0o440)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(BadInput, match="others can read"):
        read_secret(key)
    assert secret_path(tmp_path, "x.key") == tmp_path / "x.key"
