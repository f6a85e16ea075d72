"""The twin of everything around a terminal: what its probes would see, part by part. Pure.

It says what `Surroundings` says in the same place, which tests/net holds it to on real networks.
"""

from __future__ import annotations

from dataclasses import dataclass

ANCHORS = 3


@dataclass(slots=True)
class Twin:
    """A terminal's surroundings; each part works until somebody breaks it.

    `line` is the provider's, beyond the router. `broker` is `ok`, `refused` (stopped) or `timeout`
    (its host is away). `named`: the broker is found by a name, so that DNS counts.
    """

    cable: bool = True
    router: bool = True
    line: bool = True
    dns: bool = True
    portal: bool = False
    broker: str = "ok"
    named: bool = True
    mains: bool = True
    ups: bool = False

    @property
    def reaches_broker(self) -> bool:
        """Whether a session with the broker could be kept up."""
        way = self.cable and self.router and self.line and not self.portal
        return way and self.broker == "ok"

    def glance(self) -> dict[str, str]:
        """Look at what costs nothing, and ask one anchor."""
        seen = self._near()
        return seen | ({"anchor-1": self._anchor} if self.cable else {})

    def round(self) -> dict[str, str]:
        """Look at everything."""
        seen = self._near()
        if not self.cable:
            return {**seen, "broker": "unreachable"}
        seen |= {f"anchor-{number}": self._anchor for number in range(1, ANCHORS + 1)}
        seen["router"] = "ok" if self.router else "unreachable"
        away = not (self.router and self.line)
        seen["dns-provider"] = "timeout" if away or not self.dns else "ok"
        seen["dns-second"] = "timeout" if away else "refused" if self.portal else "ok"
        seen["broker"] = self._broker
        if seen["dns-provider"] == "ok":
            seen["portal"] = "shown" if self.portal else "ok"
        return seen

    @property
    def _anchor(self) -> str:
        if not (self.router and self.line):
            return "timeout"
        return "refused" if self.portal else "ok"

    @property
    def _broker(self) -> str:
        away = not (self.router and self.line)
        if self.named and (away or not self.dns):
            return "name"
        return "timeout" if away else "refused" if self.portal else self.broker

    def _near(self) -> dict[str, str]:
        seen = {"medium": "wired", "link": "ok" if self.cable else "down"}
        if self.cable:
            seen["address"] = "ok"
        if self.ups:
            seen |= {"mains": "ok" if self.mains else "lost", "battery": "ok"}
        return seen
