"""Commit, then tell: whatever was promised is on the disk, and nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ciao import entries, opening, wire
from ciao.link import Message
from ciao.names import topic
from ciao.registration import Direction
from ciao.sealing import payload_info, unseal
from hardware.panel import Light, Receipt
from tests.journal.making import full_disk
from tests.terminal.gateway import Gateway
from tests.terminal.world import (
    ANNA,
    BRAM,
    CARL,
    DECLARATION,
    GATEWAY_KEY,
    IN,
    OUT,
    PHONE,
    TERMINAL,
    bound_world,
    hint,
    on_disk,
    outcome,
)

UIDS = (ANNA, BRAM, CARL, PHONE)


def written_in(uid: bytes) -> list[bytes]:
    """Each way a UID could stand in a file."""
    return [uid, uid.hex().encode(), uid.hex().upper().encode()]


def leaked(directory: Path) -> list[str]:
    """Every place under a directory where a UID stands plainly."""
    return [
        f"{path.name} holds {uid.hex()}"
        for path in directory.rglob("*")
        if path.is_file()
        for uid in UIDS
        for form in written_in(uid)
        if form in path.read_bytes()
    ]


def test_a_disk_that_refuses_is_shown_and_promises_nothing(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    world.press(IN)
    with full_disk():
        view = world.tap(ANNA)
    assert (view.light, view.headline, view.stamp) == (Light.FAULT, "Not recorded", None)
    assert world.promised == []
    assert world.taps_and_refusals() == []


def test_after_a_refusing_disk_the_same_tap_is_stamped_not_called_a_repeat(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    world.press(IN)
    with full_disk():
        world.tap(ANNA)
    world.press(IN)
    view = world.tap(ANNA)
    assert view.stamp is not None
    assert world.taps_and_refusals() == ["tap in"]


def test_a_full_disk_ends_nothing_and_is_told_when_there_is_room(tmp_path: Path) -> None:
    """Heartbeats, receipts, bindings, outcomes: none of them may end the process."""
    world, gateway = bound_world(tmp_path / "state"), Gateway()
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    world.connect()
    (batch,) = world.batches()
    answer = gateway.take(batch)
    assert answer is not None
    with full_disk():
        world.wait(61_000)
        world.do(answer)
        world.bind(serial=1002, languages=["nl"])
        world.do(outcome(stamp.origin, stamp.seq, "accepted"))
        world.stamp(BRAM, OUT)
        assert world.journal.settled == 0
    world.wait(61_000)
    beat = [entry for entry in world.entries() if isinstance(entry, entries.Heartbeat)][-1]
    assert beat.refused["disk"] >= 3
    world.connect()
    gateway.serve_all(world)
    assert world.journal.settled == world.journal.size


def test_a_stamp_says_what_the_law_asks_and_who_only_to_the_gateway(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    view = world.stamp(ANNA, OUT)
    assert view.stamp is not None
    row = next(world.journal.rows(view.stamp.seq, view.stamp.seq + 1))
    entry = entries.decode(row.leaf)
    assert isinstance(entry, entries.Tap)
    assert (entry.direction, entry.declaration) == ("out", DECLARATION)
    assert world.held.bound is not None
    assert entry.binding == world.held.bound.sha256
    assert row.payload is not None
    plaintext = unseal(GATEWAY_KEY, row.payload, payload_info(view.stamp.origin, view.stamp.seq))
    assert opening.decode(plaintext).uid == ANNA.hex()
    assert entry.opening == opening.commitment(plaintext)


def test_a_restart_keeps_everything_and_says_whether_it_was_clean(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    world.stamp(ANNA, IN)
    before = on_disk(tmp_path / "state" / "journal")
    world.restart(clean=True)
    world.restart()
    after = on_disk(tmp_path / "state" / "journal")
    assert {key: after[key] for key in before} == before
    boots = [entry.clean for entry in world.entries() if isinstance(entry, entries.Boot)]
    assert boots == [True, True, False], "before the first there was nothing to be cut off"
    assert world.stamp(ANNA, OUT).lines[0] == "A. A.", "binding and roster are held"
    assert world.shown[-1].light is Light.OFF


def test_the_last_stamp_is_remembered_over_a_restart_to_warn(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    world.stamp(ANNA, IN)
    world.restart()
    world.clock.advance(3_600_000)
    assert "IN since 06:02. OUT forgotten?" in world.stamp(ANNA, IN).lines


def test_a_damaged_cache_or_binding_file_stops_nothing(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    world.stamp(ANNA, IN)
    world.power_cut()
    for name in ("recent.db", "bindings.json", "roster.sealed"):
        (tmp_path / "state" / name).write_bytes(b"not what was written" * 50)
    world.power_on()
    assert world.shown[-1].headline == "Not in service", "the truth"
    world.bind()
    assert world.stamp(ANNA, OUT).stamp is not None
    world.wait(61_000)
    beat = [entry for entry in world.entries() if isinstance(entry, entries.Heartbeat)][-1]
    assert beat.refused == {"held": 2}


def test_a_cache_that_fails_while_running_stops_nothing(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state")
    with closing(sqlite3.connect(tmp_path / "state" / "recent.db")) as db:
        db.execute("DROP TABLE recent")
    stamp = world.stamp(ANNA, IN).stamp
    assert stamp is not None
    world.do(outcome(stamp.origin, stamp.seq, "held"))
    assert world.stamp(ANNA, OUT).stamp is not None


class Door(RuleBasedStateMachine):
    """Anything people, networks and power do at one door, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="door-"))
        self.world = bound_world(self.folder / "state")
        self.gateway = Gateway()
        self.chosen = 0

    def teardown(self) -> None:
        self.world.connect()
        self.gateway.serve_all(self.world)
        self.world.power_cut()
        stored = {
            (origin, seq)
            for origin, leaves in self.gateway.stored.items()
            for seq in range(len(leaves))
        }
        promised = {(promise.origin, promise.seq) for promise in self.world.promised}
        assert promised <= stored
        shutil.rmtree(self.folder)

    @precondition(lambda self: not self.world.lying)
    @rule(uid=st.sampled_from(UIDS))
    def put(self, uid: bytes) -> None:
        self.world.put(uid)

    @precondition(lambda self: self.world.lying)
    @rule()
    def take(self) -> None:
        self.world.take()

    @rule(direction=st.sampled_from(Direction))
    def press(self, direction: Direction) -> None:
        self.chosen += 1
        self.world.press(direction)

    @rule()
    def unreadable(self) -> None:
        self.world.unreadable()

    @rule(ms=st.sampled_from([100, 400, 3_000, 10_000, 61_000]))
    def wait(self, ms: int) -> None:
        self.world.wait(ms)

    @rule()
    def connect(self) -> None:
        self.world.connect()

    @rule()
    def disconnect(self) -> None:
        self.world.disconnect()

    @rule()
    def receipts(self) -> None:
        self.gateway.serve(self.world)

    @rule()
    def batches_lost(self) -> None:
        self.world.batches()

    @rule(clean=st.booleans())
    def restart(self, clean: bool) -> None:
        self.world.restart(clean)

    @rule(seq=st.integers(0, 40))
    def resend(self, seq: int) -> None:
        self.world.do(hint(resend_from=wire.ResendFrom(self.world.journal.origin, seq)))

    @rule(
        channel=st.sampled_from(["receipt", "hint", "outcome", "binding", "roster"]),
        said=st.binary(),
    )
    def nonsense(self, channel: str, said: bytes) -> None:
        self.world.do(Message(topic(TERMINAL, channel), said))

    @rule(room=st.sampled_from([0, 5_000]))
    def full_disk_while_somebody_stamps(self, room: int) -> None:
        self.chosen += 1
        with full_disk(room):
            self.world.press(IN)
            self.world.do()

    @invariant()
    def what_was_promised_is_on_the_disk(self) -> None:
        disk = on_disk(self.folder / "state" / "journal")
        for promise in self.world.promised:
            entry = disk[promise.origin, promise.seq]
            assert isinstance(entry, entries.Tap)
            assert entry.direction == promise.direction

    @invariant()
    def no_direction_was_inferred(self) -> None:
        """Each stamp had a press of its own."""
        disk = on_disk(self.folder / "state" / "journal").values()
        assert sum(isinstance(entry, entries.Tap) for entry in disk) <= self.chosen

    @invariant()
    def no_uid_is_in_any_file(self) -> None:
        assert leaked(self.folder / "state") == []

    @invariant()
    def nothing_is_settled_but_by_a_receipt(self) -> None:
        journal = self.world.journal
        assert journal.settled <= len(self.gateway.stored.get(journal.origin, []))
        shown = [view.stamp for view in self.world.shown if view.stamp]
        received = [stamp for stamp in shown if stamp.receipt is Receipt.RECEIVED]
        for stamp in received:
            assert stamp.seq < len(self.gateway.stored[stamp.origin])


TestDoor = Door.TestCase
TestDoor.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_the_search_for_uids_would_find_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" + ANNA.hex().upper().encode() + b"x")
    assert leaked(tmp_path) == [f"a holds {ANNA.hex()}"]


@pytest.mark.parametrize("uid", UIDS)
def test_no_uid_is_in_any_file_also_after_refusals(tmp_path: Path, uid: bytes) -> None:
    world = bound_world(tmp_path / "state")
    world.tap(uid)
    world.press(IN)
    world.tap(uid)
    world.press(IN)
    world.tap(uid)
    assert len(world.taps_and_refusals()) >= 2
    assert leaked(tmp_path) == []
    world.power_cut(clean=True)
    assert leaked(tmp_path) == []
