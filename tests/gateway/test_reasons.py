"""The closed codes an outcome may carry stand in the protocol, every one and no other."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.deciding import GIVEN_UP, RELEASED
from gateway.forwarding.identifying import CLOCK_SET
from gateway.forwarding.resolution import Reason
from gateway.forwarding.submitting import INTERRUPTED
from gateway.onss.decisions import Reason as OnssReason
from gateway.restoring import REASON_RESTORED

PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "reasons.md"


def test_the_page_lists_every_reason_and_no_other() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[1] for line in lines if line.startswith("| `")]
    listed = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
    ours = {INTERRUPTED, REASON_RESTORED, GIVEN_UP, RELEASED, CLOCK_SET}
    assert listed == {*map(str, Reason), *map(str, OnssReason), *ours}
