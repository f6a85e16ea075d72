"""Edge: what the kernel knows of addresses, default routes and neighbours (rtnetlink(7)).

Three dumps over one socket, no process, no privilege, IPv4 and IPv6 alike; some 0.2 ms each. The
library that does all of rtnetlink costs the tap process more memory than it has to spare.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ciao.reaching.endpoint import Address

_GET_ADDRESS, _GET_ROUTE, _GET_NEIGHBOUR = 22, 26, 30
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ADDRESS, _ROUTE, _NEIGHBOUR = (
    struct.Struct("=BBBBI"),
    struct.Struct("=8BI"),
    struct.Struct("=BBHiHBB"),
)
_FAMILIES = {socket.AF_INET, socket.AF_INET6}
# <linux/rtnetlink.h>, <linux/if_addr.h>, <linux/neighbour.h>
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY = 4, 5, 6
_RT_TABLE_MAIN, _RTN_UNICAST = 254, 1
_NDA_DST = 1
NUD_INCOMPLETE, NUD_REACHABLE, NUD_FAILED = 0x01, 0x02, 0x20
_LIMIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Route:
    """A default route; `gateway` is None where the line itself leads there (PPP)."""

    index: int
    gateway: Address | None
    metric: int


def addresses() -> list[tuple[int, Address]]:
    """List each address with the index of its interface; raise OSError."""
    found = []
    for family, _, _, _, index, attributes in _dump(_GET_ADDRESS, _ADDRESS):
        raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
        if family in _FAMILIES and raw:
            found.append((index, ipaddress.ip_address(raw)))
    return found


def default_routes() -> list[Route]:
    """List the default routes, the preferred one first; raise OSError."""
    found = []
    for row in _dump(_GET_ROUTE, _ROUTE):
        family, length, table, kind, attributes = row[0], row[1], row[4], row[7], row[-1]
        if family not in _FAMILIES or length or table != _RT_TABLE_MAIN or kind != _RTN_UNICAST:
            continue
        index = attributes.get(_RTA_OIF)
        gateway = attributes.get(_RTA_GATEWAY)
        metric = attributes.get(_RTA_PRIORITY)
        if index is not None:
            found.append(
                Route(
                    int.from_bytes(index, "little" if _LITTLE else "big"),
                    ipaddress.ip_address(gateway) if gateway else None,
                    int.from_bytes(metric, "little" if _LITTLE else "big") if metric else 0,
                )
            )
    return sorted(found, key=lambda route: route.metric)


def neighbours() -> dict[tuple[int, Address], int]:
    """Return each neighbour's state (NUD_…) by interface and address; raise OSError."""
    found = {}
    for family, _, _, index, state, _, _, attributes in _dump(_GET_NEIGHBOUR, _NEIGHBOUR):
        raw = attributes.get(_NDA_DST)
        if family in _FAMILIES and raw:
            found[index, ipaddress.ip_address(raw)] = state
    return found


_LITTLE = struct.pack("=H", 1) == b"\x01\x00"


def _dump(request: int, header: struct.Struct) -> Iterator[tuple[Any, ...]]:
    """Ask for everything of a kind; yield each row's header fields, then its attributes."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.settimeout(_LIMIT_S)
        body = bytes(header.size)
        link.send(_HEADER.pack(_HEADER.size + len(body), request, _REQUEST_DUMP, 1, 0) + body)
        while True:
            data = link.recv(65_536)
            while len(data) >= _HEADER.size:
                length, kind, _, _, _ = _HEADER.unpack_from(data)
                if kind == _DONE:
                    return
                if kind == _ERROR or length < _HEADER.size:
                    raise OSError("the kernel refused a netlink dump")
                if length >= _HEADER.size + header.size:
                    fields = header.unpack_from(data, _HEADER.size)
                    rest = data[_HEADER.size + header.size : length]
                    yield (*fields, dict(_attributes(rest)))
                data = data[_aligned(length) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, data[_ATTRIBUTE.size : length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return (length + 3) & ~3
