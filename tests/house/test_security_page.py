"""docs/security.md promises tests by name; each of them exists."""

from __future__ import annotations

import re

from tests.house.source import ROOT, modules

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| **")]


def existing() -> set[str]:
    return {function.name for module in modules("tests") for function in module.functions()}


def test_every_test_that_the_security_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named and not named - existing(), "name the test that attacks it, as it is called now"


def test_every_attack_is_carried_out_by_a_test() -> None:
    assert len(ROWS) >= 12
    for row in ROWS:
        attack, defence, limit, tests = [cell.strip() for cell in row.strip("| ").split(" | ")]
        assert defence and limit and "`test_" in tests, f"{attack} is attacked by no test"
