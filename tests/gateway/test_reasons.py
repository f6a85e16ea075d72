"""The closed codes an outcome may carry stand in the protocol, every one and no other."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.onss.decisions import Reason as OnssReason
from gateway.receiving import REASON_RESTORED
from gateway.resolution import Reason
from gateway.submitting import INTERRUPTED

PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "reasons.md"


def test_the_page_lists_every_reason_and_no_other() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1] for line in lines if line.startswith("| `")]
    listed = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
    assert listed == {*map(str, Reason), *map(str, OnssReason), INTERRUPTED, REASON_RESTORED}
