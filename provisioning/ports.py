"""Edge: which ports are taken on this machine, so that two gateways on it don't want the same."""

from __future__ import annotations

import socket
from collections.abc import Callable

# So far on it is looked for one that is free; each gateway takes one.
LOOKED_AT_MAX = 64


def is_taken(port: int) -> bool:
    """Whether somebody listens on a port, at any address of this machine."""
    with socket.socket(socket.AF_INET) as probe:
        # As a server binds: a port that was let go a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False


def first_free(first: int, taken: Callable[[int], bool]) -> int:
    """Return the first port from this one on that is free; this one where none is."""
    ports = range(first, min(first + LOOKED_AT_MAX, 65536))
    return next((port for port in ports if not taken(port)), first)
