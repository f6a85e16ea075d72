"""Edge: the texts people read, from the gettext catalogues of each package, read once a language.

English is the language of the keys: a text without a translation, and a language without a
catalogue, read as English. So a missing file costs words, and never a stamp.
"""

from __future__ import annotations

import functools
import gettext
from collections.abc import Mapping
from pathlib import Path

# What everything is said in, in the order in which a notice lists them.
LANGUAGES = ("fr", "nl", "de", "en")
# The catalogues; the test that holds them together goes by this list.
TRANSLATED = ("fr", "nl", "de")

# Where an environment says which language it wants; the first that says anything counts.
_ASKED = ("LC_ALL", "LC_MESSAGES", "LANG")
_PACKAGES = Path(__file__).parents[1]


def spoken(language: str | None) -> str | None:
    """Return the language if there are texts in it."""
    return language if language in LANGUAGES else None


def preferred(environment: Mapping[str, str]) -> str:
    """Return the language that a process's environment asks for, as gettext reads it; else en."""
    asked = next((environment[name] for name in _ASKED if environment.get(name)), "")
    return spoken(asked[:2].lower()) or "en"


@functools.cache
def translations(package: str, language: str) -> gettext.NullTranslations:
    """Return the texts of a package (`terminal`, `gateway`) in a language.

    They lie in `<package>/locale/<language>/LC_MESSAGES/<package>.mo`.
    """
    return gettext.translation(package, _PACKAGES / package / "locale", [language], fallback=True)


def N_(text: str) -> str:
    """Mark a text that is translated where it is shown."""
    return text
