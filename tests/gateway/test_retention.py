"""What is deleted after its time: said first, done once, gone from the file, never sent again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ciao import entries
from ciao.journal import Journal as OwnJournal
from ciao.journal import Owner
from ciao.journal.spoken import spoken
from ciao.registration import State
from gateway.events import Announce, Announced, Event, Tick
from gateway.watch.diary import Diary
from gateway.watch.probes import Rounds, Targets
from gateway.watch.watch import Surroundings, Watch
from gateway.watch.watcher import Watcher
from tests.gateway import twins
from tests.gateway.twins import ANN, COSIGNER, DOMAIN, UID_ANN, UID_BEN, UID_NEW, Journal
from tests.gateway.watch.world import numbers
from tests.gateway.world import TERMINAL, World, morning, online_message

DAY_S = 86_400
YEARS_5, YEARS_10 = 1826, 3653


class Keeper:
    """A gateway with its own journal, as the program puts them together; killed where told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World(folder)
        self.world.boot = "7a0f2f9e-8d0b-4c59-9a51-3a6c5d0b1e77"
        self.world.online()
        self.random = numbers()
        self.pending: list[Event] = []
        self.asked: list[Announce] = []
        self.watch = self._watch()

    def _watch(self) -> Watch:
        owner = Owner(DOMAIN, "gateway-north", COSIGNER)
        diary = Diary(OwnJournal(self.folder / "journal", owner, self.random, "test"), COSIGNER)
        around = Surroundings(dict, lambda: True, list, lambda *_: None)
        watch = Watch(diary, around, self.random)
        watch.start(self.now, [])
        return watch

    @property
    def now(self) -> Any:
        return twins.at(self.world.second, self.world.boot)

    def kill(self) -> None:
        """Nothing in memory outlives this."""
        self.pending = []
        self.watch.diary.close()
        self.world.restart()
        self.world.online()
        self.watch = self._watch()

    def step(self, *events: Event) -> None:
        """One step of the gateway, then one of its watch."""
        came, self.pending = [*self.pending, *events], []
        self.journal(came, self.world.step(*came))

    def journal(self, events: list[Event], effects: Any) -> None:
        self.asked += [one for one in effects if isinstance(one, Announce)]
        told = self.watch.step(self.now, events, effects)
        self.pending += [one for one in told if isinstance(one, Announced)]

    def wait(self, days: float) -> None:
        """Time passes; then the gateway does all that is due."""
        self.world.second += days * DAY_S
        for _ in range(12):
            self.world.second += 1
            self.step(Tick())

    def said(self) -> list[tuple[str, int, int, str]]:
        """What the gateway's own journal says was deleted."""
        found = []
        for _, entry in spoken(self.folder / "journal", "deletion"):
            assert isinstance(entry, entries.Deletion)
            found += [(p.origin, p.first, p.last, entry.why) for p in entry.ranges]
        return found

    def payloads(self) -> list[int]:
        """Which entries still have theirs."""
        rows = self.world.query("SELECT seq FROM entry WHERE payload IS NOT NULL ORDER BY log, seq")
        return [seq for (seq,) in rows]

    def close(self) -> None:
        self.watch.diary.close()
        self.world.ledger.close()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path)
    yield keeper
    keeper.close()


def stamped(keeper: Keeper) -> Journal:
    """Two people stamped, and the ONSS accepted it."""
    journal = morning([(UID_ANN, 1, "in"), (UID_BEN, 2, "in")])
    keeper.world.run(journal.message(), seconds=5)
    assert keeper.world.states() == [State.ACCEPTED] * 2
    return journal


def test_payloads_go_after_their_time_and_the_journal_says_so(keeper: Keeper) -> None:
    journal = stamped(keeper)
    keeper.wait(YEARS_5 - 1)
    assert keeper.payloads() == [1, 2]
    keeper.wait(1)
    assert keeper.payloads() == []
    assert keeper.said() == [(journal.origin, 1, 2, "retention")]


