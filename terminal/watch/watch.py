"""The watch: what is seen and what the terminal knows of itself, into what is to be journalled.

Pure: the terminal writes it down, and says `noted` once it is on the disk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ciao.causes import classify
from ciao.entries import Affected, OpenOutage, Part
from ciao.keys import RandomBytes
from ciao.outages import BEGIN_AFTER_MS, Change, Outages
from ciao.reading import Reading, rfc3339
from hardware.events import Probed
from terminal.watch.past import Past
from terminal.watch.signals import Signals, works

# How often anything is decided; a tap's step is left alone, unless taps never cease.
EVERY_MS = 1_000
PUT_OFF_MS_MAX = 5_000
# While something is wrong everything is looked at this often.
LOOK_EVERY_MS = 4_000
# How long a look that is asked for is waited for: the slowest round, and a little.
LOOKED_FOR_MS_MAX = 10_000
# What was seen longer ago says nothing, if something is wrong: the eyes may have failed.
STALE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Look:
    """Please look at everything around, now."""


@dataclass(slots=True)
class Watch:
    """What is out, why, and what was seen last."""

    random_bytes: RandomBytes
    maintenance: bool = False
    outages: Outages = field(init=False)
    _seen: dict[str, str] = field(default_factory=dict)
    _seen_up_ms: int = -STALE_MS
    _blind: bool = True
    _line: dict[str, str] = field(default_factory=dict)
    _line_up_ms: int = 0
    _due_up_ms: int = 0
    _look_up_ms: int = 0
    _words: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outages = Outages(self.random_bytes)

    def begin(self, now: Reading, past: Past, watchdog: dict[str, str]) -> None:
        """Take up what was open, and tell of a silence that was longer than a restart takes."""
        self.outages.resume(past.entries)
        self.maintenance = past.maintenance
        silent_ms = past.silent_ms(now)
        if past.newest is not None and (silent_ms is None or silent_ms >= BEGIN_AFTER_MS):
            self.outages.silent(past.newest.at, {**past.stop(now), **watchdog})

    def saw(self, probed: Probed) -> bool:
        """Take what was seen; say whether what feeds the terminal became other than it was."""
        before = works(self._seen)
        if probed.whole:
            self._seen = dict(probed.seen)
            self._seen_up_ms = probed.reading.up_ms
            self._blind = False
        else:
            self._seen |= probed.seen
        after, feeds = works(self._seen), ("mains", "voltage")
        self._due_up_ms = 0
        return any(after.get(part) != before.get(part) for part in feeds if part in before)

    def due(self, now: Reading, *, busy: bool) -> bool:
        """Say whether it is time to decide; `busy`: somebody waits for a light in this step."""
        return now.up_ms >= self._due_up_ms + (PUT_OFF_MS_MAX if busy else 0)

    def observe(self, now: Reading, signals: Signals) -> list[Change]:
        """Say what is to be journalled now, by everything that is known."""
        self._due_up_ms = now.up_ms + EVERY_MS
        if signals.line != self._line:
            self._line, self._line_up_ms = signals.line, now.up_ms
            self._look_up_ms = 0
        if not self.outages.quiet and now.up_ms - self._seen_up_ms > STALE_MS:
            self._seen = {}
        # What was looked at before the line changed tells nothing of why it did, unless what went
        # down later was seen failing already.
        explained = signals.session != "ok" and "submit" in classify(self._seen)
        fresh = self._seen_up_ms >= self._line_up_ms or explained
        around = self._seen if fresh else {}
        self._words = {**signals.words(now), **around}
        waited = now.up_ms - self._line_up_ms >= LOOKED_FOR_MS_MAX
        unsure: list[Affected] = [] if fresh or waited or self._blind else ["submit"]
        return self.outages.observe(now, self._words, unsure)

    def look(self, now: Reading) -> Sequence[Look]:
        """Ask for another look, if something is wrong and the last was a while ago."""
        if self.outages.quiet or now.up_ms < self._look_up_ms:
            return []
        self._look_up_ms = now.up_ms + LOOK_EVERY_MS
        return [Look()]

    @property
    def works(self) -> dict[Part, bool]:
        """What a heartbeat says of the surroundings."""
        return works(self._seen)

    @property
    def open(self) -> list[OpenOutage]:
        """The outages that the journal calls open."""
        return self.outages.open

    def state(self, now: Reading) -> str:
        """Write what is known as one line of JSON, for whoever asks (`docs/protocol/causes.md`)."""
        known: dict[str, Any] = {
            "at": rfc3339(now.at),
            "maintenance": self.maintenance,
            "probes": self._words,
            "causes": classify(self._words),
            "outages": [
                {name: getattr(one, name) for name in ("outage", "affected", "cause", "since")}
                for one in self.open
            ],
        }
        return json.dumps(known, sort_keys=True)
