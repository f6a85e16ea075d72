"""Whose tap it was, as of the tap; what is held, waits, or is withheld, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ciao import binding
from ciao.entries import Carried
from gateway.events import Tick
from tests.gateway import twins
from tests.gateway.twins import Badge, Journal, bound
from tests.gateway.world import TERMINAL, World, morning


def stamped(
    world: World, uid: bytes = twins.UID_ANN, second: float = 20, **changes: Any
) -> Journal:
    """Bring one tap to the gateway, ten seconds after it was made."""
    journal = morning()
    journal.tap(uid, second, **changes)
    world.second = max(world.second, second + 10)
    world.run(journal.message())
    return journal


def test_a_tap_becomes_the_six_data_of_the_law(world: World) -> None:
    stamped(world, direction="out")
    (row,) = world.onss.rows
    assert row == {
        "id": 1,
        "registrationDate": "2026-03-02T05:00:20.000Z",
        "ssin": twins.ANN,
        "type": "out",
        "employer": {"enterpriseNumber": "0123456749"},
        "placeOfWork": {
            "address": {
                "postCode": "1000",
                "municipalityName": "Bruxelles",
                "streetName": "Rue X",
                "houseNumber": "3",
            }
        },
        "contractualRelationshipReference": twins.DECLARATION,
    }


def test_the_place_is_that_of_the_binding_in_force_at_the_tap(world: World) -> None:
    coordinates = binding.Site("Yard", None, binding.SiteCoordinates("4.35", "50.85"))
    earlier = world.people.bind(bound(TERMINAL, serial=1, site=coordinates))
    stamped(world, binding=earlier)
    assert world.onss.rows[0]["placeOfWork"] == {
        "coordinates": {"longitude": 4.35, "latitude": 50.85}
    }


def test_a_badge_enrolled_later_resolves_its_waiting_taps_at_their_own_time(world: World) -> None:
    journal = stamped(world, twins.UID_NEW)
    assert world.outcomes() == [(1, "unresolved", "unknown_badge")]
    world.second = 3600
    world.run(Tick())
    assert world.onss.calls == 0
    world.people.enrol(twins.UID_NEW, Badge("worker-new", twins.BEN))
    world.run(Tick())
    assert world.outcomes()[-1] == (1, "accepted", None)
    assert world.onss.rows[0]["registrationDate"] == "2026-03-02T05:00:20.000Z"
    assert journal.size == 2


def test_an_enrolment_that_begins_after_the_tap_does_not_resolve_it(world: World) -> None:
    stamped(world, twins.UID_NEW)
    since = twins.START + timedelta(seconds=21)
    world.people.enrol(twins.UID_NEW, Badge("worker-new", twins.BEN, since))
    world.run(Tick())
    assert world.states() == ["unresolved"]


def test_many_waiting_taps_resolve_in_parts_and_in_order(world: World) -> None:
    journal = Journal(TERMINAL)
    for number in range(100):
        journal.tap(twins.UID_NEW, number, "out" if number % 2 else "in")
    world.run(journal.message())
    world.people.enrol(twins.UID_NEW, Badge("worker-new", twins.BEN))
    world.run(Tick())
    assert [row["registrationDate"] for row in world.onss.rows] == sorted(
        row["registrationDate"] for row in world.onss.rows
    )
    assert set(world.states()) == {"accepted"} and len(world.onss.rows) == 100


OTHER_KEY = "0123456789abcdef"
HELD: list[tuple[str, dict[str, Any]]] = [
    ("untrusted_clock", {"synced": False}),
    ("unknown_binding", {"binding": "0" * 64}),
    ("foreign_binding", {"declaration": "1Y1000003EQCZ"}),
    ("unknown_key", {"key": OTHER_KEY}),
    ("opening_differs", {"opening": "0" * 64}),
]


@pytest.mark.parametrize(("reason", "changes"), HELD, ids=[row[0] for row in HELD])
def test_a_tap_is_held_with_its_reason_and_never_sent(
    world: World, reason: str, changes: dict[str, Any]
) -> None:
    stamped(world, **changes)
    assert world.outcomes() == [(1, "held", reason)] and world.onss.calls == 0


def test_a_payload_sealed_for_another_place_is_held(world: World) -> None:
    journal = Journal(TERMINAL)
    journal.tap(twins.UID_ANN, 1, carried=Carried(journal.origin, 7))
    entry, sealed = journal.leaves[0], journal.payloads[0]
    moved = Journal(TERMINAL)
    moved.add_leaf(entry.replace(b'"seq":7', b'"seq":8'), sealed)
    world.run(moved.message())
    assert world.outcomes() == [(8, "held", "unreadable_payload")]


def test_another_terminals_binding_is_held(world: World) -> None:
    world.people.add_terminal("hall-9")
    stamped(world, binding=world.people.bind(bound("hall-9")))
    assert world.outcomes() == [(1, "held", "foreign_binding")]


def test_a_revoked_badge_is_held(world: World) -> None:
    world.people.enrol(twins.UID_ANN, Badge("worker-ann", twins.ANN, revoked=True))
    stamped(world)
    assert world.outcomes() == [(1, "held", "revoked_badge")]


def test_a_badge_revoked_while_its_tap_waits_for_the_onss_is_held(world: World) -> None:
    world.onss.script = [twins.problem(503, "serviceUnavailable")]
    stamped(world)
    world.people.enrol(twins.UID_ANN, Badge("worker-ann", twins.ANN, revoked=True))
    world.run(seconds=120)
    assert world.states() == ["held"] and world.onss.calls == 1


@pytest.mark.parametrize(
    ("policy", "hours", "age_s", "state"),
    [
        ("send", 24, 86_399, "accepted"),
        ("send", 24, 86_401, "held"),
        ("send", 1, 3_601, "held"),
        ("hold", 24, 60, "accepted"),
        ("hold", 24, 61, "held"),
        ("evidence-only", 24, 60, "accepted"),
        ("evidence-only", 24, 61, "withheld"),
    ],
)
def test_a_late_stamp_goes_by_its_bindings_policy(
    world: World, policy: Any, hours: int, age_s: int, state: str
) -> None:
    journal = morning()
    lateness = binding.Lateness(policy, hours)
    journal.tap(twins.UID_ANN, 0, binding=world.people.bind(bound(TERMINAL, lateness=lateness)))
    world.second = age_s
    world.run(journal.message())
    assert world.states() == [state]


def test_a_stamp_that_came_in_time_is_not_late_because_the_onss_was_down(world: World) -> None:
    world.onss.script = [twins.problem(503, "serviceUnavailable", retryAfterSec=3600)] * 30
    stamped(world)
    world.run(seconds=40 * 3600, every=600)
    assert world.states() == ["accepted"]


def segment_two(first: Journal) -> Journal:
    return Journal(first.terminal, "0123456789abcdef")


def test_a_carried_tap_is_the_same_tap_and_never_submitted_again(world: World) -> None:
    first = stamped(world)
    second = segment_two(first)
    second.carry(first, 1)
    world.run(second.message())
    assert world.onss.calls == 1 and len(world.taps()) == 1
    assert world.query("SELECT flag FROM entry WHERE log = 2") == [("carried",)]


def test_a_carried_tap_that_was_never_seen_is_a_new_one_under_its_first_place(
    world: World,
) -> None:
    first = morning([(twins.UID_ANN, 20, "in")])
    second = segment_two(first)
    second.carry(first, 1)
    world.run(second.message())
    (told,) = world.on("outcome")
    assert (told.outcomes[0].origin, told.outcomes[0].seq) == (first.origin, 1)
    world.run(first.message())
    assert world.onss.calls == 1


DIFFERENT: dict[str, dict[str, Any]] = {
    "direction": {"direction": "out"},
    "time": {"at": "2026-03-02T06:00:21.000+01:00"},
    "first place": {"carried": Carried("x", 1)},
    "no first place": {"carried": None},
}


@pytest.mark.parametrize("changes", DIFFERENT.values(), ids=DIFFERENT)
def test_a_carried_tap_that_differs_is_held_for_a_person(
    world: World, changes: dict[str, Any]
) -> None:
    first = morning([(twins.UID_ANN, 20, "in")])
    second = segment_two(first)
    second.carry(first, 1, **changes)
    world.run(first.message(), second.message())
    assert [row for row in world.query("SELECT flag FROM entry") if row[0]] == [("differs",)]
    ((_, state, reason),) = world.outcomes()
    assert (state, reason) == ("held", "carried_differs") and world.onss.calls == 0


@pytest.mark.parametrize("changes", DIFFERENT.values(), ids=DIFFERENT)
def test_a_carried_tap_that_differs_from_one_at_the_onss_is_flagged_and_not_sent(
    world: World, changes: dict[str, Any]
) -> None:
    first = stamped(world)
    second = segment_two(first)
    second.carry(first, 1, **changes)
    world.run(second.message())
    assert world.query("SELECT flag FROM entry WHERE log = 2") == [("differs",)]
    assert world.onss.calls == 1 and world.states() == ["accepted"]
