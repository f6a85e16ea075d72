"""Edge: everything around the terminal, asked once, each step with a time limit.

A *glance*: cable, address, power, and one anchor in turn. A *round*: everything; the slowest takes
four time limits.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

from ciao.reaching import doors, names
from ciao.reaching.endpoint import Endpoint, literal
from hardware.probes import portal, power
from hardware.probes.interface import Interface
from hardware.probes.settings import Targets


class Surroundings:
    """Asks each of the targets once; keeps nothing but what it learnt of the router."""

    def __init__(
        self, targets: Targets, tls: ssl.SSLContext | None, complain: Callable[[str], None]
    ) -> None:
        self._targets = targets
        self._tls = tls
        self._complained: set[str] = set()
        self._complain = complain
        self._interface = Interface(targets.interface)
        self._turn = 0

    def glance(self) -> dict[str, str]:
        """Look at what costs nothing, and ask one anchor, another one each time."""
        seen = self._near()
        anchors = self._targets.anchors
        if anchors and seen.get("link", "ok") == "ok":
            number = self._turn % len(anchors)
            self._turn += 1
            (word,) = doors.knock([anchors[number]], self._targets.limit_s)
            seen[_anchor(number)] = word
        return seen

    def round(self) -> dict[str, str]:
        """Look at everything, up to what can't be seen because of what fails before it."""
        seen = self._near()
        if seen.get("link", "ok") != "ok":
            # Nothing goes out, and nobody is asked.
            return {**seen, "broker": "unreachable"}
        anchors, limit_s = self._targets.anchors, self._targets.limit_s
        asks_router = self._targets.leads_outside and "router" not in seen
        router = self._interface.router_doors() if asks_router else []
        words = doors.knock([*anchors, *router], limit_s)
        for number, word in enumerate(words[: len(anchors)]):
            seen[_anchor(number)] = word
        if asks_router:
            seen |= self._interface.router(words[len(anchors) :])
        answers = self._ask_names()
        seen |= {key: answer.word for key, answer in answers.items()}
        found = answers.get("dns-provider", names.Answer("")).addresses
        seen["broker"] = self._broker(found)
        if self._targets.portal is not None:
            seen |= self._portal(found)
        return seen

    def _near(self) -> dict[str, str]:
        seen = self._interface.look() if self._targets.leads_outside else {}
        wanted = self._targets.ups
        if wanted is not None:
            seen |= power.ups(wanted, self._targets.limit_s, self._once)
        return seen | power.voltage()

    def _ask_names(self) -> dict[str, names.Answer]:
        """Both resolvers; none where nobody outside is to be asked."""
        if not self._targets.leads_outside:
            return {}
        resolvers = {"dns-provider": names.provider(), "dns-second": self._targets.dns}
        asked = {key: address for key, address in resolvers.items() if address}
        return names.ask(asked, self._targets.question, self._targets.limit_s)

    def _broker(self, found: tuple[str, ...]) -> str:
        broker, limit_s = self._targets.broker, self._targets.limit_s
        address = self._address_of(broker.host, found)
        if not address:
            return "name"
        door = Endpoint(address, broker.port)
        if self._tls is not None:
            return doors.handshake(door, broker.host, self._tls, limit_s)
        return doors.knock([door], limit_s)[0]

    def _portal(self, found: tuple[str, ...]) -> dict[str, str]:
        wanted, limit_s = self._targets.portal, self._targets.limit_s
        assert wanted is not None
        if self._targets.question != wanted.host and literal(wanted.host) is None:
            resolver = {"dns-provider": names.provider()}
            answers = names.ask(resolver, wanted.host, limit_s) if resolver["dns-provider"] else {}
            found = answers["dns-provider"].addresses if answers else ()
        address = self._address_of(wanted.host, found)
        return {"portal": portal.look(wanted, address, limit_s)} if address else {}

    def _address_of(self, host: str, found: tuple[str, ...]) -> str:
        if host == "localhost":
            return "127.0.0.1"
        if literal(host) is not None:
            return host
        return names.listed(host) or next(iter(found), "")

    def _once(self, complaint: str) -> None:
        if complaint not in self._complained:
            self._complained.add(complaint)
            self._complain(complaint)


def _anchor(number: int) -> str:
    return f"anchor-{number + 1}"