def test_who_it_was_and_what_was_answered_go_with_them_and_the_rest_stays(keeper: Keeper) -> None:
    stamped(keeper)
    tree = keeper.world.query("SELECT leaf, hashes FROM entry ORDER BY seq")
    keeper.wait(YEARS_5)
    world = keeper.world
    assert world.query("SELECT badge, worker FROM tap") == [(None, None)] * 2
    assert {answer for (answer,) in world.query("SELECT answer FROM attempt_ended")} == {b""}
    assert {answer for (answer,) in world.query("SELECT answer FROM search")} <= {b""}
    assert {sent for (sent,) in world.query("SELECT sent FROM attempt_item")} == {b""}
    assert world.query("SELECT leaf, hashes FROM entry ORDER BY seq") == tree
    assert [tap.onss_id for tap in world.taps()] == ["1", "2"]


def test_the_bytes_are_gone_from_the_file_and_from_its_write_ahead_log(keeper: Keeper) -> None:
    journal = stamped(keeper)
    sealed = [payload for payload in journal.payloads.values() if payload]
    badge = keeper.world.people.badge_hmac(UID_ANN)
    (answer,) = keeper.world.query("SELECT answer FROM attempt_ended")[0]
    (sent,) = keeper.world.query("SELECT sent FROM attempt_item")[0]
    ours = [b"worker-ann", bytes(answer)[:16], bytes(sent)[:24]]
    secrets = [*(one[:24] for one in sealed), badge, *ours]
    assert all(any(one in held for held in _bytes(keeper)) for one in secrets)
    keeper.wait(YEARS_5)
    for one in [*secrets, ANN.encode()]:
        assert not any(one in held for held in _bytes(keeper))


def _bytes(keeper: Keeper) -> list[bytes]:
    return [path.read_bytes() for path in keeper.folder.glob("ledger.db*")]


