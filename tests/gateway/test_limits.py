"""Every limit, and what happens at it: segments, counters, what is told again, a full disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from ciao import wire
from ciao.link import Connected, Message, Publish
from ciao.names import topic
from ciao.reading import Reading
from gateway import program, receiving, status
from gateway.core import Edges, Gateway, Settings
from gateway.events import Tick
from gateway.ledger import Ledger, LedgerFailed, migrate, report
from gateway.metrics import Metrics
from gateway.onss.answers import Outcome
from gateway.program import Inbox, Program
from gateway.receiving import SEGMENTS_MAX
from tests.gateway import twins
from tests.gateway.sealer import SEALER
from tests.gateway.twins import Journal, TwinOnss
from tests.gateway.world import TERMINAL, World, morning, online_message
from tests.support.waiting import wait_for


def begun(number: int) -> Journal:
    journal = Journal(TERMINAL, f"{number:016x}")
    journal.segment(number)
    return journal


def test_a_revoked_terminals_batches_are_refused_with_the_reason_and_nothing_of_them_is_kept(
    world: World,
) -> None:
    world.step(begun(0).message())
    kept = world.query("SELECT count(*) FROM entry")
    known = world.people.known[TERMINAL]
    at = twins.at(world.second).at
    world.people.known[TERMINAL] = replace(known, revoked_at=at, revoked_why="stolen")
    world.published.clear()
    world.step(begun(1).message())
    assert world.on("hint")[0].refused.reason == "revoked" and not world.on("receipt")
    assert world.query("SELECT count(*) FROM entry") == kept
    (refusal,) = report.read(world.path).refusals
    assert (refusal.terminal, refusal.reason, refusal.count) == (TERMINAL, "revoked", 1)


def test_a_terminal_that_begins_ever_more_segments_is_refused_until_acknowledged(
    world: World,
) -> None:
    for number in range(SEGMENTS_MAX):
        world.step(begun(number).message())
    known, beyond = begun(0), begun(SEGMENTS_MAX)
    world.published.clear()
    world.step(beyond.message())
    assert world.on("hint")[0].refused.reason == "segments" and not world.on("receipt")
    assert world.query("SELECT count(*) FROM log") == [(SEGMENTS_MAX,)]
    # Those that it has go on.
    known.heartbeat(1)
    world.step(known.message(1))
    assert world.on("receipt")
    (alert,) = report.read(world.path).alerts
    assert (alert.kind, alert.terminal) == ("segments", TERMINAL)
    with world.ledger.transaction():
        world.ledger.care.decide("terminal", [TERMINAL], "a card that lied, now replaced", 1)
    world.step(Tick())
    world.published.clear()
    world.step(beyond.message())
    assert world.on("receipt") and not report.read(world.path).alerts


def test_a_forged_segment_is_not_counted_as_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "SEGMENTS_MAX", 1)
    world.step(begun(0).message())
    forged = begun(1)
    world.step(twins.differently(forged, forged.batch(), certificate=begun(0).certificate))
    assert world.on("hint")[-1].refused.reason == "certificate"
    assert not report.read(world.path).alerts


def test_segments_that_began_in_trouble_wait_to_be_acknowledged(world: World) -> None:
    for number, why in enumerate(("new", "yearly", "replaced", "damaged", "rolled_back")):
        journal = Journal(TERMINAL, f"{number:016x}")
        journal.segment(number, why=why)
        world.step(journal.message())
    alerts = report.read(world.path).alerts
    assert sorted(alert.kind for alert in alerts) == ["damaged", "rolled_back"]
    shown = "\n".join(status.lines(report.read(world.path), twins.at(0).at))
    assert "was rolled back" in shown and "had a damaged journal" in shown
    with world.ledger.transaction():
        world.ledger.care.decide("terminal", [TERMINAL], "looked into", 1)
    world.step(Tick())
    assert not report.read(world.path).alerts


def test_counters_of_refusals_have_only_known_names(world: World) -> None:
    for number in range(50):
        name = f"stranger-{number}"
        world.step(
            Message(topic(name, "journal"), b"{"),
            Message(topic(name, "online"), b"{"),
            Message(topic(name, "receipt"), b"{"),
            Message(f"ciao/1/{name}/else/where", b"{"),
        )
    names = {row[0] for row in world.query("SELECT terminal FROM refused")}
    assert names == {""} and len(world.query("SELECT 1 FROM refused")) <= 4


def test_what_is_told_again_to_a_terminal_is_bounded_to_the_newest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.ledger.taps.RECENT_MAX", 30)
    journal = Journal(TERMINAL)
    for second in range(100):
        journal.tap(twins.UID_NEW, second)
    world.run(journal.message())
    world.published.clear()
    world.step(online_message())
    assert [seq for seq, _, _ in world.outcomes()] == list(range(70, 100))


def test_status_lists_no_more_than_it_may(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ROWS_MAX", 2)
    for number in range(5):
        journal = Journal(TERMINAL, f"{number:016x}")
        journal.segment(number, why="damaged")
        world.step(journal.message())
    assert len(report.read(world.path).alerts) == 2


@contextmanager
def full(ledger: Ledger) -> Iterator[None]:
    """A disk with no room left for this ledger."""
    connection = ledger._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1073741823")


def long(journal: Journal) -> Journal:
    for second in range(150):
        journal.tap(twins.UID_ANN, second, "out" if second % 2 else "in")
    return journal


def test_on_a_full_disk_nothing_is_stored_and_nothing_is_said(world: World) -> None:
    journal = long(morning())
    with full(world.ledger), pytest.raises(LedgerFailed, match="full"):
        world.step(journal.message())
    assert not world.on("receipt") and not world.query("SELECT 1 FROM entry")
    # The gateway begins again on what is on the disk.
    world.restart()
    world.online()
    world.step(journal.message())
    assert world.on("receipt")[-1].checkpoint.startswith(f"{journal.origin}\n151\n")


class TwinLink:
    """A session that keeps what is published."""

    def __init__(self) -> None:
        self.published: list[Publish] = []

    def start(self) -> None:
        """Nothing to connect."""

    def publish(self, message: Publish) -> None:
        self.published.append(message)

    def stop(self, farewell: Publish | None = None) -> None:
        """Nothing to close."""

    def presences(self) -> list[bool]:
        return [
            wire.decode(wire.GatewayOnline, one.payload).online
            for one in self.published
            if "/_gateway/" in one.topic
        ]

    def receipts(self) -> int:
        return sum(one.topic.endswith("/receipt") for one in self.published)


class Served:
    """A gateway in its real loop, in a thread, on a ledger whose disk we can fill."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        migrate(self.path)
        self.people = twins.TwinPeople()
        self.people.add_terminal(TERMINAL)
        self.people.enrol(twins.UID_ANN, twins.Badge("worker-ann", twins.ANN))
        self.onss = TwinOnss()
        self.link = TwinLink()
        self.inbox = Inbox()
        self.stopping = threading.Event()
        self.room = threading.Event()
        self.room.set()
        self.failures = 0

    def run(self) -> None:
        """The loop; the ledger belongs to this thread alone."""
        edges = Edges(twins.COSIGNER, twins.OPENERS, SEALER, twins.uuids())
        with closing(Disk.open(self.path)) as ledger:
            ledger.served = self
            make = partial(Gateway, ledger, self.people, edges, Settings(twins.GATEWAY))
            services = {twins.EMPLOYER: self}
            program = Program(
                make,
                self.path.parent,
                self.inbox,
                self.link,  # type: ignore[arg-type]
                services,
                2,
                Metrics(),
            )
            program.run(self.now, self.stopping)

    def now(self) -> Reading:
        return twins.at(self.failures + 200.0 + 5 * self.room.is_set())

    def register(self, items: list[dict[str, object]], trace_id: str) -> Outcome:
        return self.onss.register(items)

    def search(self, query: dict[str, str], trace_id: str) -> Outcome:
        return self.onss.search(query)


