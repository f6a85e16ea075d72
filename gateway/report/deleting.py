"""What was deleted and what is lost, as the pages say it, and what it means for the proof. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ciao.names import Origin
from gateway.report.deleted import Kept, Payloads, WholeLog
from gateway.report.shapes import Shapes
from gateway.report.words import Say


class Deleting:
    """A report's deletions in a language: `payloads` of the terminals, `logs` that went whole.

    `lost` counts badge readings that are gone and of which no entry says that they were deleted.
    """

    def __init__(
        self,
        payloads: Sequence[Payloads],
        logs: Sequence[WholeLog],
        lost: int,
        shapes: Shapes,
        say: Say,
    ) -> None:
        self._payloads = payloads
        self._logs = logs
        self._lost = lost
        self._shapes = shapes
        self._ = say

    def section(self, kept: Kept | None) -> dict[str, Any] | None:
        """Return the part on what was deleted; None where nothing was."""
        if not (self._payloads or self._logs):
            return None
        _ = self._
        return {
            "heading": _("What was deleted, and when"),
            "sentences": self._sentences(kept),
            "columns": [
                _("Deleted"),
                _("Badge readings"),
                _("When"),
                _("Age then, in days"),
            ],
            "rows": [
                *map(self._payload_row, self._payloads),
                *map(self._log_row, self._logs),
            ],
        }

    def not_proven(self) -> list[str]:
        """Say what can't be shown any more, for page one."""
        _, number, said = self._, self._shapes.number, []
        if self._payloads:
            said.append(
                _(
                    "Who stamped, where that was deleted after its time (badge readings: {count});"
                    " that somebody did, and when, is proven."
                ).format(count=number(sum(one.count for one in self._payloads)))
            )
        if self._logs:
            said.append(
                _("What stood in whole logs that were deleted after their time ({count}).").format(
                    count=number(len(self._logs))
                )
            )
        if self._lost:
            said.append(
                _(
                    "Who stamped, where that is lost: no entry says that it was deleted (badge"
                    " readings: {count})."
                ).format(count=number(self._lost))
            )
        return said

    def _sentences(self, kept: Kept | None) -> list[str]:
        _ = self._
        said = []
        if self._payloads:
            said.append(
                _(
                    "What badges said lies sealed beside the entries, and is deleted after its"
                    " time: whatever identifies people is kept no longer than is needed (GDPR,"
                    " article 5). The entries stay as they were: that a stamp was made, when,"
                    " where and in which direction is proven as before, and checked as any other"
                    " entry."
                )
            )
        if self._logs:
            said.append(
                _(
                    "A log that was deleted whole left nothing but the entry that says so. Its"
                    " time stands here as no data, which is not an outage."
                )
            )
        said.append(
            _(
                "Before each deletion the gateway wrote it into its own journal. These entries lie"
                " in deletions.jsonl, each with its proof; ciao-verify says the day of each."
            )
        )
        if kept is not None:
            said.append(
                _(
                    "The gateway's setting when this was made ([retention] in gateway.toml):"
                    " payload_days {payload_days}, segment_days {segment_days}. How old what was"
                    " deleted really was, the table says."
                ).format(
                    payload_days=self._shapes.number(kept.payload_days),
                    segment_days=self._shapes.number(kept.segment_days),
                )
            )
        return said

    def _payload_row(self, one: Payloads) -> dict[str, Any]:
        return {
            "what": self._("Terminal {terminal}: what badges said").format(terminal=_owner(one)),
            "entries": f"{one.origin} #{one.first}" + f"–{one.last}" * (one.last > one.first),
            "count": self._shapes.number(one.count),
            "when": self._when(one.begin, one.end),
            "age": self._spread(*one.days),
        }

    def _log_row(self, one: WholeLog) -> dict[str, Any]:
        return {
            "what": self._("Terminal {terminal}: a whole log").format(terminal=one.terminal),
            "entries": f"{one.origin} #0–{one.entries - 1}",
            "count": "–",
            "when": self._shapes.moment(one.at),
            "age": "–",
        }

    def _when(self, begin: datetime, end: datetime) -> str:
        """Say when; not more exactly than a person needs to find the day."""
        shown = self._shapes
        return shown.moment(begin) if begin == end else shown.between(begin, end)

    def _spread(self, least: int, most: int) -> str:
        number = self._shapes.number
        return number(least) if least == most else f"{number(least)}–{number(most)}"


def _owner(one: Payloads) -> str:
    return Origin.parse(one.origin).owner
