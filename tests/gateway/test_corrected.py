"""The registry corrected while an answer is out: what was sent is what is searched for."""

from __future__ import annotations

import sqlite3

import pytest

from ciao.sealing import SealBroken
from gateway.core import Edges, Gateway
from gateway.ledger import Ledger
from gateway.onss.answers import Silence
from tests.gateway import twins
from tests.gateway.sealer import TwinSealer
from tests.gateway.test_forwarding import one_tap
from tests.gateway.test_restoring import Backup
from tests.gateway.twins import Badge, silence
from tests.gateway.world import World


def correct(world: World, badge: Badge) -> None:
    """The office finds that a badge was never whose it was said to be."""
    world.people.enrol(twins.UID_ANN, badge)


CORRECTIONS = [
    Badge("worker-ben", twins.BEN),
    Badge("worker-ann", twins.ANN, company="0000000196"),
    Badge("worker-ann", twins.ANN, employer="another"),
]


@pytest.mark.parametrize("corrected", [*CORRECTIONS, None])
def test_what_was_sent_is_searched_for_whatever_the_registry_says_since(
    world: World, corrected: Badge | None
) -> None:
    world.onss.script = ["lost"]
    one_tap(world)
    (call,) = world.submitted
    world.settle(*world.answers())
    if corrected is None:
        world.people.badges.clear()
    else:
        correct(world, corrected)
    world.run(seconds=300)
    (tap,) = world.taps()
    assert (tap.state, tap.worker, tap.employer) == ("accepted", "worker-ann", call.employer)
    assert world.onss.calls == 1 and len(world.onss.rows) == 1


@pytest.mark.parametrize("corrected", CORRECTIONS)
def test_what_was_sent_and_is_not_there_goes_as_the_registry_says_now(
    world: World, corrected: Badge
) -> None:
    world.onss.script = [silence(Silence.TIMEOUT, True)]
    one_tap(world)
    world.settle(*world.answers())
    correct(world, corrected)
    world.run(seconds=30)
    assert world.states() == ["unknown"]
    world.run(seconds=300)
    (tap,) = world.taps()
    assert (tap.state, tap.worker, tap.employer) == (
        "accepted",
        corrected.worker,
        corrected.employer,
    )
    (row,) = world.onss.rows
    company = {"enterpriseNumber": corrected.company}
    assert (row["ssin"], row["employer"]) == (corrected.ssin, company)


def test_what_was_sent_before_the_gateway_died_is_searched_for_as_it_was_sent(
    world: World,
) -> None:
    world.onss.script = ["lost"]
    one_tap(world)
    world.answers()
    correct(world, CORRECTIONS[0])
    world.restart()
    world.online()
    world.run(seconds=300)
    (tap,) = world.taps()
    assert (tap.state, tap.worker) == ("accepted", "worker-ann") and world.onss.calls == 1


def test_what_was_accepted_is_asked_about_as_it_was_sent(world: World) -> None:
    one_tap(world)
    world.settle(*world.answers())
    assert world.states() == ["accepted"]
    correct(world, CORRECTIONS[0])
    for row in world.onss.rows:
        row["validity"] = "valid"
    world.run(seconds=700, every=100)
    assert world.states() == ["valid"]


def test_after_a_restored_backup_what_its_last_call_said_and_what_would_go_now_are_searched_for(
    world: World,
) -> None:
    world.onss.script = [silence(Silence.TIMEOUT, True)]
    one_tap(world)
    world.settle(*world.answers())
    backup = Backup(world)
    correct(world, CORRECTIONS[0])
    world.run(seconds=300)
    assert [row["ssin"] for row in world.onss.rows] == [twins.BEN]
    # Of the call that was stored the backup knows nothing.
    backup.restore()
    with world.ledger.transaction():
        world.ledger.care.decide("restored", [""], "copied back after a disk failure", 1)
    world.online()
    world.run(seconds=1000, every=10)
    (tap,) = world.taps()
    assert (tap.state, tap.worker) == ("accepted", "worker-ben") and world.onss.calls == 2


def test_what_was_sent_is_in_the_ledger_where_nobody_reads_it(world: World) -> None:
    one_tap(world)
    (sent,) = world.query("SELECT sent FROM attempt_item")[0]
    assert sent and twins.ANN.encode() not in sent and b"worker" not in sent
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        world.query("UPDATE attempt_item SET sent = NULL")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        world.query("UPDATE attempt_item SET sent = x''")


def test_what_a_call_said_before_it_was_kept_is_taken_from_the_registry(world: World) -> None:
    world.onss.script = ["lost"]
    one_tap(world)
    world.settle(*world.answers())
    world.query("DROP TRIGGER attempt_item_never_update")
    world.query("UPDATE attempt_item SET sent = NULL")
    world.run(seconds=30)
    assert world.states() == ["accepted"] and world.onss.calls == 1


def test_what_was_sealed_with_another_key_is_left_to_a_person(world: World) -> None:
    class Locked(TwinSealer):
        def open(self, sealed: bytes, info: bytes) -> bytes:
            raise SealBroken("another key")

    world.onss.script = ["lost"]
    one_tap(world)
    world.settle(*world.answers())
    world.ledger.close()
    world.ledger = Ledger.open(world.path)
    edges = Edges(twins.COSIGNER, twins.OPENERS, Locked(), twins.uuids("next"))
    world.gateway = Gateway(world.ledger, world.people, edges, world.settings)
    world.online()
    world.run(seconds=300)
    assert world.states() == ["unknown"] and world.onss.calls == 1
