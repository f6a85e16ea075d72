"""What `[probes]` of a terminal's settings may say, and what can be made of it. Pure.

A terminal must stamp whatever stands there: what can't be used is said in one line, left out, and
the watch goes on with the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from ciao.causes import ANCHORS_MIN
from ciao.reaching.endpoint import Address, Endpoint, literal, networks

EVERY_S_MIN, EVERY_S_MAX = 1, 60
LIMIT_S_MIN, LIMIT_S_MAX = 0.1, 5.0
ANCHORS_MAX = 8
NUT_PORT = 3493
_ANCHOR = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})")
_UPS = re.compile(
    r"(?P<name>[A-Za-z0-9_-]{1,32})@(?P<host>[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
)


class ProbeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is asked. Nobody outside is, unless he is named here.

    `anchors`: three or more hosts in different networks, `address:port`; `dns`: a resolver that is
    not the provider's; `portal`: a page that answers 204; `interface`: where it isn't the default
    route's; `ups`: `name@host[:port]` of Network UPS Tools.
    """

    anchors: tuple[str, ...] = ()
    dns: str = ""
    portal: str = ""
    interface: str = ""
    ups: str = ""
    every_s: int = 10
    limit_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Portal:
    """A page that answers 204, unless somebody answers in its place."""

    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Ups:
    """A UPS as Network UPS Tools names it."""

    name: str
    server: Endpoint


@dataclass(frozen=True, slots=True)
class Targets:
    """What is asked, as checked values."""

    broker: Endpoint
    anchors: tuple[Endpoint, ...] = ()
    dns: str = ""
    portal: Portal | None = None
    interface: str = ""
    ups: Ups | None = None
    every_s: int = 10
    limit_s: float = 2.0

    @property
    def question(self) -> str:
        """The name that both resolvers are asked for; the root of all where there is none."""
        for host in (self.broker.host, self.portal.host if self.portal else ""):
            if host and literal(host) is None:
                return host
        return "."

    @property
    def leads_outside(self) -> bool:
        """Whether the way to the broker leaves this machine; else there is no link to look at."""
        address = literal(self.broker.host)
        return self.broker.host != "localhost" and not (address and address.is_loopback)


def targets(settings: ProbeSettings, broker: Endpoint) -> tuple[Targets, list[str]]:
    """Return what can be asked, and a line for each thing that can't be used."""
    complaints: list[str] = []
    anchors = _anchors(settings.anchors, complaints)
    dns = settings.dns
    if dns and literal(dns) is None:
        complaints.append(f"'probes.dns' is {dns!r}: give a resolver's literal address")
        dns = ""
    portal = _portal(settings.portal) if settings.portal else None
    if settings.portal and portal is None:
        complaints.append(f"'probes.portal' is {settings.portal!r}: give an http:// address")
    ups = _ups(settings.ups) if settings.ups else None
    if settings.ups and ups is None:
        complaints.append(f"'probes.ups' is {settings.ups!r}: give name@host, or name@host:port")
    every_s = min(max(settings.every_s, EVERY_S_MIN), EVERY_S_MAX)
    if every_s != settings.every_s:
        complaints.append(f"'probes.every_s' is {settings.every_s}: {every_s} is taken")
    limit_s = min(max(settings.limit_s, LIMIT_S_MIN), LIMIT_S_MAX)
    if limit_s != settings.limit_s:
        complaints.append(f"'probes.limit_s' is {settings.limit_s}: {limit_s} is taken")
    interface = settings.interface
    if "/" in interface or interface in (".", ".."):
        complaints.append(f"'probes.interface' is {interface!r}: give a name such as eth0")
        interface = ""
    made = Targets(broker, anchors, dns, portal, interface, ups, every_s, limit_s)
    return made, complaints


def _anchors(texts: tuple[str, ...], complaints: list[str]) -> tuple[Endpoint, ...]:
    found: dict[Endpoint, Address] = {}
    for text in texts[:ANCHORS_MAX]:
        match = _ANCHOR.fullmatch(text)
        address = literal((match["six"] or match["four"]) if match else "")
        if match is None or address is None or not _is_port(match["port"]):
            complaints.append(
                f"'probes.anchors' has {text!r}, which is left out: give a literal address and a"
                " port, as 192.0.2.1:443"
            )
        else:
            found[Endpoint(str(address), int(match["port"]))] = address
    reached = networks(found.values())
    if texts and reached < ANCHORS_MIN:
        complaints.append(
            f"'probes.anchors' reach {reached} networks: with fewer than {ANCHORS_MIN} a"
            " provider's fault can't be told from an anchor's"
        )
    if len(texts) > ANCHORS_MAX:
        complaints.append(f"'probes.anchors' are {len(texts)}: the first {ANCHORS_MAX} are asked")
    return tuple(found)


def _portal(text: str) -> Portal | None:
    try:
        parts = urlsplit(text)
        port = parts.port or 80
    except ValueError:
        return None
    if parts.scheme != "http" or not parts.hostname or not parts.hostname.isascii():
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Portal(parts.hostname, port, path) if path.isprintable() and path.isascii() else None


def _ups(text: str) -> Ups | None:
    match = _UPS.fullmatch(text)
    if match is None or not _is_port(match["port"] or str(NUT_PORT)):
        return None
    return Ups(match["name"], Endpoint(match["host"], int(match["port"] or NUT_PORT)))


def _is_port(text: str) -> bool:
    return 0 < int(text) < 65_536
