"""Mutants of the terminal's watch: what it keeps to itself, makes up, or tells too soon."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ciao import outages
from ciao.causes import classify
from ciao.entries import OutageBegin, OutageEnd
from ciao.outages import Change, Outages, _Track
from ciao.reading import rfc3339
from ciao.responsibility import Class, _Judging
from tests.sim.mutants.mutant import Patch


def line_never_looked_at(patch: Patch) -> None:
    """What a probe says of the line is not heard."""

    def deaf(probes: Any, *rest: Any) -> Any:
        heard = {name: said for name, said in probes.items() if name not in ("link", "router")}
        return classify(heard, *rest)

    patch(outages, "classify", deaf)


def outage_never_over(patch: Patch) -> None:
    """Once out, always out."""
    observe = _Track.observe

    def gloomy(self: _Track, *given: Any) -> Change | None:
        change = observe(self, *given)
        return None if change is not None and change.kind is OutageEnd else change

    patch(_Track, "observe", gloomy)


def provider_blamed(patch: Patch) -> None:
    """Whatever it is, it was the provider."""
    observe = _Track.observe

    def blaming(self: _Track, *given: Any) -> Change | None:
        change = observe(self, *given)
        if change is None or change.kind is not OutageBegin:
            return change
        return replace(change, cause="isp_upstream")

    patch(_Track, "observe", blaming)


def well_since_it_was_told(patch: Patch) -> None:
    """It is well from the moment at which that is written down."""
    observe = _Track.observe

    def late(self: _Track, now: Any, *given: Any) -> Change | None:
        change = observe(self, now, *given)
        if change is None or change.kind is not OutageEnd:
            return change
        return replace(change, well_since=rfc3339(now.at))

    patch(_Track, "observe", late)


def power_cut_forgotten(patch: Patch) -> None:
    """A start doesn't look at how the terminal had stopped."""
    patch(Outages, "silent", lambda *_: None)


def silence_is_an_outage(patch: Patch) -> None:
    """A minute of which nobody wrote did not work."""
    say = _Judging._say

    def accusing(self: _Judging, *given: Any) -> Any:
        said = say(self, *given)
        return (
            said
            if said[0] is not Class.NO_DATA
            else (Class.UNDETERMINED, "unclassified", *said[2:])
        )

    patch(_Judging, "_say", accusing)


def over_at_once(patch: Patch) -> None:
    """The first good sign ends it."""
    patch(outages, "WELL_MS", 1_000)
