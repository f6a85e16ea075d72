"""The session with the broker: what is retained, what is read first, what is said again."""

from __future__ import annotations

from pathlib import Path

from ciao import wire
from ciao.link import Connected, Disconnected, Publish
from ciao.names import gateway_online, topic
from gateway.events import Tick
from tests.gateway import twins
from tests.gateway.twins import Journal
from tests.gateway.world import TERMINAL, World, morning, online_message, retained_receipt

ONLINE = gateway_online(twins.GATEWAY)


def topics(published: list[Publish]) -> list[str]:
    return [one.topic for one in published]


def test_nothing_is_said_before_retained_receipts_are_read_or_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.step(Connected())
    world.second = 1.9
    world.step(Tick(), morning().message())
    assert not world.published and not world.query("SELECT 1 FROM entry")
    world.second = 2
    world.step(Tick())
    assert topics(world.published) == [
        ONLINE,
        topic(TERMINAL, "binding"),
        topic(TERMINAL, "roster"),
    ]
    assert all(one.retain for one in world.published)


def test_the_wait_ends_when_every_terminals_receipt_is_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.step(Connected())
    world.step(retained_receipt(morning().receipted_by(1)))
    assert ONLINE in topics(world.published)


def test_a_new_session_says_everything_again(world: World) -> None:
    journal = morning()
    world.step(journal.message())
    (receipt,) = [one for one in world.published if one.topic.endswith("/receipt")]
    world.published.clear()
    world.step(Disconnected("gone"))
    world.step(Tick())
    assert not world.published
    world.step(Connected())
    assert receipt in world.published
    assert {ONLINE, topic(TERMINAL, "binding"), topic(TERMINAL, "roster")} < set(
        topics(world.published)
    )


def test_a_change_in_the_registry_is_published_once(world: World) -> None:
    world.published.clear()
    world.step(Tick())
    assert not world.published
    world.people.enrol(twins.UID_NEW, twins.Badge("worker-new", twins.ANN))
    world.step(Tick())
    world.step(Tick())
    assert topics(world.published) == [topic(TERMINAL, "binding"), topic(TERMINAL, "roster")]


def test_a_terminal_that_comes_online_is_told_the_outcomes_of_two_days(world: World) -> None:
    journal = morning([(twins.UID_ANN, 0, "in")])
    world.run(journal.message())
    world.second = 3 * 86_400
    journal.tap(twins.UID_BEN, world.second - 1)
    world.run(journal.message(2))
    world.published.clear()
    world.step(online_message(online=False))
    assert not world.published
    world.step(online_message())
    assert world.outcomes() == [(2, "accepted", None)]


def test_many_outcomes_are_cut_at_the_limit(world: World) -> None:
    journal = Journal(TERMINAL)
    for second in range(450):
        journal.tap(twins.UID_NEW, second)
    for start in range(0, 450, 150):
        world.run(journal.message(start, start + 150))
    world.published.clear()
    world.step(online_message())
    assert [len(one.outcomes) for one in world.on("outcome")] == [200, 200, 50]


def test_a_receipt_of_ours_beyond_the_ledger_marks_it_restored(tmp_path: Path) -> None:
    world = World(tmp_path)
    journal = morning([(twins.UID_ANN, 20, "in"), (twins.UID_BEN, 30, "in")])
    world.second = 40
    world.step(Connected())
    world.step(retained_receipt(journal.receipted_by(3)))
    assert world.on("hint") == [wire.Hint(resend_from=wire.ResendFrom(journal.origin, 0))]
    world.published.clear()
    # What it takes meanwhile it does not receipt: that would be a smaller one.
    world.step(journal.message(0, 2))
    assert not world.on("receipt")
    world.restart()
    world.online()
    world.step(journal.message(2, 3))
    assert world.on("receipt")[-1].checkpoint.startswith(f"{journal.origin}\n3\n")
    # Both may be at the ONSS: they are consulted, not sent, and only absence makes them go.
    assert world.onss.calls == 0
    world.settle()
    assert [tap.state for tap in world.taps()] == ["unknown", "unknown"]
    world.run(seconds=300)
    assert world.states() == ["accepted", "accepted"] and world.onss.calls == 2
    # A tap made after that moment is a tap like any other.
    journal.tap(twins.UID_ANN, world.second, "out")
    world.run(journal.message(3))
    assert world.states()[-1] == "accepted" and world.onss.calls == 3


def test_a_restored_gateway_finds_what_it_had_submitted(world: World, tmp_path: Path) -> None:
    journal = morning([(twins.UID_ANN, 20, "in")])
    world.second = 40
    world.run(journal.message())
    (tmp_path / "restored").mkdir()
    restored = World(tmp_path / "restored")
    restored.onss, restored.second = world.onss, 50
    (receipt,) = [one for one in world.published if one.topic.endswith("/receipt")]
    restored.step(Connected())
    restored.step(retained_receipt(receipt.payload))
    restored.run(journal.message())
    assert restored.states() == ["accepted"] and len(world.onss.rows) == 1


def test_a_note_in_a_batch_marks_it_restored_too(world: World) -> None:
    journal = morning([(twins.UID_ANN, 20, "in")])
    note = wire.decode(wire.Receipt, journal.receipted_by(2)).checkpoint
    world.second = 40
    world.step(journal.message(0, 1, notes=[note]))
    assert world.query("SELECT value FROM fact WHERE name = 'restored_ms'")
    assert world.on("hint") == [wire.Hint(resend_from=wire.ResendFrom(journal.origin, 1))]


def test_a_receipt_by_somebody_else_marks_nothing(world: World) -> None:
    journal = morning()
    forged = journal.receipted_by(1, twins.signer("badges.example.be/ciao/gateway-south"))
    world.step(retained_receipt(forged))
    world.step(retained_receipt(Journal("hall-9").receipted_by(0)))
    assert not world.query("SELECT 1 FROM fact WHERE name LIKE 'restored%'")
