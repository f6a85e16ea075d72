"""Edge: what feeds the terminal: a UPS by Network UPS Tools (RFC 9271), the board, the watchdog."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

from hardware.probes.settings import Ups

# Raspberry Pi firmware; bit 0: under-voltage now.
_THROTTLED = "devices/platform/soc/*/get_throttled"
_UNDER_VOLTAGE = 0x1
# <linux/watchdog.h>, WDIOF_CARDRESET: it was the watchdog that started the machine.
_WATCHDOG = Path("/sys/class/watchdog/watchdog0/bootstatus")
_CARD_RESET = 0x20
_STATUS = re.compile(r'VAR (?P<ups>\S+) ups\.status "(?P<words>[A-Z ]{1,64})"')
_LINE_MAX = 256
# OL on line, OB on battery, LB the battery is low: RFC 9271, appendix A.
_ON_LINE, _ON_BATTERY, _LOW = "OL", "OB", "LB"


def ups(wanted: Ups, limit_s: float, complain: Callable[[str], None]) -> dict[str, str]:
    """Say `mains` and `battery`; nothing where the UPS can't be asked or answers nonsense."""
    line = ""
    try:
        with socket.create_connection((wanted.server.host, wanted.server.port), limit_s) as asking:
            asking.sendall(f"GET VAR {wanted.name} ups.status\n".encode())
            with asking.makefile("rb") as answer:
                line = answer.readline(_LINE_MAX).decode("ascii", "replace").strip()
    except OSError as error:
        why = error.strerror or str(error)
        complain(f"the UPS {wanted.name} at {wanted.server} does not answer: {why}")
        return {}
    match = _STATUS.fullmatch(line)
    words = match["words"].split() if match and match["ups"] == wanted.name else []
    if not {_ON_LINE, _ON_BATTERY} & set(words):
        complain(
            f"the UPS {wanted.name} at {wanted.server} answers {line[:60]!r}, which says nothing"
        )
        return {}
    return {
        "mains": "lost" if _ON_BATTERY in words else "ok",
        "battery": "empty" if _LOW in words else "ok",
    }


def voltage(sys: Path = Path("/sys")) -> dict[str, str]:
    """Say whether the board's supply is too weak now; nothing where the board can't tell."""
    for path in sys.glob(_THROTTLED):
        try:
            bits = int(path.read_text(encoding="ascii"), 16)
        except (OSError, ValueError):
            continue
        return {"voltage": "low" if bits & _UNDER_VOLTAGE else "ok"}
    return {}


def watchdog(bootstatus: Path = _WATCHDOG) -> dict[str, str]:
    """Say whether the watchdog started this machine; nothing where there is none."""
    try:
        bits = int(bootstatus.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return {"watchdog": "bit" if bits & _CARD_RESET else "ok"}
