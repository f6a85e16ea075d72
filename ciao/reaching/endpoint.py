"""Where to knock: a host and a port, and what is a literal address. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Hosts that share this much of an address are taken for one network.
_NETWORK_BITS = {4: 16, 6: 32}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port; the host is a literal address unless it may be a name."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def literal(host: str) -> Address | None:
    """Read a literal address; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def networks(addresses: Iterable[Address]) -> int:
    """Count the networks that addresses are in."""
    return len(
        {(a.version, int(a) >> (a.max_prefixlen - _NETWORK_BITS[a.version])) for a in addresses}
    )
