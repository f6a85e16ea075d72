"""Paper: nothing a person typed can steer it, every promised character has a glyph, files stay."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao import printing

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title)
#set text(lang: "fr", font: json(bytes(sys.inputs.fonts)), fallback: false)
#set page(paper: "a4")
{extra}
#data.text
"""


def template(tmp_path: Path, extra: str = "") -> Path:
    path = tmp_path / "page.typ"
    path.write_text(TEMPLATE.replace("{extra}", extra), encoding="utf-8")
    return path


def text_of(pdf: bytes, tmp_path: Path) -> str:
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True)
    return done.stdout


def test_markup_in_data_is_printed_as_it_was_typed(tmp_path: Path) -> None:
    typed = '#panic("x") *bold* = heading $1+1$ <label> @ref [b] \\ // c'
    made = printing.pdf(template(tmp_path), {"title": "t", "text": typed}, AT)
    assert " ".join(text_of(made, tmp_path).split()).startswith(typed)


def test_every_character_that_is_called_printable_has_a_glyph(tmp_path: Path) -> None:
    every = [chr(code) for code in range(0x20, 0x3000)]
    shown = [one for one in every if printing.printable(one) == one]
    assert len(shown) > 1_200
    printing.pdf(template(tmp_path), {"title": "t", "text": " ".join(shown)}, AT)


def test_the_same_data_makes_the_same_bytes(tmp_path: Path) -> None:
    page, data = template(tmp_path), {"title": "t", "text": "é"}
    assert printing.pdf(page, data, AT) == printing.pdf(page, data, AT)


def test_what_steers_goes_and_what_has_no_glyph_leaves_a_square() -> None:
    assert printing.printable("a\u202eb\u200fc\x1b[31m\x00") == "abc[31m"
    assert printing.printable("e\u0301\u4e2d\U0001f600") == "é" + printing.REPLACEMENT * 2


@settings(max_examples=200)
@given(st.text())
def test_printing_twice_changes_nothing_more(text: str) -> None:
    once = printing.printable(text)
    assert printing.printable(once) == once
    assert all(unicodedata.category(one) not in ("Cc", "Cf") or one == "\n" for one in once)


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=200))
def test_any_text_can_be_printed(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    page = template(tmp_path_factory.mktemp("page"))
    assert printing.pdf(page, {"title": "t", "text": text}, AT).startswith(b"%PDF-")


def test_an_attached_file_comes_out_as_it_went_in(tmp_path: Path) -> None:
    attach = '#pdf.attach("rows.jsonl", mime-type: "text/plain", description: "rows")'
    rows = b'{"a":1}\n'
    made = printing.pdf(
        template(tmp_path, attach), {"title": "t", "text": ""}, AT, {"rows.jsonl": rows}
    )
    path = tmp_path / "page.pdf"
    path.write_bytes(made)
    subprocess.run(["pdfdetach", "-save", "1", "-o", str(tmp_path / "out"), str(path)], check=True)
    assert (tmp_path / "out").read_bytes() == rows


def test_it_says_of_itself_that_it_is_for_archives_and_for_everyone(tmp_path: Path) -> None:
    made = printing.pdf(template(tmp_path), {"title": "Titre", "text": "x"}, AT)
    assert re.search(rb"pdfaid:part>3<.*pdfaid:conformance>A<", made, re.DOTALL)
    assert re.search(rb"pdfuaid:part>1<", made)


def test_a_template_that_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(printing.NotPrinted, match=r"page\.typ: "):
        printing.pdf(template(tmp_path, "#nothing-of-that-name"), {"title": "t", "text": ""}, AT)
