"""Journals to be judged: entries in order, written by a made-up terminal or gateway."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ciao import entries
from ciao.entries import Entry
from ciao.minutes import FOREVER_MS
from ciao.reading import ClockQuality, Reading, rfc3339
from ciao.responsibility import Class, Journals, Responsibility, Span, heard, judge

BEGIN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
BOOT = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77"
NEXT_BOOT = "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e78"
OUTAGE = "9d3c1f6e-2b40-4f0c-8f0e-5b7a1c2d3e4f"
OTHER_OUTAGE = "9d3c1f6e-2b40-4f0c-8f0e-5b7a1c2d3e50"
SEEN = "9d3c1f6e-2b40-4f0c-8f0e-5b7a1c2d3e51"
TERMINAL = "hall-3"
ORIGIN = "badges.example.be/ciao/hall-3/5e9a0c0ffee0c1a0"
GATEWAY_ORIGIN = "badges.example.be/ciao/gateway-north/00c0ffee00c0ffee"
WORKS = {"reader": True, "disk": True, "link": True, "broker": True, "gateway": True}
CUT = {**WORKS, "link": False, "broker": False, "gateway": False}
GATEWAY_WORKS = {"broker": True, "onss": True, "disk": True}


@dataclass(slots=True)
class Written:
    """A log in the making. Seconds are since `BEGIN`; `skew_s` sets the wall clock wrong."""

    origin: str = ORIGIN
    boot: str = BOOT
    synced: bool = True
    skew_s: int = 0
    entries: list[Entry] = field(default_factory=list)

    def add(self, at_s: float, kind: Any, **fields: Any) -> None:
        at = BEGIN + timedelta(seconds=at_s + self.skew_s)
        up_ms = round(at_s * 1000) + 90_000_000
        clock = ClockQuality("ntp" if self.synced else "none", self.synced)
        common = entries.common(Reading(at, self.boot, up_ms, clock), len(self.entries))
        self.entries.append(kind(**common, **fields))

    def beat(self, minute: int, works: dict[str, bool] = WORKS, second: float = 5) -> None:
        self.add(minute * 60 + second, entries.Heartbeat, works=works)

    def beats(self, start: int, end: int, works: dict[str, bool] = WORKS) -> None:
        for minute in range(start, end):
            self.beat(minute, works)

    def begins(self, at_s: float, cause: str, affected: str = "submit", **more: Any) -> None:
        fields = {"outage": OUTAGE, "probes": {}, **more}
        self.add(at_s, entries.OutageBegin, cause=cause, affected=affected, **fields)

    def updates(self, at_s: float, cause: str, affected: str = "submit", **more: Any) -> None:
        fields = {"outage": OUTAGE, "probes": {}, **more}
        self.add(at_s, entries.OutageUpdate, cause=cause, affected=affected, **fields)

    def ends(self, at_s: float, cause: str, affected: str = "submit", **more: Any) -> None:
        fields = {
            "outage": OUTAGE,
            "probes": {},
            "well_since": moment(at_s - 10),
            **more,
        }
        self.add(at_s, entries.OutageEnd, cause=cause, affected=affected, **fields)

    @property
    def log(self) -> tuple[str, list[Entry]]:
        return self.origin, self.entries


def gateway() -> Written:
    return Written(GATEWAY_ORIGIN, "6a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e99")


def moment(at_s: float) -> str:
    return rfc3339(BEGIN + timedelta(seconds=at_s))


def told(
    terminal: Written | Sequence[Written],
    gateways: Written | None = None,
    minutes: int = 20,
    witnessed: bool | Sequence[tuple[int, int]] = (),
    **more: object,
) -> Responsibility:
    if isinstance(witnessed, bool):
        witnessed = [(0, FOREVER_MS)] if witnessed else []
    logs = [terminal] if isinstance(terminal, Written) else terminal
    end = BEGIN + timedelta(minutes=minutes)
    journals = Journals(
        TERMINAL,
        [one.log for one in logs],
        heard([gateways.log], BEGIN, end) if gateways else None,
        witnessed,
        **more,  # type: ignore[arg-type]
    )
    return judge(journals, BEGIN, end)


def by_minute(spans: Iterable[Span]) -> list[Class]:
    return [span.of for span in spans for _ in range(span.minutes)]


def well(minutes: int = 20) -> Written:
    beating = gateway()
    beating.beats(-1, minutes + 1, GATEWAY_WORKS)
    return beating


def cut(begin: int, end: int, cause: str = "isp_upstream", minutes: int = 20) -> Written:
    """A terminal whose line is cut for some whole minutes."""
    terminal = Written()
    terminal.beats(-1, begin)
    terminal.begins(begin * 60, cause)
    terminal.beats(begin, end, CUT)
    terminal.ends(end * 60, cause, well_since=moment(end * 60))
    terminal.beats(end, minutes + 1)
    return terminal


def silent(begin: int, end: int, terminal: str = TERMINAL) -> Written:
    beating = gateway()
    beating.beats(-1, begin, GATEWAY_WORKS)
    begun = {"outage": SEEN, "terminal": terminal, "since": moment(begin * 60)}
    beating.begins(begin * 60 + 61, "unclassified", **begun)
    beating.beats(begin + 2, end, GATEWAY_WORKS)
    beating.ends(end * 60, "unclassified", outage=SEEN)
    beating.beats(end, 21, GATEWAY_WORKS)
    return beating
