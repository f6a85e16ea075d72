"""Edge: the interface that leads outside: what it is, carrier, address, default router.

Read from /sys/class/net and by netlink. A router that has answered us before and does not any more
is unreachable; of one that never speaks to us the kernel's neighbour state is believed, which takes
longer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ciao.reaching.endpoint import Address, Endpoint
from hardware.probes import netlink

_INTERFACES = Path("/sys/class/net")
# What most routers answer at: names, and the page to set them up.
_ROUTER_PORTS = (53, 80)
# /sys/class/net/*/type, <linux/if_arp.h>: PPP, and what a modem shows without Ethernet's headers.
_MOBILE_TYPES = {"512", "519"}
_OPERATING = {"up", "unknown"}


@dataclass(slots=True)
class Interface:
    """Looks at one interface: the configured one, else where the default route leads.

    Where there is no route any more (a cable that is out takes it along), the last one counts.
    """

    name: str = ""
    _last: str = ""
    _answering: set[Address] = field(default_factory=set)

    def look(self) -> dict[str, str]:
        """Say `medium`, `link`, `address`, and `router` where it is plain; quick, asks nobody."""
        try:
            routes, addresses = netlink.default_routes(), netlink.addresses()
        except OSError:
            return {}
        name = self._choose(routes)
        if not name:
            return {}
        said = {"medium": _medium(name), "link": _link(name)}
        if said["link"] != "ok":
            return said
        said["address"] = _address([a for index, a in addresses if index == _index(name)])
        if said["address"] == "ok" and not self._routes(routes, name):
            said["router"] = "none"
        return said

    def router_doors(self) -> list[Endpoint]:
        """Where the default router can be knocked at; none where there is no such router."""
        route = self._route()
        if route is None or route.gateway is None:
            return []
        scope = f"%{self._last}" if route.gateway.is_link_local else ""
        return [Endpoint(f"{route.gateway}{scope}", port) for port in _ROUTER_PORTS]

    def router(self, words: Sequence[str]) -> dict[str, str]:
        """Say `ok` or `unreachable` by what its doors said; nothing where nobody can tell yet."""
        route = self._route()
        if route is None:
            return {}
        if route.gateway is None:
            # The line itself leads there: there is no router that could fail.
            return {"router": "ok"}
        if "ok" in words or "refused" in words:
            self._answering.add(route.gateway)
            return {"router": "ok"}
        state = 0
        with contextlib.suppress(OSError):
            state = netlink.neighbours().get((route.index, route.gateway), 0)
        away = state & (netlink.NUD_FAILED | netlink.NUD_INCOMPLETE) or "unreachable" in words
        if away or route.gateway in self._answering:
            return {"router": "unreachable"}
        return {"router": "ok"} if state & netlink.NUD_REACHABLE else {}

    def _route(self) -> netlink.Route | None:
        try:
            return next(iter(self._routes(netlink.default_routes(), self._last)), None)
        except OSError:
            return None

    def _choose(self, routes: Sequence[netlink.Route]) -> str:
        names = {_index(path.name): path.name for path in _physical()}
        leading = next((names[route.index] for route in routes if route.index in names), "")
        alone = next(iter(names.values()), "") if len(names) == 1 else ""
        self._last = self.name or leading or self._last or alone
        return self._last

    @staticmethod
    def _routes(routes: Sequence[netlink.Route], name: str) -> list[netlink.Route]:
        return [route for route in routes if route.index == _index(name)]


def _physical() -> list[Path]:
    try:
        return [path for path in sorted(_INTERFACES.iterdir()) if path.name != "lo"]
    except OSError:
        return []


def _medium(name: str) -> str:
    path = _INTERFACES / name
    if (path / "wireless").exists() or (path / "phy80211").exists():
        return "wireless"
    kind = "DEVTYPE=wwan" in _read(path / "uevent") or name.startswith(("wwan", "ppp"))
    return "mobile" if kind or _read(path / "type") in _MOBILE_TYPES else "wired"


def _link(name: str) -> str:
    path = _INTERFACES / name
    if not path.exists():
        return "absent"
    # Of an interface that is switched off `carrier` can't even be read. Wireless: not associated.
    up = _read(path / "carrier") == "1" and _read(path / "operstate") in _OPERATING
    return "ok" if up else "down"


def _address(held: Sequence[Address]) -> str:
    if any(not address.is_link_local for address in held):
        return "ok"
    return "self_assigned" if any(address.version == 4 for address in held) else "none"


def _index(name: str) -> int:
    text = _read(_INTERFACES / name / "ifindex")
    return int(text) if text.isdigit() else -1


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
