"""Each employer's credential: an outage of its own, which says nothing of other employers. Pure.

While something that all share fails, nobody's credential is to blame: none begins then, and one
that was out takes the cause that is shared (decision 37).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ciao.causes import classify
from ciao.entries import Entry, OutageBegin, OutageEnd, OutageUpdate
from ciao.keys import RandomBytes
from ciao.outages import Change, Outages
from ciao.reading import Reading

Words = Mapping[str, str]

# A round that hangs, and half a minute.
LOOKED_MS = 45_000


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """What to journal of one employer's credential."""

    employer: str
    change: Change

    @property
    def fields(self) -> dict[str, Any]:
        """The keyword arguments of its kind, without the common fields."""
        return {**self.change.fields, "employer": self.employer}


@dataclass(slots=True)
class _Employer:
    """One employer's outage, and when it was last said."""

    outages: Outages
    said_up_ms: int | None = None
    probes: Words = field(default_factory=dict)

    @property
    def cause(self) -> str | None:
        """Why nothing of this employer can be submitted, by the journal; None while it can."""
        return next((one.cause for one in self.outages.open), None)


class Credentials:
    """Those of all employers. `step` proposes; `noted` says that it is on the disk."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._employers: dict[str, _Employer] = {}
        self._begun_up_ms: int | None = None

    @property
    def open(self) -> dict[str, str]:
        """Whose credential the journal calls out now, each with its cause."""
        return {name: one.cause for name, one in self._employers.items() if one.cause}

    @property
    def quiet(self) -> bool:
        """Whether nobody's credential is out, suspected, or not told yet."""
        return all(one.outages.quiet for one in self._employers.values())

    def resume(self, before: Iterable[Entry]) -> None:
        """Take up again what these entries, oldest first, left open."""
        for entry in before:
            if not isinstance(entry, OutageBegin | OutageUpdate | OutageEnd):
                continue
            if entry.employer is not None:
                one = self._known(entry.employer)
                one.outages.resume([entry])
                one.probes = entry.probes

    def step(
        self, now: Reading, shared: Words, own: Mapping[str, Words], again_ms: int
    ) -> list[CredentialChange]:
        """Return what should be journalled now; each again until it was `noted`.

        `shared` is what counts for all employers, `own` what is known of each one's credential.
        What lasts is said again after `again_ms`.
        """
        all_fail = "submit" in classify(shared)
        self._begun_up_ms = now.up_ms if self._begun_up_ms is None else self._begun_up_ms
        # Nobody has looked yet: what was out before this start is no better for that.
        young = now.up_ms - self._begun_up_ms < LOOKED_MS
        found = []
        for name in sorted({*own, *self._employers}):
            one = self._known(name)
            if (all_fail and one.cause is None) or (young and name not in own):
                continue
            probes = {**shared, **({} if all_fail else own.get(name, {}))}
            changes = one.outages.observe(now, probes)
            if not changes and one.outages.open and self._is_due(one, now, again_ms):
                changes = [_again(one)]
            found += [CredentialChange(name, change) for change in changes]
        return found

    def noted(self, now: Reading, done: CredentialChange) -> None:
        """A change is on the disk."""
        one = self._known(done.employer)
        one.outages.noted(now, done.change)
        one.said_up_ms, one.probes = now.up_ms, done.change.probes

    def _known(self, name: str) -> _Employer:
        if name not in self._employers:
            self._employers[name] = _Employer(Outages(self._random_bytes))
        return self._employers[name]

    @staticmethod
    def _is_due(one: _Employer, now: Reading, again_ms: int) -> bool:
        return one.said_up_ms is None or now.up_ms - one.said_up_ms >= again_ms


def _again(one: _Employer) -> Change:
    (known,) = one.outages.open
    return Change(OutageUpdate, known.outage, known.cause, known.affected, one.probes)


def fails(own: Mapping[str, Words], shared: Words) -> list[str]:
    """Name the employers for whom nothing can be submitted now, though it could for others."""
    return [name for name, words in own.items() if "submit" in classify({**shared, **words})]
