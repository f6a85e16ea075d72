"""The small edges: sealed answers, the inbox, the ledger's file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ciao.errors import BadInput
from ciao.link import Disconnected, Message
from ciao.running import EVENTS_A_STEP_MAX
from ciao.sealing import SealBroken
from gateway import sealing
from gateway.events import Event, Tick
from gateway.ledger import Ledger, migrate, report
from gateway.program import (
    WAITING_BYTES_MAX,
    WAITING_MAX,
    WAITING_OF_TOPIC_MAX,
    Crashed,
    Inbox,
    without_crashes,
)
from tests.gateway.world import World


def test_an_answer_opens_only_with_its_key_and_for_its_place(tmp_path: Path) -> None:
    path = tmp_path / "answers.key"
    path.write_bytes(bytes(32))
    path.chmod(0o600)
    key = sealing.load(path, bytes)
    sealed = key.seal(b"what it said", b"ciao/1 attempt 1")
    assert b"what it said" not in sealed
    assert key.open(sealed, b"ciao/1 attempt 1") == b"what it said"
    other = sealing.AnswerKey(bytes(31) + b"x", bytes)
    for opener, info in ((key, b"ciao/1 attempt 2"), (other, b"ciao/1 attempt 1")):
        with pytest.raises(SealBroken):
            opener.open(sealed, info)
    path.write_bytes(bytes(31))
    with pytest.raises(BadInput, match="31 bytes"):
        sealing.load(path, bytes)


def test_the_inbox_hands_out_what_came_in_order_a_step_at_a_time() -> None:
    inbox = Inbox()
    assert inbox.take(0) == []
    for number in range(EVENTS_A_STEP_MAX + 1):
        inbox.put(Disconnected(str(number)))
    assert inbox.take(1)[0] == Disconnected("0")
    assert inbox.take(0) == [Disconnected(str(EVENTS_A_STEP_MAX))]


def drained(inbox: Inbox) -> list[Event | Crashed]:
    taken: list[Event | Crashed] = []
    while events := inbox.take(0):
        taken += events
    return taken


def test_a_flood_of_messages_is_dropped_but_nothing_else_is() -> None:
    inbox = Inbox()
    for number in range(WAITING_MAX + 100):
        inbox.put(Message(f"ciao/1/x{number}/journal", b""))
    inbox.put(Tick())
    taken = drained(inbox)
    assert len(taken) == WAITING_MAX + 1 and taken[-1] == Tick()
    inbox.put(Message("ciao/1/x/journal", b""))
    assert len(drained(inbox)) == 1


def test_one_topic_that_floods_leaves_the_others_their_place() -> None:
    inbox = Inbox()
    for _ in range(WAITING_OF_TOPIC_MAX + 100):
        inbox.put(Message("ciao/1/flood/journal", b"x"))
    inbox.put(Message("ciao/1/hall-3/journal", b"y"))
    taken = drained(inbox)
    assert len(taken) == WAITING_OF_TOPIC_MAX + 1
    assert taken[-1] == Message("ciao/1/hall-3/journal", b"y")


def test_what_waits_is_bounded_in_bytes_too() -> None:
    inbox = Inbox()
    large = bytes(256 * 1024)
    for number in range(600):
        inbox.put(Message(f"ciao/1/x{number}/journal", large))
    assert len(drained(inbox)) == WAITING_BYTES_MAX // len(large)


def test_a_workers_mistake_ends_the_program() -> None:
    inbox = Inbox()
    inbox.put(Crashed(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        without_crashes(inbox.take(0))


def test_the_ledger_is_durable_private_and_made_in_a_step_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with pytest.raises(BadInput, match="there is no ledger"):
        Ledger.open(path)
    migrate(path)
    migrate(path)
    ledger = Ledger.open(path)
    connection = ledger._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    with ledger.transaction():
        ledger.custody.put_fact("x", 1)
    assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}
    ledger.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    migrate(tmp_path / "ledger.db")
    ledger = Ledger.open(tmp_path / "ledger.db")
    with pytest.raises(ZeroDivisionError), ledger.transaction():
        ledger.custody.put_fact("x", 1)
        raise ZeroDivisionError
    assert ledger.custody.fact("x") is None
    ledger.close()


def test_a_file_that_is_no_ledger_is_refused_in_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database at all, but long enough to look" * 100)
    for use in (migrate, Ledger.open, report.read):
        with pytest.raises(BadInput, match="can't use"):
            use(path)
    path.unlink()
    sqlite3.connect(path).close()
    path.write_bytes(b"")
    with pytest.raises(BadInput, match="older version"):
        Ledger.open(path)


def test_the_report_is_read_while_the_gateway_writes(world: World) -> None:
    with world.ledger.transaction():
        world.ledger.custody.count_refused("hall-3", "malformed", 1)
        assert not report.read(world.path).refusals
    assert report.read(world.path).refusals[0].count == 1
