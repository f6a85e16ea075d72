"""What takes minutes from "worked": outages, silences before a start, maintenance. Pure.

Each claim is a cause and the entries that say so; a minute goes to one of them at most.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ciao.causes import PROPOSALS, Party, Proposal
from ciao.entries import Affected, SeqRange
from ciao.minutes import (
    FAILS,
    FOREVER_MS,
    HEARD,
    MINUTE_MS,
    WORKS,
    Minutes,
    Outage,
    touched,
)

MAINTENANCE = "maintenance"
# What lasts in a gateway's journal is said again within six hours, and by its next start.
SAID_AGAIN_MS = 6 * 3_600_000 + 60_000
# Which counts where several meet: the one that speaks least for the employer first.
SEVERITY: tuple[Party, ...] = ("employer", "undetermined", "third_party", "onss")

_NOBODY = Proposal("undetermined", "undetermined", (), ())
_PROPOSALS: Mapping[str, Proposal] = {
    **{str(cause): proposal for cause, proposal in PROPOSALS.items()},
    MAINTENANCE: Proposal("employer", "employer", (), (42,)),
}
_ITEM = array("L").itemsize


def proposal_of(cause: str) -> Proposal:
    """Return what is proposed for a cause; nobody for one that this version does not know."""
    return _PROPOSALS.get(cause, _NOBODY)


@dataclass(frozen=True, slots=True)
class Claim:
    """A cause, the outage that has it ("" where no entry names one), and what says so.

    `has_document`: a third party's; `by_ups`: its probes tell of the mains; `by_gateway`: a
    gateway's journal says so, of itself or of what lies behind it.
    """

    cause: str
    outage: str
    entries: tuple[SeqRange, ...]
    has_document: bool = False
    by_ups: bool = False
    by_gateway: bool = False


class Claims:
    """All claims of a period. A painted minute holds the number of its claim, 0 for none."""

    def __init__(self, documents: Mapping[str, SeqRange]) -> None:
        self._documents = documents
        self._claims: list[Claim] = []

    def __getitem__(self, number: int) -> Claim:
        """Return a claim by its number, from 1."""
        return self._claims[number - 1]

    def paint(
        self, minutes: Minutes, affected: Affected, *, by_gateway: bool, employer: str | None = None
    ) -> array[int]:
        """Say of each minute which claim takes it: those of outages first.

        Of outages of a credential only those of `employer` count, where one is named.
        """
        painted = array("L", bytes(_ITEM * minutes.count))
        for outage in sorted(minutes.outages.values(), key=lambda one: one.id):
            # Who is not there to write can't submit either.
            wanted = outage.affected == affected or outage.spoke_of_a_stop
            ours = employer is None or outage.employer in (None, employer)
            if wanted and ours and outage.terminal is None:
                self._outage(minutes, outage, affected, by_gateway, painted)
        for begin_ms, end_ms, entry in _untimed(minutes):
            claim = Claim("clock_untrusted", "", (entry,))
            self._fill(minutes, painted, (begin_ms, end_ms), claim)
        for begin_ms, end_ms, cause, entry in _stops(minutes):
            named = "gateway_down" if by_gateway else cause
            self._fill(minutes, painted, (begin_ms, end_ms), Claim(named, "", (entry,)))
        for begin_ms, end_ms, entry in minutes.maintenance:
            number = self._add(Claim(MAINTENANCE, "", (entry,), by_gateway=by_gateway))
            for index in touched(minutes, begin_ms, end_ms):
                if painted[index] or minutes.marks[index] & FAILS[affected]:
                    painted[index] = number
        return painted

    def _outage(
        self,
        minutes: Minutes,
        outage: Outage,
        affected: Affected,
        by_gateway: bool,
        painted: array[int],
    ) -> None:
        """An outage takes the minutes it touches, if they were witnessed, and nothing denies it."""
        begin_ms, end_ms = _span(outage)
        edges = (minutes.minute(begin_ms), minutes.minute(end_ms - 1))
        stop = outage.spoke_of_a_stop
        for cause, from_ms, to_ms in _phases(outage):
            number = self._add(self._claim(outage, cause, by_gateway))
            for index in touched(minutes, from_ms, to_ms):
                mark = minutes.marks[index]
                # Heartbeats tell of the service, and of nobody's credential.
                works = mark & WORKS[affected] and not mark & FAILS[affected]
                denied = works and outage.employer is None
                there = mark & HEARD or stop
                if there and (not denied or (index in edges and not stop)):
                    self._take(painted, index, number)

    def _claim(self, outage: Outage, cause: str, by_gateway: bool) -> Claim:
        document = self._documents.get(outage.id)
        said = [phase.entry for phase in outage.phases]
        said += [one for one in (outage.ended_by, document) if one is not None]
        ups = any(phase.probes.get("mains") == "lost" for phase in outage.phases)
        return Claim(cause, outage.id, tuple(said), document is not None, ups, by_gateway)

    def _take(self, painted: array[int], index: int, number: int) -> None:
        """Let a claim take a minute, unless one is there that speaks less for the employer."""
        before = painted[index]
        if not before or self._rank(number) < self._rank(before):
            painted[index] = number

    def _rank(self, number: int) -> tuple[int, str]:
        claim = self[number]
        return SEVERITY.index(proposal_of(claim.cause).alone), claim.outage

    def _fill(
        self, minutes: Minutes, painted: array[int], span: tuple[int, int], claim: Claim
    ) -> None:
        """A claim on minutes of which nobody wrote anything; on others it has nothing to say."""
        number = self._add(claim)
        for index in touched(minutes, *span):
            mark = minutes.marks[index]
            works = mark & (WORKS["register"] | WORKS["submit"])
            unsaid = not mark & HEARD or index == minutes.minute(span[1])
            if unsaid and not works and not painted[index]:
                painted[index] = number

    def _add(self, claim: Claim) -> int:
        self._claims.append(claim)
        return len(self._claims)


def _span(outage: Outage) -> tuple[int, int]:
    """From when to when an outage is believed: a credential's that nobody says again is over."""
    begin_ms, end_ms = outage.span
    if outage.employer is not None and outage.phases:
        end_ms = min(end_ms, outage.phases[-1].at_ms + SAID_AGAIN_MS)
    return begin_ms, end_ms


