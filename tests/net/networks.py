"""Hosts in network namespaces, joined by veth: sites behind a provider, and what lies beyond it.

    terminal ─ router ─┬─ provider ─┬─ anchor 1, 2, 3 · second DNS · page · broker · gateway · ONSS
                       └─ portal    ├─ the provider's own DNS, one address a site or further gateway
                                    └─ further gateways, each with a broker and an ONSS of its own

Each is a namespace of its own, named after this process, so that two runs don't meet. Nothing is
made in the namespace that runs the tests, and everything is taken down again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ONSS_NAME = "services.example.be"
NAMES = {
    "mqtt.example.be": "198.18.3.2",
    "page.example.be": "198.18.2.2",
    ONSS_NAME: "198.18.5.2",
}
ANCHORS = ("192.0.2.2", "198.51.100.2", "203.0.113.2")
SECOND_DNS, PAGE, BROKER, GATEWAY, ONSS = (f"198.18.{n}.2" for n in range(1, 6))
BEYOND = {
    **{f"anchor-{number}": address for number, address in enumerate(ANCHORS, 1)},
    "dns": SECOND_DNS,
    "page": PAGE,
    "broker": BROKER,
    "gateway": GATEWAY,
    "onss": ONSS,
}
_ETC = Path("/etc/netns")


class NoNetworks(Exception):
    """This machine can't make network namespaces: why, and what to do."""


def ip_command() -> str:
    """Find iproute2; raise NoNetworks saying how to install it."""
    found = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if found is None:
        raise NoNetworks("iproute2 is missing: sudo apt-get install iproute2")
    if os.geteuid() != 0:
        raise NoNetworks("network namespaces are made by root: run these tests as root")
    return found


