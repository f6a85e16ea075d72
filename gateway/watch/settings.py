"""`[watch]` and `[clock]` of gateway.toml: what the gateway looks at beside the ONSS."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from ciao.causes import ANCHORS_WELL
from ciao.errors import BadInput
from ciao.reaching.endpoint import Endpoint, literal, networks

ANCHORS_MAX = 8
_HINT = 'write addresses with a port, such as "192.0.2.1:443" or "[2001:db8::1]:443"'


class WatchSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Anchors are hosts outside, in different networks, by literal address and TCP port.

    Two that answer are needed before the ONSS is said to be unavailable. `second_resolver` is
    asked beside the system's own; `control_name` is a name that both should know.
    """

    anchors: Annotated[list[str], Meta(max_length=ANCHORS_MAX)] = []
    second_resolver: str = ""
    control_name: str = "."
    annotations: str = "annotations"


class ClockSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """For machines whose host keeps the clock right where the kernel can't tell."""

    assured_error_ms: Annotated[int, Meta(ge=0, le=60_000)] | None = None


def endpoint(text: str, key: str, port: int | None = None) -> Endpoint:
    """Read an address, with a port unless one is given; raise BadInput that names the key."""
    host, _, given = text.rpartition(":") if port is None else (text, "", str(port))
    address = literal(host.removeprefix("[").removesuffix("]"))
    if address is None or not given.isdecimal():
        raise BadInput(f"gateway.toml: {key}: {text!r} is no address", _HINT)
    if not 0 < int(given) < 65536:
        raise BadInput(f"gateway.toml: {key}: {given} is no port", _HINT)
    return Endpoint(str(address), int(given))


def anchors(settings: WatchSettings) -> list[Endpoint]:
    """Read the anchors; raise BadInput."""
    return [endpoint(text, "watch.anchors") for text in settings.anchors]


def complaint(settings: WatchSettings) -> str:
    """Say what makes the anchors useless though they can be asked; "" where they are good."""
    found = [literal(one.host) for one in anchors(settings)]
    reached = networks(address for address in found if address is not None)
    if not found or reached >= ANCHORS_WELL:
        return ""
    return (
        f"gateway.toml: watch.anchors reach {reached} network: with fewer than {ANCHORS_WELL}"
        " the ONSS's fault can't be told from our own line's"
    )
