"""The outage watch on real networks: each fault by its cause within 30 s, and so its end.

One world for all of it: seven sites break in seven ways at the same time, are mended, and then lose
their broker. The times are those of the entries; the waits are only to be long enough.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ciao.entries import ClockStep, OutageBegin, OutageEnd, OutageUpdate
from ciao.reading import parse_rfc3339
from tests.net.networks import NoNetworks
from tests.net.world import Site, Told, World, describe, now, until

WITHIN = timedelta(seconds=30)
SITES = ("cable", "router", "line", "dns", "portal", "clock", "flap")
CAUSES = {
    "cable": "local_link_down",
    "router": "lan_router_down",
    "line": "isp_upstream",
    "dns": "dns_isp",
    "portal": "captive_portal",
}
# Long enough for what the start of a terminal and its first connection were to be over.
CALM_S = 15.0
AHEAD_S = 7200


@dataclass
class Day:
    """What was done, and when by this machine's clock."""

    world: World
    broken: dict[str, datetime] = field(default_factory=dict)
    mended: dict[str, datetime] = field(default_factory=dict)
    _pause: threading.Event = field(default_factory=threading.Event)

    def live(self) -> None:
        """Break everything, mend it, take the broker away, and bring it back."""
        self._wait(CALM_S)
        self._break()
        self._mend()
        self._without_broker()

    def site(self, name: str) -> Site:
        """One of the sites."""
        return self.world.terminals[name]

    def _break(self) -> None:
        networks = self.world.networks
        # What fails at the ONSS is seen from the gateway, whatever happens at the sites.
        self.broken["onss"] = now()
        self.world.onss.doors[""].show("sorry")
        # A resolver is missed by those who need it: a terminal that starts.
        self.site("dns").process.stop()
        self.world.break_dns("dns")
        for name, fault in (
            ("cable", networks.unplug),
            ("clock", networks.unplug),
            ("router", networks.kill_router),
            ("line", networks.cut_line),
            ("portal", networks.show_portal),
        ):
            self.broken[name] = now()
            fault(name)
        for _ in range(3):
            networks.unplug("flap")
            self._wait(8.0)
            networks.plug("flap")
            self._wait(4.0)
        self.broken["dns"] = now()
        self.site("dns").start()
        until(self._onss_told, "an outage of the ONSS")
        for name in CAUSES:
            until(lambda name=name: self.site(name).told(), f"an outage at {name}")  # type: ignore[misc]
        self.site("clock").set_clock(AHEAD_S)
        until(self._steps, "a clock_step")

    def _mend(self) -> None:
        networks = self.world.networks
        self.mended["onss"] = now()
        self.world.onss.doors[""].show()
        for name, mend in (
            ("cable", networks.plug),
            ("clock", networks.plug),
            ("router", networks.revive_router),
            ("line", networks.mend_line),
            ("portal", networks.mend_line),
            ("dns", self.world.mend_dns),
        ):
            self.mended[name] = now()
            mend(name)
        for name in SITES:
            until(self.site(name).works, f"the end of the outage at {name}")
        until(lambda: len(self._onss_told()) > 1, "the end of the ONSS's outage")

    def _without_broker(self) -> None:
        self.site("portal").process.kill()
        self.broken["combined"] = now()
        self.world.networks.cut_line("line")
        self._wait(8.0)
        self.site("portal").start()
        self.broken["broker"] = now()
        self.world.stop_broker()
        for name in ("cable", "line"):
            until(lambda name=name: not self.site(name).works(), f"an outage at {name}")  # type: ignore[misc]
        self.mended["combined"] = now()
        self.world.networks.mend_line("line")
        until(lambda: self.site("line").words()[-1] == "update broker_down", "the broker's turn")
        self.mended["broker"] = now()
        self.world.start_broker()
        for name in SITES:
            until(self.site(name).works, f"the end of the broker's outage at {name}")

    def _onss_told(self) -> list[Told]:
        return [e for e in self.world.seen_by_gateway() if e.cause == "onss_unavailable"]

    def _steps(self) -> list[ClockStep]:
        return [e for e in self.site("clock").entries() if isinstance(e, ClockStep)]

    def _wait(self, seconds: float) -> None:
        self._pause.wait(seconds)


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    folder = Path(tempfile.mkdtemp(prefix="ciao-"))
    world = World(folder, SITES, faked=("clock",))
    made = Day(world)
    try:
        world.open()
        made.live()
        yield made
    except NoNetworks as why:
        if "CI" in os.environ:
            pytest.fail(f"no network namespaces here: {why}", pytrace=False)
        pytest.skip(f"no network namespaces here: {why}")
    except AssertionError as failed:
        raise AssertionError(f"{failed}\n{describe(folder)}") from failed
    finally:
        world.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("site", CAUSES)
