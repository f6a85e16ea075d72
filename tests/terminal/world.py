"""A real terminal in a folder, worked by hand: badges, buttons, a clock that is told, a gateway.

Journal, binding files, sealing and `terminal.step` are the product's; only the hardware's events
and the broker's messages are handed in as values.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ciao import binding, entries, names, roster, wire
from ciao.journal import Journal, Owner
from ciao.journal.store import SegmentStore
from ciao.keys import new_sealing_key, new_signing_key
from ciao.link import Connected, Disconnected, Message, Publish
from ciao.notes import COSIGNATURE_V1, Signer
from ciao.registration import Direction
from ciao.sealing import seal
from hardware.clock import VirtualClock
from hardware.events import CardGone, CardRead, CardUnreadable, Pressed, ReaderChanged
from hardware.panel import StampShown, View
from terminal.core import Effect, Event, Identity, Terminal
from terminal.held import Held, Trust
from terminal.recent import Recent
from terminal.stamp import Sealing

DOMAIN = "badges.example.be"
TERMINAL = "hall-3"
DECLARATION = "1Y1000NF9KCQZ"
ZONE = ZoneInfo("Europe/Brussels")
ANNA = bytes.fromhex("04a1b2c3d4e580")
BRAM = bytes.fromhex("04d5e6f7a8b980")
CARL = bytes.fromhex("04112233445580")
PHONE = bytes.fromhex("08c0ffee")
IN, OUT = Direction.IN, Direction.OUT
ROSTER_KEY = bytes(range(32))


def signer(name: str, seed: bytes) -> Signer:
    return Signer(name, new_signing_key(lambda _: (seed * 32)[:32]))


ENROLLED = signer(names.enrolled_key_name(DOMAIN, TERMINAL), b"enrolled")
PROVISIONING = signer(names.provisioning_key_name(DOMAIN, "shiny"), b"provisioning")
COSIGNER = signer(names.cosigner_name(DOMAIN, "main"), b"cosigner")
GATEWAY_KEY = new_sealing_key(lambda _: b"g" * 32)
SEAL_KEY = new_sealing_key(lambda _: b"t" * 32)


def a_binding(**changes: object) -> binding.Binding:
    """The bundle in force from Sunday evening on; `changes` replace fields."""
    fields: dict[str, object] = {
        "v": 1,
        "serial": 1000,
        "employer": "shiny",
        "terminal": TERMINAL,
        "enrolled": str(ENROLLED.verifier()),
        "site": binding.Site(
            name="Hall 3", address=binding.SiteAddress("1000", "Bruxelles", "Rue Test", "3")
        ),
        "declaration": binding.Declaration(DECLARATION),
        "effective_from": "2026-03-01T18:00:00.000+01:00",
        "mode": "buttons",
        "languages": ["en"],
        "gateways": [
            binding.GatewayKeys(
                "main",
                base64.b64encode(GATEWAY_KEY.public_key().public_bytes_raw()).decode(),
                str(COSIGNER.verifier(COSIGNATURE_V1)),
            )
        ],
        "lateness": binding.Lateness(),
        "time_zone": "Europe/Brussels",
    }
    return binding.Binding(**(fields | changes))  # type: ignore[arg-type]


def binding_message(*bundles: binding.Binding, by: Signer = PROVISIONING) -> Message:
    """The retained message with these bundles."""
    message = binding.Bindings([binding.sign(bundle, by) for bundle in bundles])
    return Message(names.topic(TERMINAL, "binding"), wire.encode(message))


def roster_message(
    badges: dict[bytes, roster.Holder], serial: int = 1, by: Signer = PROVISIONING
) -> Message:
    """The retained message with a roster."""
    made = roster.Roster(
        v=1,
        serial=serial,
        terminal=TERMINAL,
        key=base64.b64encode(ROSTER_KEY).decode(),
        badges={roster.badge_hash(ROSTER_KEY, uid): holder for uid, holder in badges.items()},
    )
    sealed = roster.seal_roster(made, by, SEAL_KEY.public_key().public_bytes_raw(), seal)
    return Message(names.topic(TERMINAL, "roster"), sealed)


def gateway_online(online: bool = True, gateway: str = "main") -> Message:
    """What a gateway says of itself."""
    state = wire.GatewayOnline(online, "2026-03-02T05:00:00.000+01:00")
    return Message(names.gateway_online(gateway), wire.encode(state))


def receipt(checkpoint: str, certificate: str) -> Message:
    """A receipt on its topic."""
    return Message(
        names.topic(TERMINAL, "receipt"), wire.encode(wire.Receipt(checkpoint, certificate))
    )


def hint(**fields: object) -> Message:
    """A hint on its topic."""
    return Message(names.topic(TERMINAL, "hint"), wire.encode(wire.Hint(**fields)))  # type: ignore[arg-type]


def outcome(origin: str, seq: int, state: str, reason: str | None = None) -> Message:
    """One outcome on its topic."""
    outcomes = wire.Outcomes([wire.Outcome(origin, seq, state, reason)])
    return Message(names.topic(TERMINAL, "outcome"), wire.encode(outcomes))


@dataclass
class World:
    """One terminal, from power to power cut and on."""

    directory: Path
    readers: tuple[str, ...] = ("door",)
    clock: VirtualClock = field(
        default_factory=lambda: VirtualClock(datetime(2026, 3, 2, 6, 2, tzinfo=ZONE))
    )
    shown: list[View] = field(default_factory=list)
    sent: list[Publish] = field(default_factory=list)
    promised: list[StampShown] = field(default_factory=list)
    lying: dict[str, bytes] = field(default_factory=dict)
    free_bytes: int = 1 << 30
    readers_look: bool = True

    def __post_init__(self) -> None:
        self.power_on()

    def power_on(self) -> None:
        """Begin on what is on the disk."""
        self.directory.mkdir(exist_ok=True)
        owner = Owner(DOMAIN, TERMINAL, ENROLLED)
        self.journal = Journal(self.directory / "journal", owner, os.urandom, "test")
        self.held = Held(self.directory, Trust(TERMINAL, PROVISIONING.verifier(), SEAL_KEY))
        self.recent = Recent(self.directory / "recent.db")
        identity = Identity(TERMINAL, ENROLLED, self.readers, "en", ZONE, "test")
        sealing = Sealing(seal, os.urandom)
        self.terminal = Terminal(
            identity, self.journal, self.held, self.recent, sealing, lambda: self.free_bytes
        )
        self._collect(self.terminal.start(self.clock()))
        if self.readers_look:
            self.do(*(ReaderChanged(reader, True, "", self.clock()) for reader in self.readers))

    def power_cut(self, clean: bool = False) -> None:
        """End at once, or in an orderly way; nothing is kept but the disk."""
        if clean:
            self._collect([self.terminal.stop(self.clock())])
        self.journal.close()
        self.recent.close()
        self.lying.clear()

    def restart(self, clean: bool = False) -> None:
        """End and begin."""
        self.power_cut(clean)
        self.power_on()

    def do(self, *events: Event) -> list[View]:
        """One step as the loop makes it; return the views it showed."""
        before = len(self.shown)
        self._collect(self.terminal.step(self.clock(), events))
        while self.terminal.has_more(self.clock()):
            self._collect(self.terminal.step(self.clock(), []))
        return self.shown[before:]

    def wait(self, ms: int) -> list[View]:
        """Let time pass, five steps a second as the loop does."""
        before = len(self.shown)
        while ms > 0:
            self.clock.advance(min(ms, 200))
            self.do()
            ms -= 200
        return self.shown[before:]

    def put(self, uid: bytes, reader: str = "") -> list[View]:
        """Lay a badge on a reader."""
        reader = reader or self.readers[0]
        self.lying[reader] = uid
        return self.do(CardRead(reader, uid, self.clock()))

    def take(self, reader: str = "") -> list[View]:
        """Lift the badge."""
        reader = reader or self.readers[0]
        return self.do(CardGone(reader, self.lying.pop(reader)))

    def tap(self, uid: bytes, reader: str = "") -> View:
        """Lay a badge and lift it; return the first view, or what stands there if none came."""
        views = self.put(uid, reader)
        self.wait(200)
        self.take(reader)
        return views[0] if views else self.shown[-1]

    def press(self, direction: Direction) -> list[View]:
        """Press a button."""
        return self.do(Pressed(direction, self.clock()))

    def stamp(self, uid: bytes, direction: Direction) -> View:
        """Press, tap, leave; wait until the same would not be a repeat."""
        self.press(direction)
        view = self.tap(uid)
        self.wait(10_000)
        return view

    def unreadable(self) -> list[View]:
        """Hold something that can't be read."""
        return self.do(CardUnreadable(self.readers[0], self.clock()))

    def bind(self, **changes: object) -> None:
        """Have the binding arrive."""
        self.do(binding_message(a_binding(**changes)))

    def connect(self, gateway: bool = True) -> None:
        """The session comes up, and a gateway is there."""
        self.do(Connected())
        if gateway:
            self.do(gateway_online())

    def disconnect(self) -> None:
        """The session is lost."""
        self.do(Disconnected("test"))

    def batches(self) -> list[wire.Batch]:
        """Take the batches that were sent since the last call."""
        topic = names.topic(TERMINAL, "journal")
        found = [wire.decode(wire.Batch, p.payload) for p in self.sent if p.topic == topic]
        self.sent.clear()
        return found

    def entries(self) -> list[entries.Entry]:
        """Every entry of the current segment."""
        return [entries.decode(row.leaf) for row in self.journal.rows(0, self.journal.size)]

    def kinds(self) -> list[str]:
        """What the current segment holds, in a word each: `tap in`, `refused repeat`, `boot`."""
        return [word_of(entry) for entry in self.entries()]

    def taps_and_refusals(self) -> list[str]:
        """The same, of what people did."""
        return [word for word in self.kinds() if word.startswith(("tap", "refused"))]

    def _collect(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Publish):
                self.sent.append(effect)
            if not isinstance(effect, View):
                continue
            self.shown.append(effect)
            if effect.stamp is not None:
                self.promised.append(effect.stamp)
                self._check(effect.stamp)

    def _check(self, promise: StampShown) -> None:
        """What is promised is on the disk, as a second connection to the file sees it."""
        found = on_disk(self.directory / "journal").get((promise.origin, promise.seq))
        assert isinstance(found, entries.Tap), f"promised, and not journalled: {promise}"
        assert found.direction == promise.direction


