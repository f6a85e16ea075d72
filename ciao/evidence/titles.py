"""The titles of the table's columns, in the bundle's language."""

from __future__ import annotations

from ciao.texts import translations


def titles(language: str) -> list[str]:
    """Return the first line of `report.csv`; the order is that of `table.cells`."""
    _ = translations("ciao", language).gettext
    return [
        _("Log"),
        _("Entry"),
        _("Kind"),
        _("Time"),
        _("Clock"),
        _("Direction"),
        _("Declaration"),
        _("Site"),
        _("Detail"),
        _("Handed over from"),
    ]
