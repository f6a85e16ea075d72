"""Mutants of the gateway's watch: what it keeps to itself, and what it makes up."""

from __future__ import annotations

from typing import Any

from ciao.entries import Deletion, OutageBegin
from ciao.reading import Reading
from gateway.watch.diary import Diary
from gateway.watch.watch import Watch
from tests.sim.mutants.mutant import Patch


def outages_kept_quiet(patch: Patch) -> None:
    """An outage of the ONSS is not worth an entry."""
    write = Diary.write

    def forgetful(self: Diary, now: Reading, kind: Any, **fields: Any) -> bool:
        if kind is OutageBegin and str(fields["cause"]).startswith("onss"):
            return True
        return write(self, now, kind, **fields)

    patch(Diary, "write", forgetful)


def deleted_in_silence(patch: Patch) -> None:
    """What is deleted after its time is nobody's business."""
    write = Diary.write

    def discreet(self: Diary, now: Reading, kind: Any, **fields: Any) -> bool:
        return True if kind is Deletion else write(self, now, kind, **fields)

    patch(Diary, "write", discreet)


def onss_blamed(patch: Patch) -> None:
    """When in doubt, it is the ONSS."""
    probes = Watch._probes

    def blaming(self: Watch, now: Reading) -> dict[str, str]:
        return {**probes(self, now), "onss-http": "error"}

    patch(Watch, "_probes", blaming)


def notes_made_up(patch: Patch) -> None:
    """A heartbeat names a note that nobody got."""

    def naming(self: Watch) -> dict[str, str]:
        return dict.fromkeys(self._newest, "f" * 64)

    patch(Watch, "_to_name", naming)