def word_of(entry: entries.Entry) -> str:
    """Name an entry by what a reader of these tests wants to know."""
    match entry:
        case entries.Tap():
            return f"tap {entry.direction}"
        case entries.Refused():
            return f"refused {entry.reason}"
    return str(entry.__struct_config__.tag)


def on_disk(directory: Path) -> dict[tuple[str, int], entries.Entry]:
    """Every entry of every segment, by (origin, seq), read from the files."""
    found: dict[tuple[str, int], entries.Entry] = {}
    for path in directory.glob("*.db"):
        segment = SegmentStore.open(path)
        assert segment is not None
        for number, row in enumerate(segment.rows(0, segment.size)):
            entry = entries.decode(row.leaf)
            assert entry.seq == row.seq == number, "gapless from 0"
            found[segment.origin, row.seq] = entry
        segment.close()
    return found


def bound_world(directory: Path, mode: str = "buttons", **changes: object) -> World:
    """A terminal with its binding in force, and a roster with Anna and Bram."""
    lanes = ("in", "out") if mode == "lanes" else ("door",)
    world = World(directory, lanes)
    world.bind(mode=mode, **changes)
    holders = {ANNA: roster.Holder("A. A.", "en"), BRAM: roster.Holder("B. B.", "nl")}
    world.do(roster_message(holders))
    return world
