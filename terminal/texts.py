"""The words on the panel, by language. IN and OUT stay literal in each: they match the buttons."""

from __future__ import annotations

import gettext

from ciao.texts import translations


def texts(language: str) -> gettext.NullTranslations:
    """Return the terminal's texts in a language; in English for any other."""
    return translations("terminal", language)
