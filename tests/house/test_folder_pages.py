"""A folder's README lists its modules and rooms: all of them, and none that isn't there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ciao", "hardware", "terminal", "provisioning", "gateway")
PAGES = sorted(page for package in PACKAGES for page in (ROOT / package).rglob("README.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.parent.relative_to(ROOT)))
def test_a_folders_page_lists_each_module_and_no_other(page: Path) -> None:
    text = page.read_text()
    there = {path.name for path in page.parent.glob("*.py")} - {"__init__.py", "__main__.py"}
    rooms = {path.parent.name for path in page.parent.glob("*/*") if path.suffix in {".py", ".md"}}
    assert [name for name in sorted(there | rooms) if name not in text] == []
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    listed = {name for cell in cells for name in re.findall(r"`([\w/]+\.py)`", cell)}
    assert [name for name in sorted(listed) if not (page.parent / name).exists()] == []