class Disk(Ledger):
    """A ledger that finds its disk full while there is no room."""

    served: Served

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self.served.room.is_set():
            with super().transaction():
                yield
            return
        self.served.failures += 1
        with full(self), super().transaction():
            self._connection.execute("CREATE TABLE filler AS SELECT randomblob(100000) AS b")
            yield


def test_a_gateway_on_a_full_disk_says_so_keeps_running_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "LEDGER_AGAIN_S", 0.01)
    served = Served(tmp_path)
    journal = morning([(twins.UID_ANN, 20, "in")])
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        empty = wire.encode(wire.Receipt("x\n\n— x AAAAAAA=\n", "x"))
        served.inbox.put(Connected())
        served.inbox.put(Message(topic(TERMINAL, "receipt"), empty))
        wait_for(lambda: served.link.presences() == [True], "the gateway to be online")
        served.room.clear()
        wait_for(lambda: served.failures > 3, "writes to fail")
        assert served.link.presences() == [True, False]
        served.inbox.put(journal.message())
        seen = served.failures
        wait_for(lambda: served.failures > seen + 3, "it to go on trying")
        assert served.link.receipts() == 0
        served.room.set()
        # It waits for retained receipts again, by a clock that only failures and room move.
        served.inbox.put(Message(topic(TERMINAL, "receipt"), empty))
        wait_for(lambda: served.link.presences()[-1], "the gateway to be back")
        served.inbox.put(journal.message())
        wait_for(lambda: served.link.receipts() == 1, "the receipt")
        wait_for(lambda: len(served.onss.rows) == 1, "the stamp at the ONSS")
    finally:
        served.stopping.set()
        served.inbox.wake()
        thread.join(20)
    assert not thread.is_alive()


def test_a_disk_that_is_nearly_full_is_shown(world: World) -> None:
    found = report.read(world.path)
    assert found.free_bytes > 0
    low = status.DISK_LOW_BYTES - 1
    shown = "\n".join(status.lines(report.LedgerReport((), (), (), (), {}, 0, None, low), NOW))
    assert "nearly full" in shown
    enough = report.LedgerReport((), (), (), (), {}, 0, None, low + 1)
    assert "nearly full" not in "\n".join(status.lines(enough, NOW))


NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
