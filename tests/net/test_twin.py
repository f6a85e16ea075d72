"""The twin says what the real probes say, fault by fault, on real networks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hardware.probes.twin import Twin
from tests.demo.processes import Process
from tests.net.networks import ANCHORS, BROKER, SECOND_DNS, Networks, NoNetworks

SITE = "one"
# The broker's host takes connections at its port; nobody asks it for a handshake here.
_LOOK = f"""
import json
from ciao.reaching.endpoint import Endpoint
from hardware.probes.settings import ProbeSettings, targets
from hardware.probes.surroundings import Surroundings
anchors = tuple(address + ":443" for address in {ANCHORS!r})
settings = ProbeSettings(anchors, "{SECOND_DNS}", "http://page.example.be/204")
made, complaints = targets(settings, Endpoint("mqtt.example.be", 443))
assert not complaints
around = Surroundings(made, None, print)
print(json.dumps(around.round()), flush=True)
while input():
    print(json.dumps(around.round()), flush=True)
"""


class Lan:
    """A site whose surroundings are looked at when asked to."""

    def __init__(self, networks: Networks, folder: Path, stack: ExitStack) -> None:
        self.networks = networks
        self._stack = stack
        self._folder = folder
        self.resolver = self._host("provider", f"dns@{networks.resolver(SITE)}")
        self._host(f"portal-{SITE}", f"dns@{networks.resolver(SITE)}", "portal@0.0.0.0")
        self._host("page", "page@0.0.0.0")
        self._host("dns", f"dns@{SECOND_DNS}")
        for number, address in enumerate(ANCHORS, 1):
            self._host(f"anchor-{number}", f"accept@{address}")
        self.broker = self._host("broker", f"accept@{BROKER}")
        words = networks.inside(f"terminal-{SITE}", sys.executable, "-c", _LOOK)
        self._eyes = stack.enter_context(
            subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        stack.callback(self._eyes.kill)
        self.first = self._read()

    def look(self) -> dict[str, str]:
        """One round of the real probes."""
        assert self._eyes.stdin is not None
        self._eyes.stdin.write("look\n")
        self._eyes.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, str]:
        assert self._eyes.stdout is not None
        seen: dict[str, str] = json.loads(self._eyes.stdout.readline())
        seen.pop("voltage", None)
        return seen

    def _host(self, host: str, *services: str) -> Process:
        words = self.networks.inside(host, sys.executable, "-m", "tests.net.host", *services)
        made = Process(host, words, self._folder / f"{host}.log")
        self._stack.callback(made.kill)
        made.start(lambda: b"ready" in made.log.read_bytes())
        return made


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ciao-")))
        try:
            networks = stack.enter_context(Networks([SITE]))
        except NoNetworks as why:
            if "CI" in os.environ:
                pytest.fail(f"no network namespaces here: {why}", pytrace=False)
            pytest.skip(f"no network namespaces here: {why}")
        yield Lan(networks, folder, stack)


Deed = Callable[[Lan], None]

FAULTS: dict[str, tuple[Twin, Deed, Deed]] = {
    "cable": (
        Twin(cable=False),
        lambda lan: lan.networks.unplug(SITE),
        lambda lan: lan.networks.plug(SITE),
    ),
    "router": (
        Twin(router=False),
        lambda lan: lan.networks.kill_router(SITE),
        lambda lan: lan.networks.revive_router(SITE),
    ),
    "line": (
        Twin(line=False),
        lambda lan: lan.networks.cut_line(SITE),
        lambda lan: lan.networks.mend_line(SITE),
    ),
    "portal": (
        Twin(portal=True),
        lambda lan: lan.networks.show_portal(SITE),
        lambda lan: lan.networks.mend_line(SITE),
    ),
    "broker's host": (
        Twin(broker="timeout"),
        lambda lan: lan.networks.swallow("broker"),
        lambda lan: lan.networks.give_back("broker"),
    ),
}


def test_where_all_is_well_the_twin_says_what_the_probes_say(lan: Lan) -> None:
    assert lan.first == lan.look() == Twin().round()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_twin_says_of_each_fault_what_the_probes_say(lan: Lan, fault: str) -> None:
    twin, break_, mend = FAULTS[fault]
    break_(lan)
    try:
        assert lan.look() == twin.round()
    finally:
        mend(lan)
    assert lan.look() == Twin().round()
