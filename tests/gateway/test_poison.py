"""Leaves made to hurt, kinds of the future, carried entries in every mix: taken, and harmless."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from ciao import canonical, entries
from ciao.entries import Carried, Entry, NotUnderstood
from gateway.events import Tick
from gateway.ledger import report
from tests.gateway import twins
from tests.gateway.twins import Journal
from tests.gateway.world import TERMINAL, World, morning

TOP = 2**53 - 1


def nested(depth: int) -> bytes:
    return b'{"deep":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


POISON: dict[str, bytes] = {
    "the deepest nesting": b'{"kind":"x","seq":1,"v":1,"z":' + nested(8) + b"}",
    "the largest integers": f'{{"a":{-TOP},"b":{TOP},"kind":"x","seq":1,"v":{TOP}}}'.encode(),
    "no kind at all": b'{"seq":1}',
    "kinds of another type": b'{"kind":[1],"seq":1,"v":"1"}',
    "payload fields of other types": b'{"kind":"tap9","payload":{"a":[1]},"seq":1,"v":1}',
    "control characters": b'{"kind":"\\u0000\\u001f","seq":1,"v":1}',
    "the longest leaf": b'{"kind":"x","pad":"' + b"p" * (4096 - 39) + b'","seq":1,"v":1}',
    "a tap of version 2": b'{"kind":"tap","seq":1,"v":2}',
    "not ASCII": '{"kind":"x","name":"é\U0001f600","seq":1,"v":1}'.encode(),
}


@pytest.mark.parametrize("leaf", POISON.values(), ids=POISON)
def test_canonical_poison_is_stored_receipted_and_flagged_and_stops_nothing(
    world: World, leaf: bytes
) -> None:
    assert canonical.decode(leaf, entries.LEAF_SIZE_MAX)["seq"] == 1
    journal = morning()
    journal.add_leaf(leaf)
    journal.tap(twins.UID_ANN, 20)
    world.second = 25
    world.run(journal.message())
    assert world.on("receipt")[-1].checkpoint.startswith(f"{journal.origin}\n3\n")
    assert world.query("SELECT seq, flag FROM entry WHERE flag IS NOT NULL") == [
        (1, "not_understood")
    ]
    assert world.outcomes() == [(2, "accepted", None)]


def test_absurd_places_and_moments_of_a_tap_are_only_text_and_numbers(world: World) -> None:
    journal = morning()
    journal.tap(twins.UID_ANN, 20, carried=Carried("\x00'; DROP TABLE tap; --", TOP))
    journal.tap(twins.UID_BEN, 20, up_ms=TOP)
    journal.clock_step(TOP // 1_000_000, 0)
    world.second = 25
    world.run(journal.message())
    assert world.states() == ["accepted", "accepted"]
    assert [row[0] for row in world.query("SELECT count(*) FROM tap")] == [2]


def older(unknown: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the gateway one that does not know some kinds yet."""
    now = entries.decode

    def decode(leaf: bytes) -> Entry:
        entry = now(leaf)
        if entry.__struct_config__.tag in unknown:
            raise NotUnderstood("of the future")
        return entry

    monkeypatch.setattr("gateway.custody.entries.decode", decode)


