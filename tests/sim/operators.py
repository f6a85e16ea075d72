"""Operators: they put a ledger's backup back, put an old card into a terminal.

What vanishes from every disk at such a moment is noted as lost, with the disaster's name; that is
the limit of what any system can promise. A disaster that erases what must be elsewhere already is
a broken promise, and noted as that.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sim.office import copy_database
from tests.sim.reading import ledger_taps, rows, segments, taps
from tests.sim.truth import Payload

if TYPE_CHECKING:
    from tests.sim.terminal_machine import TerminalMachine
    from tests.sim.world import World

CARD = "lost with the terminal's card, before any receipt"
BOTH = "lost with the terminal's card and with what the ledger's backup lacked"
_SUFFIXES = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class RestoreLedger:
    """A copy of the ledger is taken, and put back later, with the gateway stopped."""

    copied_ms: int
    restored_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        copy = world.folder / f"backup-{self.copied_ms}.db"
        world.agenda.at(self.copied_ms, lambda: copy_database(world.gateway.ledger_path, copy))
        world.agenda.at(self.restored_ms, lambda: self._restore(world, copy))

    def _restore(self, world: World, copy: Path) -> None:
        gateway, truth = world.gateway, world.truth
        gateway.crash()
        path = gateway.ledger_path
        traces = rows(path, "SELECT trace_id FROM attempt_begun")
        truth.former_traces |= {trace_id for (trace_id,) in traces}
        truth.restored = True
        before, after = ledger_taps(path), ledger_taps(copy)
        # What a card lost before is nowhere any more once the ledger forgets it, too.
        truth.forgotten.update({p: told for p, told in before.items() if p not in after})
        for suffix in _SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copy(copy, path)
        gateway.mark_restored()
        kept = {one for terminal in world.terminals.values() for one in _on_card(terminal)}
        for payload in sorted(before.keys() - after.keys() - kept):
            truth.lost[payload] = BOTH


@dataclass(frozen=True, slots=True)
class RollBack:
    """A terminal's card is imaged, and the old image put back later."""

    terminal: str
    copied_ms: int
    restored_ms: int

    def put(self, world: World) -> None:
        """Let it happen."""
        terminal = world.terminals[self.terminal]
        image = world.folder / f"card-{self.terminal}-{self.copied_ms}"
        world.agenda.at(self.copied_ms, lambda: _image(terminal.state, image))
        world.agenda.at(self.restored_ms, lambda: self._restore(world, terminal, image))

    def _restore(self, world: World, terminal: TerminalMachine, image: Path) -> None:
        terminal.crash()
        before = _on_card(terminal)
        shutil.rmtree(terminal.state)
        shutil.copytree(image, terminal.state)
        _lose(world, terminal, before)


@dataclass(frozen=True, slots=True)
class Damage:
    """The newest segment's file is not what was written any more."""

    terminal: str
    at_ms: int
    how: str

    def put(self, world: World) -> None:
        """Let it happen."""
        terminal = world.terminals[self.terminal]
        world.agenda.at(self.at_ms, lambda: self._damage(world, terminal))

    def _damage(self, world: World, terminal: TerminalMachine) -> None:
        terminal.crash()
        before = _on_card(terminal)
        files = sorted((terminal.state / "journal").glob("*.db"))
        if self.how == "recent":
            (terminal.state / "recent.db").write_bytes(b"not a database, all of a sudden")
        elif files and self.how == "emptied":
            files[-1].write_bytes(b"")
        elif files:
            with files[-1].open("r+b") as file:
                file.write(b"\xa5" * 512)
        if self.how != "recent":
            _lose(world, terminal, before, damaged=files[-1] if files else None)


Deed = RestoreLedger | RollBack | Damage


def _image(state: Path, image: Path) -> None:
    """Copy a card's files as they are at one instant, as a power cut would leave them."""
    shutil.copytree(state, image, ignore=shutil.ignore_patterns("*-shm"))


def _on_card(terminal: TerminalMachine) -> dict[Payload, bool]:
    """List the taps on a terminal's card; whether a receipt covers each."""
    found: dict[Payload, bool] = {}
    for segment in segments(terminal.name, terminal.state):
        for place, leaf in taps(segment.leaves):
            safe = place < segment.settled
            found[leaf["payload"]] = found.get(leaf["payload"], False) or safe
    return found


def _lose(
    world: World,
    terminal: TerminalMachine,
    before: dict[Payload, bool],
    damaged: Path | None = None,
) -> None:
    """Note what went with a card: what was receipted must be at the gateway."""
    truth = world.truth
    truth.rolled_back.add(terminal.name)
    after = set(_on_card(terminal)) if damaged is None else _readable(terminal, damaged)
    held = ledger_taps(world.gateway.ledger_path).keys()
    for payload in sorted(before.keys() - after - held):
        if not before[payload]:
            truth.lost[payload] = CARD
        elif truth.restored:
            truth.lost[payload] = BOTH
        else:
            truth.broken_promises.append(f"{payload} was receipted to {terminal.name}")


def _readable(terminal: TerminalMachine, damaged: Path) -> set[Payload]:
    """List the taps in the segments before a damaged one."""
    return {
        leaf["payload"]
        for segment in segments(terminal.name, terminal.state)
        for _, leaf in taps(segment.leaves)
        if not damaged.name.endswith(f"-{segment.origin.rpartition('/')[2]}.db")
    }


def draw(rng: random.Random, terminals: Sequence[str], end_ms: int) -> Iterator[Deed]:
    """Draw what operators do in one run."""
    for terminal in terminals:
        if rng.random() < 0.15:
            copied_ms = rng.randint(1_000, end_ms - 10_000)
            yield RollBack(terminal, copied_ms, rng.randint(copied_ms, end_ms - 5_000))
        if rng.random() < 0.15:
            how = rng.choice(("emptied", "garbled", "recent"))
            yield Damage(terminal, rng.randint(0, end_ms), how)
    if rng.random() < 0.3:
        copied_ms = rng.randint(0, end_ms - 10_000)
        yield RestoreLedger(copied_ms, rng.randint(copied_ms + 1, end_ms - 5_000))