def _phases(outage: Outage) -> Iterator[tuple[str, int, int]]:
    """Yield each cause of an outage with its time: the first from its beginning."""
    begin_ms, end_ms = _span(outage)
    starts = [begin_ms, *(phase.at_ms for phase in outage.phases[1:])]
    for number, phase in enumerate(outage.phases):
        following = starts[number + 1 : number + 2]
        yield phase.cause, starts[number], min(end_ms, *following) if following else end_ms


def _stops(minutes: Minutes) -> Iterator[tuple[int, int, str, SeqRange]]:
    """Find the time before each start in which nobody wrote: from the last word to the start."""
    for started in sorted(minutes.started.values(), key=lambda one: one.at_ms):
        index = min(minutes.minute(started.at_ms), minutes.count)
        last = index - 1
        while last >= 0 and not minutes.marks[last] & HEARD:
            last -= 1
        # The first start ever: nobody was missing before. A late one: somebody wrote since.
        first_ever = index < 0 or (last < 0 and not minutes.heard_before)
        if not first_ever and started.at_ms <= minutes.heard_after_ms:
            cause = "manual_power_off" if started.clean else "power_loss_unexplained"
            begin_ms = minutes.begin_ms + (last + 1) * MINUTE_MS
            yield min(begin_ms, started.at_ms), started.at_ms, cause, started.entry


def _untimed(minutes: Minutes) -> Iterator[tuple[int, int, SeqRange]]:
    """Find where entries without a time must lie: from the last known moment to the next."""
    found = minutes.untimed
    for one in sorted(found, key=lambda one: (one.after_ms, one.entries.origin, one.entries.first)):
        index = max(minutes.minute(one.after_ms) + 1, 0)
        while index < minutes.count and not minutes.marks[index] & HEARD:
            index += 1
        if index < minutes.count or minutes.heard_after_ms < FOREVER_MS:
            yield one.after_ms, minutes.begin_ms + index * MINUTE_MS, one.entries