def test_taps_that_were_not_understood_are_read_again_after_an_upgrade(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = morning()
    for number in range(150):
        journal.tap(twins.UID_ANN, number, "out" if number % 2 else "in")
    world.second = 160
    with monkeypatch.context() as patch:
        older({"tap"}, patch)
        world.run(journal.message())
        assert report.read(world.path).terminals[0].flagged == {"not_understood": 150}
        world.restart()
        world.online()
        assert not world.taps()
    dump = world.dump()["entry"]
    world.restart()
    world.online()
    world.run(Tick())
    assert len(world.onss.rows) == 150
    assert not world.query("SELECT 1 FROM entry WHERE flag IS NOT NULL")
    assert world.query("SELECT count(tap) FROM entry") == [(150,)]
    # The bytes are those that were receipted.
    assert [row[:4] for row in world.dump()["entry"]] == [row[:4] for row in dump]
    world.restart()
    world.online()
    world.run(journal.message(), seconds=60)
    assert len(world.onss.rows) == 150 and len(world.taps()) == 150


def test_a_tap_read_again_too_late_is_held_and_one_without_payload_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = morning([(twins.UID_ANN, 20, "in"), (twins.UID_BEN, 21, "in")])
    journal.payloads[2] = None
    with monkeypatch.context() as patch:
        older({"tap"}, patch)
        world.run(journal.message())
    world.second = 48 * 3600
    world.restart()
    world.online()
    world.run(Tick())
    assert [tap.reason for tap in world.taps()] == ["late", "payload_gone"]
    assert world.query("SELECT flag FROM entry WHERE flag IS NOT NULL") == [("payload_gone",)]


def test_a_step_of_the_clock_read_again_releases_what_it_dates(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = morning()
    journal.tap(twins.UID_ANN, 20, synced=False, wrong_s=-5000)
    journal.clock_step(30, -5000)
    world.second = 31
    with monkeypatch.context() as patch:
        older({"clock_step"}, patch)
        world.run(journal.message())
    assert world.states() == ["held"]
    world.restart()
    world.online()
    world.run(Tick())
    assert world.states() == ["accepted"]


def test_a_tap_carried_through_generations_is_one_tap(world: World) -> None:
    first = morning([(twins.UID_ANN, 20, "in"), (twins.UID_BEN, 21, "in")])
    second = Journal(TERMINAL, "0123456789abcdef")
    second.segment(30, why="damaged")
    third = Journal(TERMINAL, "fedcba9876543210")
    third.segment(40, why="damaged")
    for seq in (1, 2):
        third.carry(second, second.carry(first, seq))
    world.second = 45
    # The last generation arrives first, then the others, whole and again.
    world.run(third.message(), first.message(), second.message(), third.message())
    assert len(world.onss.rows) == 2 and len(world.taps()) == 2
    assert {(tap.first_origin, tap.first_seq) for tap in world.taps()} == {
        (first.origin, 1),
        (first.origin, 2),
    }
    assert world.query("SELECT flag, count(*) FROM entry WHERE tap > 0 GROUP BY 1 ORDER BY 1") == [
        (None, 2),
        ("carried", 4),
    ]


def test_a_carried_pair_taken_by_another_payload_is_another_tap(world: World) -> None:
    """A card that lost its last entries wrote others under the same numbers."""
    lost = morning([(twins.UID_ANN, 20, "in")])
    world.second = 25
    world.run(lost.message())
    second = Journal(TERMINAL, "0123456789abcdef")
    second.segment(30, why="rolled_back")
    second.tap(twins.UID_BEN, 22, carried=Carried(lost.origin, 1))
    world.run(second.message())
    assert world.states() == ["accepted", "accepted"]
    assert {row["ssin"] for row in world.onss.rows} == {twins.ANN, twins.BEN}


def test_the_same_payload_at_two_terminals_is_a_tap_at_each(world: World) -> None:
    """Copied by who can: the copy opens for no place of its own, so it goes nowhere."""
    world.people.add_terminal("hall-9")
    here = morning([(twins.UID_ANN, 20, "in")])
    world.second = 25
    world.run(here.message())
    there = Journal("hall-9")
    sealed = here.payloads[1]
    assert sealed is not None
    entry = entries.decode(here.leaves[1])
    assert isinstance(entry, entries.Tap)
    bound = world.people.bind(twins.bound("hall-9"))
    changes: dict[str, Any] = {"payload": hashlib.sha256(sealed).hexdigest(), "binding": bound}
    seq = there.tap(twins.UID_BEN, 20, opening=entry.opening, **changes)
    there.payloads[seq] = sealed
    world.run(there.message())
    assert [(tap.terminal, tap.state, tap.reason) for tap in world.taps()] == [
        (TERMINAL, "accepted", None),
        ("hall-9", "held", "unreadable_payload"),
    ]
    assert len(world.onss.rows) == 1
