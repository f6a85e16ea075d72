"""The tables of docs/protocol/causes.md, from the code: `python -m tests.ciao.causes_page`."""

from __future__ import annotations

from pathlib import Path

from ciao.causes import CAUSES, PROBES, PROPOSALS, TABLE, UNKNOWN, Rule

PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "causes.md"


def tables() -> dict[str, str]:
    """Return each table by the name that stands in the page's comment before it."""
    return {"words": _words(), "ladder": _ladder(), "proposals": _proposals()}


def _words() -> str:
    rows = [f"| `{probe}` | {_list(words)} |" for probe, words in PROBES.items()]
    return "\n".join(["| probe | says |", "|---|---|", *rows])


def _ladder() -> str:
    rows = [
        f"| {number} | {rule.affected} | {_where(rule)} | {_cause(rule)} |"
        for number, rule in enumerate(TABLE, 1)
    ]
    return "\n".join(["| | affected | where | cause |", "|---|---|---|---|", *rows])


def _where(rule: Rule) -> str:
    parts = []
    for probe, values in rule.when.items():
        allowed = [word for word in (*PROBES[probe], UNKNOWN) if word in values]
        failing = [word for word in PROBES[probe] if word != "ok"]
        if allowed == failing and len(failing) > 1 and "ok" in PROBES[probe]:
            parts.append(f"`{probe}` fails")
        elif allowed == list(PROBES[probe]):
            parts.append(f"`{probe}` says anything")
        elif allowed == ["ok", UNKNOWN]:
            parts.append(f"`{probe}` doesn't fail")
        else:
            parts.append(f"`{probe}` {' or '.join(allowed)}")
    return ", ".join(parts) or "else"


def _cause(rule: Rule) -> str:
    return f"`{rule.cause}`" if rule.cause else "none: it works"


def _proposals() -> str:
    rows = []
    for cause in CAUSES:
        proposal = PROPOSALS[cause]
        lifted = proposal.corroborated if proposal.by else ""
        questions = ", ".join(f"Q{number}" for number in proposal.questions)
        cells = (f"`{cause}`", proposal.alone, lifted, ", ".join(proposal.by), questions)
        rows.append("| " + " | ".join(cells) + " |")
    head = "| cause | on its own | corroborated | by one of | |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def rewritten(page: str) -> str:
    """Return the page with its tables as the code has them."""
    for name, table in tables().items():
        before, mark, after = page.partition(f"<!-- table: {name} -->\n")
        assert mark, f"the page has no table {name}"
        _old, end, rest = after.partition("\n<!-- end -->")
        assert end, f"the table {name} has no end"
        page = f"{before}{mark}\n{table}\n{end}{rest}"
    return page


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
