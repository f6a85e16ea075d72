"""The gateway's watch on real networks: what fails on the way to the ONSS, and whose it is.

Five gateways, each with a broker, a resolver and a door to the ONSS of its own, break in five ways
at the same time, are mended, and break in five others. Nobody taps: all is found by looking. The
times are those of the entries; the waits are only to be long enough.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ciao.entries import OutageBegin, OutageEnd
from ciao.reading import parse_rfc3339
from tests.demo.people import EXEMPLE
from tests.net.gateways import Gateway, Gateways, settled
from tests.net.networks import NoNetworks
from tests.net.world import Told, describe, now, until

WITHIN = timedelta(seconds=30)
BLIPS = 2


@dataclass(frozen=True)
class Fault:
    """What is broken and mended, and what the journal is to call it."""

    cause: str
    break_: Callable[[Gateway], None]
    mend: Callable[[Gateway], None]
    employer: str | None = None


def _opened(one: Gateway) -> None:
    one.door.show()


FAULTS: dict[str, Fault] = {
    "answers 503": Fault("onss_unavailable", lambda one: one.door.show("sorry"), _opened),
    "flaps": Fault("onss_unavailable", lambda one: one.door.show("sorry"), _opened),
    "refuses a token": Fault(
        "onss_auth_rejected", lambda one: one.door.show("refusing"), _opened, EXEMPLE.id
    ),
    "has an expired certificate": Fault(
        "onss_unavailable", lambda one: one.door.show(certificate="expired"), _opened
    ),
    "has no name": Fault(
        "onss_unavailable", lambda one: one.names(onss=False), lambda one: one.names(onss=True)
    ),
    "our resolver is deaf": Fault("dns_isp", Gateway.deafen_resolver, Gateway.wake_resolver),
    "refuses connections": Fault("onss_unavailable", lambda one: one.door.shut(), _opened),
    "has somebody else's certificate": Fault(
        "onss_unavailable", lambda one: one.door.show(certificate="foreign"), _opened
    ),
    "our line is cut": Fault("unclassified", Gateway.cut_line, Gateway.mend_line),
    "our broker stops": Fault(
        "broker_down", lambda one: one.broker.kill(), lambda one: one.start_broker()
    ),
}
# Each gateway's faults, one after another.
LIVES = {
    "service": ("answers 503", "flaps"),
    "token": ("refuses a token", "has an expired certificate"),
    "name": ("has no name", "our resolver is deaf"),
    "door": ("refuses connections", "has somebody else's certificate"),
    "line": ("our line is cut", "our broker stops"),
}


@dataclass
class Days:
    """What was done to each, and when by this machine's clock."""

    gateways: Gateways
    broken: dict[str, datetime] = field(default_factory=dict)
    mended: dict[str, datetime] = field(default_factory=dict)
    told: dict[str, list[Told]] = field(default_factory=dict)
    _pause: threading.Event = field(default_factory=threading.Event)

    def live(self) -> None:
        """Break, wait until it is named, mend, wait until that is told; twice."""
        for one in self.gateways.found.values():
            settled(one)
        for turn in range(2):
            self._live({name: faults[turn] for name, faults in LIVES.items()})

    def _live(self, faults: dict[str, str]) -> None:
        found = self.gateways.found
        before = {name: len(found[name].told()) for name in faults}
        for name, fault in faults.items():
            self.broken[fault] = now()
            FAULTS[fault].break_(found[name])
        for name, fault in faults.items():
            until(found[name].is_out, f"an outage: {fault}")
        for name, fault in sorted(faults.items(), key=lambda one: one[1] == "flaps"):
            if fault == "flaps":
                self._flap(found[name])
            self.mended[fault] = now()
            FAULTS[fault].mend(found[name])
        for name, fault in faults.items():
            until(lambda name=name: not found[name].is_out(), f"the end: {fault}")  # type: ignore[misc]
            self.told[fault] = found[name].told()[before[name] :]

    def _flap(self, one: Gateway) -> None:
        """Back for less than it takes to end, and away again."""
        for _ in range(BLIPS):
            one.door.show()
            self._pause.wait(5.0)
            one.door.show("sorry")
            self._pause.wait(5.0)


@pytest.fixture(scope="module")
def days() -> Iterator[Days]:
    folder = Path(tempfile.mkdtemp(prefix="ciao-"))
    gateways = Gateways(folder, tuple(LIVES))
    made = Days(gateways)
    try:
        gateways.open()
        made.live()
        yield made
    except NoNetworks as why:
        if "CI" in os.environ:
            pytest.fail(f"no network namespaces here: {why}", pytrace=False)
        pytest.skip(f"no network namespaces here: {why}")
    except AssertionError as failed:
        raise AssertionError(f"{failed}\n{describe(folder)}") from failed
    finally:
        gateways.close()
        shutil.rmtree(folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_fails_is_named_within_30_s_and_so_is_its_end(days: Days, fault: str) -> None:
    begin, end = days.told[fault][0], days.told[fault][-1]
    assert {entry.cause for entry in days.told[fault]} == {FAULTS[fault].cause}
    assert isinstance(begin, OutageBegin) and isinstance(end, OutageEnd)
    assert {entry.employer for entry in days.told[fault]} == {FAULTS[fault].employer}
    assert days.broken[fault] <= parse_rfc3339(begin.at) <= days.broken[fault] + WITHIN
    assert days.mended[fault] <= parse_rfc3339(end.at) <= days.mended[fault] + WITHIN
    assert begin.since is not None
    assert parse_rfc3339(begin.since) >= days.broken[fault] - timedelta(seconds=1)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_is_one_outage_however_it_flaps(days: Days, fault: str) -> None:
    assert [type(entry) for entry in days.told[fault]] == [OutageBegin, OutageEnd]


def test_our_own_line_is_never_the_onsss_fault(days: Days) -> None:
    causes = {entry.cause for entry in days.gateways.found["line"].told()}
    assert "onss_unavailable" not in causes and "idp_unavailable" not in causes
