"""Where nothing was written: unknown is not outage, and no data is said to be none. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ciao.reading import rfc3339
from ciao.verifier.findings import Findings, at
from ciao.verifier.segment import Passed

# A heartbeat is written each minute.
SILENT_MS = 180_000


@dataclass(slots=True)
class Gaps:
    """Looks at the time between one entry and the next, by clocks that could be believed."""

    findings: Findings
    silent_ms: int = 0
    _last: Passed | None = None

    def passed(self, one: Passed) -> None:
        """The terminal's next entry."""
        if one.claimed or one.facts.carried is not None or not one.facts.believed:
            return
        last, self._last = self._last, one
        if last is None:
            return
        silent_ms = one.facts.at_ms - last.facts.at_ms
        if silent_ms > SILENT_MS:
            self.silent_ms += silent_ms
            self.findings.unknown(
                "gap",
                at(
                    "silence",
                    origin=last.row.origin,
                    start=rfc3339(last.facts.at),
                    end=rfc3339(one.facts.at),
                ),
            )
