"""`README` of a bundle: what it is, how to check it, and what it does not prove."""

from __future__ import annotations

from ciao.texts import N_, translations

PARAGRAPHS = (
    N_("Evidence of a badge terminal (Check In and Out at Work)"),
    N_(
        "rows.jsonl holds every entry that the terminals wrote in the period: stamps IN and OUT,"
        " refusals, each minute's sign of life, outages. checkpoints.jsonl holds the signatures"
        " over them: the terminal's own, and those of others who saw them at the time. bindings/"
        " holds what the employer signed: which terminal stands where, under which works"
        " declaration. report.csv is the same as a table."
    ),
    N_(
        "Check it with ciao-verify, or with a program of your own: the format is public"
        " (docs/protocol/evidence.md). The keys that you trust must come from elsewhere: keys.txt"
        " is for convenience and proves nothing."
    ),
    N_("    ciao-verify THIS-FOLDER --keys POLICY"),
    N_(
        "Nobody is named here. Who held a badge is not in this bundle; where badges are disclosed,"
        " each is proven to be the one that tapped."
    ),
    N_(
        "What is not proven: that nobody unplugged a cable; that a badge was in its holder's hand;"
        " what happened where no entry was written; anything after the time up to which the bundle"
        " is complete."
    ),
)


def text(language: str) -> str:
    """Return the text in a language."""
    said = translations("ciao", language).gettext
    return "\n\n".join(said(paragraph) for paragraph in PARAGRAPHS) + "\n"