def test_each_fault_is_named_within_30_s_and_so_is_its_end(day: Day, site: str) -> None:
    told = day.site(site).told()
    begin, end = told[0], told[1]
    assert day.site(site).words()[:2] == [f"begin {CAUSES[site]}", f"end {CAUSES[site]}"]
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert day.broken[site] <= parse_rfc3339(begin.at) <= day.broken[site] + WITHIN
    assert day.mended[site] <= parse_rfc3339(end.at) <= day.mended[site] + WITHIN
    assert begin.since is not None
    assert parse_rfc3339(begin.since) >= day.broken[site] - timedelta(seconds=1)


def test_the_onss_and_a_line_may_fail_at_once_and_each_journal_tells_its_own(day: Day) -> None:
    begin, end = day._onss_told()
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert day.broken["onss"] <= parse_rfc3339(begin.at) <= day.broken["onss"] + WITHIN
    assert day.mended["onss"] <= parse_rfc3339(end.at) <= day.mended["onss"] + WITHIN
    assert all("onss" not in entry.cause for name in SITES for entry in day.site(name).told())


def test_flapping_is_one_outage(day: Day) -> None:
    before = [e for e in day.site("flap").told() if parse_rfc3339(e.at) < day.broken["broker"]]
    assert [type(e) for e in before] == [OutageBegin, OutageEnd]
    assert {e.cause for e in before} == {"local_link_down"}


def test_a_broker_that_stops_is_named_within_30_s_and_so_is_its_end(day: Day) -> None:
    begin, end = day.site("cable").told()[-2:]
    assert (begin.cause, end.cause) == ("broker_down", "broker_down")
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert parse_rfc3339(begin.at) <= day.broken["broker"] + WITHIN
    assert parse_rfc3339(end.at) <= day.mended["broker"] + WITHIN


def test_of_two_faults_each_is_named_in_its_turn_within_30_s(day: Day) -> None:
    begin, update, end = day.site("line").told()[-3:]
    assert isinstance(begin, OutageBegin) and begin.cause == "isp_upstream"
    assert isinstance(update, OutageUpdate) and update.cause == "broker_down"
    assert isinstance(end, OutageEnd) and begin.outage == update.outage == end.outage
    assert parse_rfc3339(begin.at) <= day.broken["combined"] + WITHIN
    assert parse_rfc3339(update.at) <= day.mended["combined"] + WITHIN
    assert parse_rfc3339(end.at) <= day.mended["broker"] + WITHIN


def test_a_clock_that_is_set_in_an_outage_is_told_and_changes_no_duration(day: Day) -> None:
    site = day.site("clock")
    (step,) = [e for e in site.entries() if isinstance(e, ClockStep)]
    moved = parse_rfc3339(step.after) - parse_rfc3339(step.before)
    assert abs(moved - timedelta(seconds=AHEAD_S)) < timedelta(seconds=1)
    begin, end = (e for e in site.told() if e.cause == "local_link_down")
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert begin.outage == end.outage and begin.seq < step.seq < end.seq
    assert (end.cause, begin.boot) == ("local_link_down", end.boot)
    lasted = timedelta(milliseconds=end.up_ms - begin.up_ms)
    assert lasted <= day.mended["clock"] - day.broken["clock"] + WITHIN
    ahead = timedelta(seconds=AHEAD_S)
    assert parse_rfc3339(end.well_since) - ahead <= day.mended["clock"] + WITHIN


@pytest.mark.parametrize(
    ("site", "cause"), [("portal", "terminal_fault"), ("dns", "manual_power_off")]
)
def test_killed_and_stopped_are_told_apart(day: Day, site: str, cause: str) -> None:
    told = day.site(site).words("register")
    assert f"update {cause}" in told or f"begin {cause}" in told
    others = {"terminal_fault", "manual_power_off"} - {cause}
    assert not any(word.endswith(other) for word, other in itertools.product(told, others))


def test_nothing_is_told_that_did_not_happen(day: Day) -> None:
    """Each site had its own fault, and the broker's."""
    for name in ("cable", "router"):
        told = [e for e in day.site(name).told() if parse_rfc3339(e.at) >= day.broken[name]]
        assert {entry.cause for entry in told} == {CAUSES[name], "broker_down"}, told
