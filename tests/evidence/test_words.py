"""What `ciao-verify` says in each language, and to programs, whatever the language is."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ciao.evidence import lines
from ciao.texts import LANGUAGES
from ciao.verifier import words
from ciao.verifier.cli import command
from ciao.verifier.findings import Place
from ciao.verifier.sentences import FAILS, PLACES, UNKNOWN
from tests.evidence.bundles import write
from tests.evidence.making import POLICY_TEXT, Twin, honest

HOLDS = {"en": "holds ", "fr": "établi ", "nl": "klopt ", "de": "stimmt "}
TERMS = {"en": "declaration", "fr": "déclaration de travaux", "nl": "aangifte van werken"}
TERMS["de"] = "Meldung der Arbeiten"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    write(honest(), folder / "bundle")
    return folder / "bundle"


def run(bundle: Path, *options: str, lang: str = "") -> Result:
    keys = bundle.parent / "policy.txt"
    keys.write_text(POLICY_TEXT)
    asked = [str(bundle), "--keys", str(keys), *options]
    env = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": lang}
    return CliRunner().invoke(command, asked, env=env, standalone_mode=False)


def altered(folder: Path) -> Path:
    write(honest(), folder / "bundle")
    (folder / "bundle" / lines.TABLE).write_text("nobody came")
    return folder / "bundle"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_honest_and_an_altered_bundle_are_told_of_in_the_language_asked_for(
    bundle: Path, tmp_path: Path, language: str
) -> None:
    whole = run(bundle, "--lang", language)
    broken = run(altered(tmp_path), "--lang", language)
    assert (whole.return_value, broken.return_value) == (0, 1)
    assert f"\n{HOLDS[language]}" in whole.stdout and TERMS[language] in whole.stdout
    assert HOLDS[language] not in broken.stdout
    if language != "en":
        english = (*FAILS.values(), *UNKNOWN.values(), "FAILS", "holds ", " entry ", " line ")
        for text in english:
            assert text not in whole.stdout + broken.stdout


def test_unless_it_is_asked_for_the_language_is_that_of_the_environment(bundle: Path) -> None:
    assert run(bundle, lang="nl_BE.UTF-8").stdout == run(bundle, "--lang", "nl").stdout
    assert run(bundle, lang="C.UTF-8").stdout == run(bundle, "--lang", "en").stdout
    assert (
        run(bundle, "--lang", "de", lang="fr_BE.UTF-8").stdout
        == run(bundle, "--language", "de").stdout
    )


def test_programs_read_the_same_whatever_the_language_is(tmp_path: Path) -> None:
    broken = altered(tmp_path)
    said = {run(broken, "--json", "--lang", language).stdout for language in LANGUAGES}
    assert len(said) == 1
    found = json.loads(said.pop())["fails"]
    (table,) = [one for one in found if one["code"] == "table"]
    assert table["places"][0] == {"kind": "line", "file": "report.csv", "line": 1}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_place_is_said_with_all_that_it_names(language: str) -> None:
    for kind, text in PLACES.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        said = words.Speech(language).place(Place(kind, {name: f"<{name}>" for name in fields}))
        assert all(f"<{name}>" in said for name in fields)


def test_one_is_said_as_one_and_many_as_each_language_writes_them(tmp_path: Path) -> None:
    twin = Twin()
    twin.bind()
    twin.wait(30).tap("in")
    twin.receipt()
    write(twin, tmp_path / "bundle")
    said = run(tmp_path / "bundle", "--lang", "en").stdout
    assert "hall-3: 3 entries of 1 log, complete" in said
    assert "hall-3: 1 stamp IN, 0 OUT, 0 refused, 0 outages begun;" in said
    assert "hall-3: 1 stamp under a declaration" in said
    for language, many in zip(("en", "fr", "nl", "de"), (",", "\u202f", ".", "."), strict=True):
        speech = words.Speech(language)
        assert speech.number(1234567) == f"1{many}234{many}567"
    assert words.Speech("fr").ngettext("{count} entry", "{count} entries", 0) == "0 entrée"


def test_a_moment_in_a_place_is_shown_in_belgian_time_and_kept_as_it_is() -> None:
    place = Place("before", {"terminal": "hall-3", "start": "2026-07-01T06:00:00.000+00:00"})
    assert words.Speech("en").place(place) == "hall-3 before 2026-07-01 08:00:00+02:00"
    assert place.said["start"] == "2026-07-01T06:00:00.000+00:00"
