"""What a poster says, from what a terminal is bound to. Pure: values in, the template's data out.

What its QR holds is decided in docs/decisions/0014-what-the-poster-s-code-holds.md.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import segno

from ciao.errors import BadInput
from ciao.texts import LANGUAGES, translations

# The ONSS's page about the application, which leads to it (its FAQ, Q22).
APPLICATION = (
    "https://www.socialsecurity.be/citizen/fr/static/applics/check-in-and-out-at-work/index.htm"
)
# Whose pages a wall may send people to, where they identify themselves.
TRUSTED_DOMAINS = ("socialsecurity.be", "fgov.be", "belgium.be")
LINK_SIZE_MAX = 300

NAMES = {"fr": "Français", "nl": "Nederlands", "de": "Deutsch", "en": "English"}


@dataclass(frozen=True, slots=True)
class Wall:
    """Where the poster hangs."""

    terminal: str
    site: str
    place: str
    employer: str
    number: str
    link: str | None
    lanes: bool
    languages: Sequence[str]
    printed_on: str


def link(text: str) -> str:
    """Return the link that the ONSS gave with a declaration, if it is one; raise BadInput."""
    try:
        parts = urlsplit(text)
        host, odd = parts.hostname or "", parts.username is not None or parts.port is not None
    except ValueError:
        host, odd, parts = "", True, urlsplit("")
    trusted = any(host == one or host.endswith(f".{one}") for one in TRUSTED_DOMAINS)
    plain = text.isascii() and text.isprintable() and " " not in text
    if parts.scheme != "https" or odd or not trusted or not plain or len(text) > LINK_SIZE_MAX:
        raise BadInput(
            "that is no link of the ONSS",
            f"https://… at {', '.join(TRUSTED_DOMAINS)}, as it came with the declaration",
        )
    return text


def qr(content: str) -> bytes:
    """Draw a code that is still read where a quarter of it is dirty (level Q), as SVG."""
    drawn = io.BytesIO()
    segno.make(content, error="q", micro=False).save(drawn, kind="svg", border=4, scale=4)
    return drawn.getvalue()


def data(wall: Wall) -> dict[str, Any]:
    """Write what the template is given."""
    order = sorted(LANGUAGES, key=_place_of(wall.languages))
    return {
        "title": f"IN / OUT – {wall.site}",
        "site": wall.site,
        "place": wall.place,
        "employer": wall.employer,
        "number": wall.number,
        "link": wall.link or APPLICATION,
        "qr": wall.link or APPLICATION,
        "languages": [_said(language, wall) for language in order],
        "footer": f"{wall.terminal} · {wall.number} · {wall.printed_on}",
    }


def _place_of(languages: Sequence[str]) -> Any:
    known = {language: place for place, language in enumerate(languages)}
    return lambda language: known.get(language, len(known))


def _said(language: str, wall: Wall) -> dict[str, Any]:
    _ = translations("provisioning", language).gettext
    if wall.lanes:
        how = _("Hold your badge to the reader IN or to the reader OUT until the light comes on.")
    else:
        how = _("Press IN or OUT, then hold your badge to the reader until the light comes on.")
    return {
        "code": language,
        "name": NAMES[language],
        "start": _("start"),
        "stop": _("stop"),
        "rules": [
            how,
            _("A break: OUT when it begins, IN when it ends."),
            _("Everyone for themselves, with their own badge, every time."),
        ],
        "down": _("The terminal does not work?"),
        "advice": _(
            "Scan the code below with your telephone and choose IN or OUT there."
            " If you can't, tell your employer at once."
        ),
        "scan": _("Scan: this works declaration opens.")
        if wall.link
        else _("Scan, and type the number below."),
        "declaration": _("Works declaration"),
    }
