"""Edge: paper. A template of ours and data become a PDF that will still open in thirty years.

Typst sets it, as PDF/A-3a (archiving, with attachments) and PDF/UA-1 (read aloud): it refuses a
picture without alternative text and a character without a glyph. Data goes in as values, never as
source, so no name can be markup. Only fonts that Typst brings are used: the same bytes everywhere.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

# Libertinus Serif leads; Arabic letters and arrows are DejaVu's.
FONTS = ("Libertinus Serif", "DejaVu Sans Mono")
STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]

# What these two can show, as far as names and texts in Belgium go: Latin, Greek, Cyrillic, Hebrew,
# Arabic, punctuation, currencies, arrows. `tests/ciao/test_printing.py` prints every one of them.
_SHOWN = (
    r"\n\u0020-\u007e\u00a0-\u00ac\u00ae-\u024f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce"
    r"\u0400-\u045f\u0490-\u04c4\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u0660-\u0669\u1e00-\u1eff"
    r"\u2009\u202f\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u2030\u2032\u2033\u2039\u203a\u2044\u20ac"
    r"\u2190-\u2193\u2212\u2264\u2265\u25a0-\u25ff"
)
_NOT_SHOWN = re.compile(f"[^{_SHOWN}]")
REPLACEMENT = "\u25a1"


class NotPrinted(RuntimeError):
    """A template and its data made no page: a mistake in the template."""


def printable(text: str) -> str:
    """Return a text as it can be printed: composed (NFC), without what steers or has no glyph.

    Controls, direction marks and lone accents go; any other character that the fonts lack becomes
    a white square, so that it shows that something stood there.
    """
    composed = unicodedata.normalize("NFC", text.replace("\t", " ").replace("\r\n", "\n"))
    return _NOT_SHOWN.sub(_replaced, composed)


def _replaced(found: re.Match[str]) -> str:
    return "" if unicodedata.category(found[0])[0] in "CM" else REPLACEMENT


def pdf(
    template: Path,
    data: Mapping[str, Any],
    at: datetime,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """Print `data` by a template; return the PDF's bytes, the same for the same arguments.

    The template finds `data` as `json(bytes(sys.inputs.data))`, every text in it made printable,
    the fonts as `sys.inputs.fonts` (a JSON list), and `files` (pictures, attachments) beside it by
    their names. `at` is the document's date. Raises NotPrinted.
    """
    sources = {"main": template.read_bytes(), **(files or {})}
    inputs = {"data": json.dumps(_printable(data)), "fonts": json.dumps(FONTS)}
    try:
        made = typst.compile(  # type: ignore[call-overload]  # its stub lacks "files by name"
            sources,
            sys_inputs=inputs,
            ignore_system_fonts=True,
            pdf_standards=STANDARDS,
            timestamp=int(at.timestamp()),
        )
    except typst.TypstError as error:
        raise NotPrinted(f"{template.name}: {error.message}") from error
    assert isinstance(made, bytes)
    return made


def _printable(value: Any) -> Any:
    """Make every text inside a value printable; keys are ours."""
    match value:
        case str():
            return printable(value)
        case Mapping():
            return {key: _printable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_printable(inner) for inner in value]
        case _:
            return value
