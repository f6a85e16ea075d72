"""Whose badge it was at the moment of a tap, as far as is known when asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao.errors import BadInput
from ciao.notes import VerifierKey
from ciao.registration import EnterpriseNumber, ForeignNumber
from provisioning.registry import Kind, Period, Registry, Resolution, badges, organisation, people
from tests.support.world import ACME, AGENCY, SSINS, UIDS, World

TAP = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def _resolve(world: World, at: datetime = TAP, uid: str = UIDS[0]) -> Resolution | None:
    with world.registry() as registry:
        return registry.resolve(registry.badge_hmac(bytes.fromhex(uid)), at)


def test_a_badge_names_its_holder_and_what_a_registration_needs(world: World) -> None:
    world.enrol(UIDS[0], world.employ(SSINS[0], "SM"))
    found = _resolve(world)
    assert found == Resolution(
        worker="p1",
        ssin=SSINS[0],
        company=EnterpriseNumber(ACME),
        employer="acme",
        employment="e1",
        badge="b1",
        tier="uid",
        revoked=False,
    )


def test_an_unknown_badge_is_nobodys(world: World) -> None:
    assert _resolve(world) is None


def test_a_badge_enrolled_after_the_tap_resolves_it(world: World) -> None:
    with world.registry() as gateway:
        waiting, before = gateway.badge_hmac(bytes.fromhex(UIDS[0])), gateway.version()
        assert gateway.resolve(waiting, TAP) is None
        world.now += timedelta(days=3)
        world.enrol(UIDS[0], world.employ(SSINS[0], "SM"))
        assert gateway.version() > before
        found = gateway.resolve(waiting, TAP)
        assert found is not None and found.ssin == SSINS[0]


def test_a_badge_does_not_reach_back_before_the_employment(world: World) -> None:
    world.enrol(UIDS[0], world.employ(SSINS[0], "SM"))
    brussels_new_year = datetime(2025, 12, 31, 23, 0, tzinfo=UTC)
    assert _resolve(world, brussels_new_year) is not None
    assert _resolve(world, brussels_new_year - timedelta(milliseconds=1)) is None


def test_a_badge_enrolled_from_before_the_employment_waits_for_it(world: World) -> None:
    world.enrol(UIDS[0], world.employ(SSINS[0], "SM"), "--from", "2025-06-01")
    assert _resolve(world, datetime(2025, 7, 1, tzinfo=UTC)) is None
    assert _resolve(world) is not None


def test_a_badge_that_moves_belongs_to_each_in_their_time(world: World) -> None:
    first, second = world.employ(SSINS[0], "AA"), world.employ(SSINS[1], "BB")
    badge = world.enrol(UIDS[0], first)
    world.run("badge", "end", badge, "--at", "2026-03-02T12:00")
    world.now = datetime(2026, 3, 4, tzinfo=UTC)
    world.enrol(UIDS[0], second)
    noon = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
    before = _resolve(world, noon - timedelta(milliseconds=1))
    assert before is not None and before.ssin == SSINS[0]
    # between the two it was nobody's, and nobody guesses
    assert _resolve(world, noon) is None
    after = _resolve(world, world.now)
    assert after is not None and after.ssin == SSINS[1]


def test_an_employment_that_ended_takes_its_badges_along(world: World) -> None:
    employment = world.employ(SSINS[0], "AA")
    world.enrol(UIDS[0], employment)
    world.run("employment", "end", employment, "--at", "2026-03-02")
    midnight = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    assert _resolve(world, midnight - timedelta(milliseconds=1)) is not None
    assert _resolve(world, midnight) is None
    # a night shift that began on the last day (Q33): the end is moved, and the tap resolves
    world.run("employment", "end", employment, "--at", "2026-03-03T06:00")
    assert _resolve(world, midnight) is not None


def test_a_badge_goes_to_somebody_new_once_the_employment_ended(world: World) -> None:
    first, second = world.employ(SSINS[0], "AA"), world.employ(SSINS[1], "BB")
    world.enrol(UIDS[0], first)
    world.run("employment", "end", first, "--at", "2026-03-01")
    world.enrol(UIDS[0], second, "--from", "2026-03-02")
    found = _resolve(world)
    assert found is not None and found.ssin == SSINS[1]
    # and the first can't come back into the second's time with it
    world.run("employment", "end", first, "--at", "2026-03-05", status=2)
    again = _resolve(world)
    assert again is not None and again.ssin == SSINS[1]


def test_a_revoked_badge_still_names_its_holder_and_says_so(world: World) -> None:
    badge = world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    world.run("badge", "revoke", badge, "--why", "lost", "--at", "2026-03-02T08:30")
    held_from = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    before, after = _resolve(world, held_from - timedelta(milliseconds=1)), _resolve(world)
    assert before is not None and not before.revoked
    assert after is not None and after.revoked and after.ssin == SSINS[0]


@pytest.mark.parametrize(
    ("kind", "company", "submitted"),
    [
        ("employee", None, EnterpriseNumber(ACME)),
        ("trainee", None, EnterpriseNumber(ACME)),
        ("trainee", AGENCY, EnterpriseNumber(AGENCY)),
        ("agency", AGENCY, EnterpriseNumber(AGENCY)),
        ("posted", "NL000099998B57", ForeignNumber("NL000099998B57")),
        ("self_employed", "0111111124", EnterpriseNumber("0111111124")),
        ("helper", "0111111124", EnterpriseNumber("0111111124")),
    ],
)
def test_the_number_submitted_is_the_workers_companys(
    world: World, kind: str, company: str | None, submitted: object
) -> None:
    more = ("--company", company) if company else ()
    world.enrol(UIDS[0], world.employ(SSINS[0], "AA", "--kind", kind, *more))
    found = _resolve(world)
    assert found is not None
    assert found.company == submitted


def test_one_person_in_two_employments_is_one_worker(world: World) -> None:
    world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    agency = ("--kind", "agency", "--company", AGENCY)
    world.enrol(UIDS[1], world.employ(SSINS[0], "AA", *agency))
    first, second = _resolve(world), _resolve(world, uid=UIDS[1])
    assert first is not None and second is not None
    assert first.worker == second.worker and first.company != second.company


# Random histories against the plainest model: who had the badge in which hour.

HOURS = 12
_HOUR = st.integers(0, HOURS)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 2), _HOUR, st.none() | _HOUR),
        st.tuples(st.just("end"), st.integers(1, 4), _HOUR),
        st.tuples(st.just("leave"), st.integers(0, 2), _HOUR),
    ),
    max_size=8,
)
_UID = bytes.fromhex(UIDS[0])


def _hour(number: int) -> datetime:
    return TAP + timedelta(hours=number)


def _step(registry: Registry, step: tuple[object, ...]) -> None:
    with registry.store.change("step", TAP) as change:
        match step:
            case ("add", int(person), int(start), end):
                ends = _hour(end) if isinstance(end, int) else None
                employment = f"e{person + 1}"
                badges.add(registry, change, _UID, employment, "uid", _hour(start), ends, TAP)
            case ("end", int(badge), int(at)):
                badges.end(registry, change, f"b{badge}", _hour(at))
            case ("leave", int(person), int(at)):
                people.end(registry, change, f"e{person + 1}", _hour(at))


@settings(max_examples=40, deadline=None)
@given(_STEPS)
def test_a_badge_never_has_two_holders_and_the_right_one_is_named(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("registry")
    with Registry.create(folder / "db", folder / "key", TAP) as registry:
        with registry.store.change("people", TAP) as change:
            key = VerifierKey("x", bytes(32))
            company = EnterpriseNumber(ACME)
            organisation.add_employer(registry, change, "acme", "Acme", company, key)
            for ssin in SSINS:
                new = people.NewEmployment(
                    "acme", Kind.EMPLOYEE, None, None, "X", "fr", Period(TAP)
                )
                people.add(registry, change, ssin, new)
        for step in steps:
            try:
                _step(registry, step)
            except BadInput:
                continue
        holders = {one.id: one.period for one in registry.employments()}
        for number in range(HOURS + 1):
            at = _hour(number)
            having = [
                badge.employment
                for badge in registry.badges()
                if badge.period.covers(at) and holders[badge.employment].covers(at)
            ]
            assert len(having) <= 1
            found = registry.resolve(registry.badge_hmac(_UID), at)
            assert [found.employment] if found else having == []