def test_while_somebody_reads_it_is_wiped_as_soon_as_they_are_through(keeper: Keeper) -> None:
    stamped(keeper)
    badge = keeper.world.people.badge_hmac(UID_ANN)
    with closing(sqlite3.connect(keeper.world.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM tap").fetchall()
        keeper.wait(YEARS_5)
        assert keeper.payloads() == []
        assert any(badge in held for held in _bytes(keeper))
    keeper.wait(0.01)
    assert not any(badge in held for held in _bytes(keeper))


def test_a_look_over_very_many_logs_is_made_in_many_steps(keeper: Keeper) -> None:
    stamped(keeper)
    keeper.world.query(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        " INSERT INTO log (id, origin, terminal, key, certificate, size, checkpoint, receipt,"
        " changed_ms) SELECT i, 'x/ciao/hall-' || i || '/0000000000000001', 'hall-' || i, x'', '',"
        " 5, '', '', 0 FROM n"
    )
    asked: list[str] = []
    keeper.world.ledger._connection.set_trace_callback(asked.append)
    keeper.world.second += DAY_S
    keeper.step(Tick())
    keeper.world.ledger._connection.set_trace_callback(None)
    assert 10 < sum("payloads_from < size" in one for one in asked) <= 110


@pytest.mark.parametrize("journalled", [False, True])
def test_killed_between_the_plan_and_the_deed_it_goes_on_and_says_it_once(
    keeper: Keeper, journalled: bool
) -> None:
    journal = stamped(keeper)
    keeper.wait(YEARS_5 - 1)
    keeper.world.second += DAY_S
    effects = keeper.world.step(Tick())
    assert [one for one in effects if isinstance(one, Announce)]
    if journalled:
        keeper.journal([], effects)
    assert keeper.payloads() == [1, 2], "never before it was said"
    keeper.kill()
    assert keeper.payloads() == [1, 2]
    keeper.wait(0.01)
    assert keeper.payloads() == []
    assert keeper.said() == [(journal.origin, 1, 2, "retention")]


def test_killed_after_the_deed_it_is_not_done_again(keeper: Keeper) -> None:
    journal = stamped(keeper)
    keeper.wait(YEARS_5)
    keeper.kill()
    keeper.wait(2)
    assert keeper.said() == [(journal.origin, 1, 2, "retention")]
    assert len(keeper.world.query("SELECT * FROM deletion_done")) == 1


def test_a_journal_that_takes_nothing_keeps_everything(keeper: Keeper) -> None:
    stamped(keeper)
    keeper.world.second += YEARS_5 * DAY_S
    for _ in range(5):
        keeper.world.second += 60
        keeper.world.step(Tick())
    assert keeper.payloads() == [1, 2]


def test_the_ledger_itself_refuses_to_lose_what_was_not_said(keeper: Keeper) -> None:
    stamped(keeper)
    keeper.wait(YEARS_5)
    second = Journal(TERMINAL, "0000000000000002")
    second.segment()
    second.tap(UID_ANN, YEARS_5 * DAY_S, "in")
    keeper.world.run(second.message(), seconds=5)
    for statement in (
        "UPDATE entry SET payload = NULL WHERE payload IS NOT NULL",
        "UPDATE entry SET leaf = x''",
        "UPDATE entry SET hashes = x''",
        "UPDATE attempt_ended SET answer = x''",
        "UPDATE attempt_item SET sent = x''",
        "UPDATE attempt_item SET sent = NULL",
        "UPDATE search SET answer = x'', tap = tap + 1",
        "DELETE FROM note",
        "DELETE FROM deletion_said",
        "UPDATE deletion_range SET last = 99",
        "INSERT INTO deletion_range SELECT 1, 2, 0, 99",
        "INSERT OR REPLACE INTO entry SELECT log, seq, leaf, hashes, NULL, flag, tap FROM entry",
        "INSERT OR REPLACE INTO note SELECT sha256, origin, 0, '' FROM note",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            keeper.world.query(statement)


@pytest.mark.parametrize("again", ["the same batch", "carried"])
def test_what_comes_again_after_its_deletion_is_known_and_never_sent_again(
    keeper: Keeper, again: str
) -> None:
    journal = stamped(keeper)
    keeper.wait(YEARS_5)
    calls = keeper.world.onss.calls
    if again == "carried":
        second = Journal(TERMINAL, "0000000000000002")
        second.segment()
        second.carry(journal, 1)
        second.carry(journal, 2)
        keeper.world.run(second.message(), seconds=60)
    else:
        keeper.world.run(journal.message(), seconds=60)
    assert keeper.world.onss.calls == calls
    assert len(keeper.world.taps()) == 2
    assert all(tap.worker is None for tap in keeper.world.taps())


def test_what_a_backup_brings_back_is_deleted_again_and_not_sent_again(keeper: Keeper) -> None:
    journal = stamped(keeper)
    backup = keeper.world.path.with_suffix(".backup")
    keeper.world.query(f"VACUUM INTO '{backup}'")
    keeper.wait(YEARS_5)
    calls = keeper.world.onss.calls
    keeper.world.ledger.close()
    for path in keeper.folder.glob("ledger.db*"):
        path.unlink()
    backup.rename(keeper.world.path)
    keeper.world._open()
    keeper.world.online()
    assert keeper.payloads() == [1, 2]
    keeper.wait(0.01)
    keeper.world.run(journal.message(), seconds=60)
    assert keeper.payloads() == []
    assert keeper.world.onss.calls == calls
    assert (journal.origin, 1, 2, "retention") in keeper.said()


def test_what_is_open_stays_until_it_is_closed_and_a_month_longer(keeper: Keeper) -> None:
    journal = morning([(UID_ANN, 1, "in"), (UID_NEW, 2, "in"), (UID_BEN, 3, "in")])
    keeper.world.run(journal.message(), seconds=5)
    assert keeper.world.states()[1] is State.UNRESOLVED
    keeper.wait(YEARS_5)
    assert keeper.payloads() == [2]
    assert [said[1:3] for said in keeper.said()] == [(1, 1), (3, 3)]
    with keeper.world.ledger.transaction():
        keeper.world.ledger.care.decide("abandon", ["2"], "nobody's", 0)
    keeper.wait(2)
    assert keeper.payloads() == [2]
    keeper.wait(32)
    assert keeper.payloads() == []


def test_one_that_was_forgotten_cannot_be_released(keeper: Keeper) -> None:
    stamped(keeper)
    keeper.world.query("UPDATE tap SET state = 'withheld' WHERE id = 1")
    keeper.wait(YEARS_5)
    with keeper.world.ledger.transaction():
        keeper.world.ledger.care.decide("release", ["1"], "why not", 0)
    keeper.wait(0.01)
    (result,) = keeper.world.query("SELECT result FROM decision_taken")[0]
    assert result == "not possible: whose it is was deleted after its time"
    assert keeper.world.taps()[0].state is State.WITHHELD


def test_a_whole_log_goes_after_its_time_but_never_the_newest(keeper: Keeper) -> None:
    first = stamped(keeper)
    keeper.wait(YEARS_10)
    assert keeper.world.query("SELECT DISTINCT leaf = x'' FROM entry") == [(0,)], "the newest"
    second = Journal(TERMINAL, "0000000000000002")
    second.segment(YEARS_10 * DAY_S)
    keeper.world.run(second.message(), seconds=5)
    keeper.wait(1)
    rows = keeper.world.query("SELECT log, leaf = x'' FROM entry ORDER BY log, seq")
    assert rows == [(1, 1)] * 3 + [(2, 0)]
    assert (first.origin, 0, 2, "segment") in keeper.said()
    assert keeper.world.query("SELECT size FROM note WHERE origin LIKE '%c1a0'") == [(3,)]


def test_a_log_that_is_gone_still_gets_its_receipt_and_nothing_of_it_is_sent(
    keeper: Keeper,
) -> None:
    first = stamped(keeper)
    keeper.wait(YEARS_10)
    second = Journal(TERMINAL, "0000000000000002")
    second.segment(YEARS_10 * DAY_S)
    keeper.world.run(second.message(), seconds=5)
    keeper.wait(1)
    calls, before = keeper.world.onss.calls, len(keeper.world.on("receipt"))
    keeper.world.run(first.message(), online_message(), seconds=5)
    receipts = [one.checkpoint.split("\n")[:2] for one in keeper.world.on("receipt")[before:]]
    assert [first.origin, "3"] in receipts
    assert keeper.world.onss.calls == calls
    assert len(keeper.world.taps()) == 2


def test_a_backlog_of_years_goes_by_portions(keeper: Keeper) -> None:
    """Many logs and many entries: no step does more than one small portion."""
    journal = morning()
    for second in range(1, 60):
        journal.heartbeat(second)
        journal.tap(UID_ANN, second, "in" if second % 2 else "out")
    keeper.world.run(journal.message(), seconds=80)
    assert set(keeper.world.states()) == {State.ACCEPTED}
    keeper.wait(YEARS_5)
    assert keeper.payloads() == []
    assert keeper.said() == [(journal.origin, 2, 118, "retention")]


def test_the_watcher_hands_what_was_written_to_the_gateways_next_step(keeper: Keeper) -> None:
    journal = stamped(keeper)
    keeper.world.second += YEARS_5 * DAY_S
    nothing = Targets("http://127.0.0.1:9/", None, [], ("127.0.0.1", 9), "", "localhost", {})
    watcher = Watcher(keeper.watch, Rounds(nothing), keeper.pending.append)
    effects = keeper.world.step(Tick())
    watcher.step(keeper.now, [], effects, ledger_works=True)
    (announced,) = [one for one in keeper.pending if isinstance(one, Announced)]
    watcher.stop(keeper.now)
    keeper.world.step(announced)
    assert keeper.payloads() == []
    assert keeper.said() == [(journal.origin, 1, 2, "retention")]
