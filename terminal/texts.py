"""Edge: the texts people read, from gettext catalogues under `locale/`, read once a language.

IN and OUT stay literal in every language: they match the buttons.
"""

from __future__ import annotations

import functools
import gettext
from pathlib import Path

DOMAIN = "terminal"
LANGUAGES = ("fr", "nl", "de", "en")
_LOCALE = Path(__file__).parent / "locale"


def spoken(language: str | None) -> str | None:
    """Return the language if there are texts in it."""
    return language if language in LANGUAGES else None


@functools.cache
def texts(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English, the language of the keys, for any other."""
    return gettext.translation(DOMAIN, _LOCALE, [language], fallback=True)
