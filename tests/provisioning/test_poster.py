"""The poster: one page, every word of it there, and its code read back by another program."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ciao import printing
from ciao.errors import BadInput
from ciao.texts import LANGUAGES
from provisioning.printing import command, poster
from tests.support.world import NUMBER, OTHER_NUMBER, World

LINK = "https://www.socialsecurity.be/ciao/?declaration=1Y1000NF9KCQZ"


def text_of(path: Path) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\f") == 1, "one page"
    # where a word may be broken, a space of no width stands
    return " ".join(done.stdout.replace("\u200b", "").split())


def code_on(path: Path) -> str:
    """Read the code from the page as it is seen, in 100 dots an inch."""
    page = path.with_suffix("")
    subprocess.run(
        ["pdftoppm", "-r", "100", "-png", "-singlefile", str(path), str(page)],
        capture_output=True,
        check=True,
    )
    read = ["zbarimg", "--nodbus", "--quiet", "--raw", str(page.with_suffix(".png"))]
    return subprocess.run(read, capture_output=True, text=True, check=True).stdout.strip()


def test_the_code_holds_the_link_that_the_onss_gave_and_nothing_else(
    world: World, tmp_path: Path
) -> None:
    world.run("declaration", "change", NUMBER, "--link", LINK)
    out = tmp_path / "poster.pdf"
    assert world.run("poster", "--terminal", "door-1", "--out", str(out)).stderr == ""
    assert code_on(out) == LINK
    shown = text_of(out)
    for expected in ("IN", "OUT", "Tower", "Acme", "Grasmarkt 1, 1000 Brussel", NUMBER):
        assert expected in shown


def test_without_a_link_it_leads_to_the_application_and_says_to_type_the_number(
    world: World, tmp_path: Path
) -> None:
    out = tmp_path / "poster.pdf"
    result = world.run("poster", "--out", str(out))
    assert "declaration change --link" in result.stderr
    assert code_on(out) == poster.APPLICATION
    assert "Scan, and type the number below." in text_of(out)


@pytest.mark.parametrize("mode", ["buttons", "lanes"])
def test_it_says_the_same_in_four_languages_and_how_this_terminal_is_used(
    world: World, tmp_path: Path, mode: str
) -> None:
    world.run("terminal", "bind", "door-1", "--mode", mode, "--languages", "nl,fr")
    out = tmp_path / "poster.pdf"
    world.run("poster", "--out", str(out))
    shown = text_of(out)
    for words in ("Une pause", "Een pauze", "Eine Pause", "A break", "Werkt het toestel niet?"):
        assert words in shown
    assert ("to the reader IN or" in shown) == (mode == "lanes")
    assert ("Press IN or OUT" in shown) == (mode == "buttons")
    assert shown.index("Nederlands") < shown.index("Français") < shown.index("Deutsch")


AWKWARD = [
    '#panic("x") *bold* $1$ _a_ <b> [c] \\ // `d`',
    "W" * 120,
    "Bâtiment « L'Œuvre » – Großstraße Ħ ŵ ж",
    "Zeer lange naam van een gebouw met erg veel woorden erin " * 2,
    "\U0001f9f9 clean",
]


@pytest.mark.parametrize("site", AWKWARD)
def test_any_name_fits_on_one_page_as_it_was_typed(site: str, tmp_path: Path) -> None:
    wall = poster.Wall(
        terminal="d" * 32,
        site=site,
        place=site[:100],
        employer=site,
        number=NUMBER,
        link="https://www.socialsecurity.be/" + "x" * 270,
        lanes=True,
        languages=LANGUAGES,
        printed_on="2026-03-02",
    )
    data = poster.data(wall)
    files = {"qr.svg": poster.qr(data["qr"])}
    template = Path(command.__file__).with_name("poster.typ")
    out = tmp_path / "poster.pdf"
    out.write_bytes(printing.pdf(template, data, datetime(2026, 3, 2, tzinfo=UTC), files))
    shown = text_of(out)
    first = printing.printable(site).split()[0]
    assert first in shown or first[:20] in shown
    assert code_on(out) == wall.link


@pytest.mark.parametrize(
    "link",
    [
        "http://www.socialsecurity.be/x",
        "https://socialsecurity.be.example.com/",
        "https://evil.example/socialsecurity.be",
        "https://www.socialsecurity.be@evil.example/",
        "https://notsocialsecurity.be/",
        "https://www.socialsecurity.be:8443/",
        "https://www.socialsecurity.be/ x",
        "https://www.socialsecurity.be/\u0430",
        "https://[::1/",
        "https://www.socialsecurity.be/" + "x" * 300,
        "javascript:alert(1)",
    ],
)
def test_a_link_that_is_not_the_onss_s_is_refused(world: World, link: str) -> None:
    with pytest.raises(BadInput, match="no link of the ONSS"):
        poster.link(link)
    world.run("declaration", "change", NUMBER, "--link", link, status=2)


def test_a_site_with_two_kinds_of_poster_asks_which(world: World, tmp_path: Path) -> None:
    out = str(tmp_path / "poster.pdf")
    world.run("poster", "--site", "tower", "--out", out)
    add = ("terminal", "add", "door-2", "--declaration", OTHER_NUMBER, "--out", str(tmp_path / "d"))
    world.run(*add)
    for options, hint in (
        (("--site", "tower"), "--terminal: door-1, door-2"),
        (("--site", "nowhere"), "terminal bind"),
        ((), "--terminal: door-1, door-2"),
        (("--terminal", "door-9"), "terminal list"),
    ):
        assert hint in world.run("poster", *options, "--out", out, status=2).stderr
    bad = world.run("poster", "--terminal", "door-1", "--out", str(tmp_path / "no/x"), status=2)
    assert "can't make" in bad.stderr
