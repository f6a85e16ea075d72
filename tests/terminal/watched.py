"""A terminal by hand with the twin of its surroundings, looked at as the prober does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ciao.causes import classify
from ciao.entries import Entry, Heartbeat, OutageBegin, OutageEnd, OutageUpdate
from ciao.link import Connected, Disconnected
from hardware.events import Probed
from hardware.probes.twin import Twin
from terminal.core import Effect
from terminal.watch import Answer, Asked, Look
from tests.terminal.gateway import Gateway
from tests.terminal.world import World, bound_world, gateway_online

# A session that is cut in silence is noticed after two keepalives.
UNNOTICED_MS = 20_000
GLANCE_MS = 10_000
ROUND_MS = 2_000

Told = OutageBegin | OutageUpdate | OutageEnd


@dataclass
class Watched:
    """The terminal, what is around it, and a gateway that answers at once."""

    world: World
    around: Twin = field(default_factory=Twin)
    gateway: Gateway = field(default_factory=Gateway)
    gateway_answers: bool = True
    prober: bool = True
    answers: list[Answer] = field(default_factory=list)
    _cut_ms: int | None = None
    _looking: tuple[int, Probed] | None = None
    _glance_ms: int = 0
    _asked: bool = False

    def live(self, seconds: int) -> None:
        """Let time pass, as the program and its edges would live through it."""
        for _ in range(seconds * 5):
            self.world.clock.advance(200)
            self._session()
            self._eyes()
            self.step([])
            if self.gateway_answers and self.world.terminal.exchange.uplink.connected:
                self.gateway.serve_all(self.world)

    def step(self, events: Sequence[object]) -> None:
        """One step; a look that is asked for takes its time."""
        effects: list[Effect] = self.world.terminal.step(self.world.clock(), events)  # type: ignore[arg-type]
        self.world._collect(effects)
        self.answers += [effect for effect in effects if isinstance(effect, Answer)]
        self._asked |= any(isinstance(effect, Look) for effect in effects)

    def order(self, order: str) -> Answer:
        """Ask the running terminal."""
        self.step([Asked(order, len(self.answers))])  # type: ignore[arg-type]
        return self.answers[-1]

    def told(self, *kinds: type[Entry]) -> list[Entry]:
        """The entries of these kinds, of outages where none are named."""
        wanted = kinds or (OutageBegin, OutageUpdate, OutageEnd)
        return [entry for entry in self.world.entries() if isinstance(entry, wanted)]

    def outages(self) -> list[str]:
        """What was told of outages, in a word and a cause each; each cause is found again."""
        words = []
        for entry in self.told():
            assert isinstance(entry, Told)
            kind = entry.__struct_config__.tag
            if isinstance(entry, OutageEnd):
                assert entry.affected not in classify(entry.probes)
            else:
                assert classify(entry.probes)[entry.affected] == entry.cause
            words.append(f"{str(kind).removeprefix('outage_')} {entry.cause}")
        return words

    def heartbeat(self) -> Heartbeat:
        """The newest heartbeat."""
        newest = self.told(Heartbeat)[-1]
        assert isinstance(newest, Heartbeat)
        return newest

    def restart(self, *, clean: bool = False) -> None:
        """End the process and start it again; the session has to come up anew."""
        self.world.restart(clean)
        self._cut_ms = self._looking = None

    def _session(self) -> None:
        """The session follows its line: gone when noticed, back a few seconds after."""
        now_ms = self.world.clock.up_ms
        up = self.world.terminal.exchange.uplink.connected
        reaches = self.around.reaches_broker
        if up == reaches:
            self._cut_ms = None
            return
        self._cut_ms = now_ms if self._cut_ms is None else self._cut_ms
        silent = self.around.broker != "refused" and up
        if now_ms - self._cut_ms >= (UNNOTICED_MS if silent else 2_000):
            if up:
                self.step([Disconnected("cut")])
            elif self.around.dns or not self.around.named:
                self.step([Connected(), gateway_online()])

    def _eyes(self) -> None:
        """Look as the prober does: a round where it is asked to, or where a glance sees a fault."""
        now = self.world.clock()
        if self._looking is not None:
            if now.up_ms < self._looking[0]:
                return
            seen, self._looking = self._looking[1], None
            self.step([seen])
        if not self.prober:
            return
        if not self._asked and now.up_ms >= self._glance_ms:
            self._glance_ms = now.up_ms + GLANCE_MS
            seen = Probed(now, self.around.glance(), whole=False)
            self._asked = any(w != "ok" for probe, w in seen.seen.items() if probe != "medium")
            self.step([seen])
        if self._asked:
            self._asked = False
            seen = Probed(now, self.around.round(), whole=True)
            self._looking = (now.up_ms + ROUND_MS, seen)


def watched_world(folder: Path) -> Watched:
    """A bound terminal that is online, everything around it well."""
    watched = Watched(bound_world(folder))
    watched.live(5)
    assert watched.world.terminal.exchange.uplink.gateway_there
    return watched