@dataclass
class Networks:
    """All of it, for as long as the block lasts."""

    sites: Sequence[str]
    gateways: Sequence[str] = ()
    _ip: str = field(default_factory=ip_command)
    _made: list[str] = field(default_factory=list)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Networks:
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def name(self, host: str) -> str:
        """The namespace of a host."""
        return f"ciao-{os.getpid()}-{host}"

    def inside(self, host: str, *words: str) -> list[str]:
        """The command line that runs words on a host."""
        return [self._ip, "netns", "exec", self.name(host), *words]

    # -- what can happen --------------------------------------------------------------------------

    def unplug(self, site: str) -> None:
        """The terminal's cable is out: no carrier."""
        self._in(f"router-{site}", "link", "set", "lan", "down")

    def plug(self, site: str) -> None:
        """The cable is back."""
        self._in(f"router-{site}", "link", "set", "lan", "up")

    def kill_router(self, site: str) -> None:
        """The router is dead, the switch before it is not: carrier, and nobody answers."""
        self._forward(f"router-{site}", False)
        self._in(f"router-{site}", "address", "flush", "dev", "lan")

    def revive_router(self, site: str) -> None:
        """The router is back."""
        self._in(f"router-{site}", "address", "add", f"{self._lan(site)}.1/24", "dev", "lan")
        self._forward(f"router-{site}", True)

    def cut_line(self, site: str) -> None:
        """Behind the router everything is swallowed in silence."""
        self._in(f"router-{site}", "route", "replace", "blackhole", "default")

    def mend_line(self, site: str) -> None:
        """The line is back, or a portal is gone."""
        self._in(f"router-{site}", "route", "replace", "default", "via", f"{self._wan(site)}.1")

    def show_portal(self, site: str) -> None:
        """Whatever goes out ends at a portal."""
        self._in(f"router-{site}", "route", "replace", "default", "via", f"{self._side(site)}.1")

    def swallow(self, host: str) -> None:
        """A host beyond is away, and only that."""
        self._in("provider", "route", "add", "blackhole", f"{self._address(host)}/32")

    def give_back(self, host: str) -> None:
        """The host is there again."""
        self._in("provider", "route", "del", "blackhole", f"{self._address(host)}/32")

    # -- how it is built --------------------------------------------------------------------------

    def resolver(self, site: str) -> str:
        """The provider's resolver, as this site was given it."""
        return f"198.18.0.{53 + self._number(site)}"

    def resolver_of(self, gateway: str) -> str:
        """The provider's resolver, as this further gateway was given it."""
        return f"198.18.0.{153 + self.gateways.index(gateway)}"

    def onss_of(self, gateway: str) -> str:
        """Where this further gateway's ONSS is, all of them on one host."""
        return f"198.18.6.{1 + self.gateways.index(gateway)}"

    def _build(self) -> None:
        self._add("provider")
        self._forward("provider", True)
        for host, address in BEYOND.items():
            self._add(host)
            self._join("provider", f"to-{host}", self._first(address), host, "wan", address, 30)
            self._in(host, "route", "add", "default", "via", self._first(address))
            self._resolves(host, SECOND_DNS)
        for site in self.sites:
            self._build_site(site)
        if self.gateways:
            self._in("provider", "route", "add", "198.18.6.0/24", "via", ONSS)
        for gateway in self.gateways:
            self._build_gateway(gateway)

    def _build_gateway(self, gateway: str) -> None:
        host, address = f"gateway-{gateway}", self._address(f"gateway-{gateway}")
        self._add(host)
        end, number = self._first(address), self.gateways.index(gateway)
        self._join("provider", f"to-gateway-{number}", end, host, "wan", address, 30)
        self._in(host, "route", "add", "default", "via", end)
        # Its broker is on the same machine, at the address that its certificate is for.
        self._in(host, "address", "add", f"{BROKER}/32", "dev", "lo")
        self._in("onss", "address", "add", f"{self.onss_of(gateway)}/32", "dev", "lo")
        self._in("provider", "address", "add", f"{self.resolver_of(gateway)}/32", "dev", "lo")
        self._resolves(host, self.resolver_of(gateway))

    def _build_site(self, site: str) -> None:
        terminal, router, portal = f"terminal-{site}", f"router-{site}", f"portal-{site}"
        lan, wan, side = self._lan(site), self._wan(site), self._side(site)
        for host in (terminal, router, portal):
            self._add(host)
        self._forward(router, True)
        self._join(router, "lan", f"{lan}.1", terminal, "lan", f"{lan}.2", 24)
        self._in(terminal, "route", "add", "default", "via", f"{lan}.1")
        self._join("provider", f"site-{site}", f"{wan}.1", router, "wan", f"{wan}.2", 30)
        self._in(router, "route", "add", "default", "via", f"{wan}.1")
        self._in("provider", "route", "add", f"{lan}.0/24", "via", f"{wan}.2")
        resolver = self.resolver(site)
        self._in("provider", "address", "add", f"{resolver}/32", "dev", "lo")
        self._join(portal, "side", f"{side}.1", router, "side", f"{side}.2", 30)
        self._in(portal, "route", "add", f"{lan}.0/24", "via", f"{side}.2")
        self._in(portal, "address", "add", f"{resolver}/32", "dev", "lo")
        # It takes every address for its own: whoever asks anybody asks the portal.
        self._in(portal, "route", "add", "local", "default", "dev", "lo")
        self._resolves(terminal, resolver)

    def _add(self, host: str) -> None:
        name = self.name(host)
        self._run("netns", "add", name)
        self._stack.callback(self._run, "netns", "del", name)
        self._in(host, "link", "set", "lo", "up")

    def _resolves(self, host: str, resolver: str) -> None:
        folder = _ETC / self.name(host)
        folder.mkdir(parents=True, exist_ok=True)
        self._stack.callback(shutil.rmtree, folder)
        (folder / "resolv.conf").write_text(
            f"nameserver {resolver}\noptions timeout:1 attempts:1\n"
        )

    def _join(
        self, one: str, its: str, address: str, other: str, theirs: str, far: str, length: int
    ) -> None:
        end = ("type", "veth", "peer", "name", theirs, "netns", self.name(other))
        self._in(one, "link", "add", its, *end)
        for host, device, held in ((one, its, address), (other, theirs, far)):
            self._in(host, "address", "add", f"{held}/{length}", "dev", device)
            self._in(host, "link", "set", device, "up")

    def _forward(self, host: str, on: bool) -> None:
        words = f"echo {int(on)} > /proc/sys/net/ipv4/ip_forward"
        _call(self.inside(host, "sh", "-c", words))

    def _in(self, host: str, *words: str) -> None:
        self._run("-n", self.name(host), *words)

    def _run(self, *words: str) -> None:
        _call([self._ip, *words])

    def _number(self, site: str) -> int:
        return list(self.sites).index(site)

    def _lan(self, site: str) -> str:
        return f"192.168.{100 + self._number(site)}"

    def _wan(self, site: str) -> str:
        return f"198.19.{self._number(site)}"

    def _side(self, site: str) -> str:
        return f"198.19.{100 + self._number(site)}"

    def _address(self, host: str) -> str:
        further = host.removeprefix("gateway-")
        if further in self.gateways:
            return f"198.18.{20 + self.gateways.index(further)}.2"
        return BEYOND[host]

    @staticmethod
    def _first(address: str) -> str:
        return address.rpartition(".")[0] + ".1"


def _call(words: Sequence[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip()
        raise NoNetworks(f"{' '.join(words)}: {said or f'ended with {done.returncode}'}")
