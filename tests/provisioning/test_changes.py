"""What changes from a day on: each tap is judged by what was true then, and the history is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ciao.registration import EnterpriseNumber
from provisioning.registry import Resolution
from provisioning.registry.published import published
from tests.support.world import ACME, AGENCY, NUMBER, OTHER_NUMBER, SSINS, UIDS, World

UID = bytes.fromhex(UIDS[0])
FIRST_OF_APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)  # midnight in Brussels
BEFORE = FIRST_OF_APRIL - timedelta(milliseconds=1)


def resolve(world: World, at: datetime, uid: bytes = UID) -> Resolution:
    with world.registry() as registry:
        found = registry.resolve(registry.badge_hmac(uid), at)
    assert found is not None
    return found


def test_a_new_company_counts_from_its_day_and_the_badge_follows(world: World) -> None:
    world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    to = ("--from", "2026-04-01", "--kind", "agency", "--company", AGENCY)
    record = world.json("employment", "change", "e1", *to)
    assert (record["kind"], record["company"]) == ("agency", AGENCY)
    before, after = resolve(world, BEFORE), resolve(world, FIRST_OF_APRIL)
    assert (before.employment, before.company) == ("e1", EnterpriseNumber(ACME))
    assert (after.employment, after.company) == (record["id"], EnterpriseNumber(AGENCY))
    assert before.worker == after.worker


def test_a_lost_badge_stays_lost_in_the_next_employment(world: World) -> None:
    badge = world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    world.run("badge", "revoke", badge, "--why", "lost")
    world.run("employment", "change", "e1", "--from", "2026-04-01", "--company", AGENCY)
    assert resolve(world, FIRST_OF_APRIL).revoked


def test_a_change_of_the_past_says_what_it_can_not_reach(world: World) -> None:
    world.employ(SSINS[0], "AA")
    move = ("employment", "change", "e1", "--company", AGENCY, "--from")
    assert "within 30 days (Q35)" in world.run(*move, "2026-02-01").stderr


def test_an_employer_s_new_number_is_everybody_s_from_its_day(world: World) -> None:
    for ssin, uid in zip(SSINS, UIDS, strict=True):
        more = ("--kind", "agency", "--company", AGENCY) if ssin == SSINS[2] else ()
        world.enrol(uid, world.employ(ssin, "AA", *more))
    world.now = FIRST_OF_APRIL + timedelta(hours=9)
    new = "0111111124"
    world.run("employer", "change", "acme", "--company", new, "--from", "2026-04-01")
    numbers = [resolve(world, FIRST_OF_APRIL, bytes.fromhex(uid)).company.number for uid in UIDS]
    assert numbers == [new, new, AGENCY]
    assert {resolve(world, BEFORE).company.number} == {ACME}
    hired = world.employ("00000000493", "BB")
    assert world.json("employment", "show", hired)["company"] == new


def test_names_are_put_right_and_the_history_tells_which_but_no_name(world: World) -> None:
    world.employ(SSINS[0], "AA", "--name", "Made Up")
    world.run("employment", "change", "e1", "--initials", "AB", "--language", "nl")
    world.run("employment", "change", "e1", "--name", "Other Name")
    record = world.json("employment", "show", "e1")
    assert (record["name"], record["initials"], record["language"]) == ("Other Name", "AB", "nl")
    assert [(one["what"], one["changed"]) for one in record["history"]] == [
        ("employment add", ""),
        ("employment change e1", "initials: AA → AB, language: fr → nl"),
        ("employment change e1", "name"),
    ]


def test_a_declaration_s_new_last_day_reaches_the_bundles_in_force_and_to_come(
    world: World,
) -> None:
    world.run("terminal", "bind", "door-1", "--from", "2026-05-01", "--mode", "lanes")
    result = world.run("declaration", "end", NUMBER, "--at", "2026-06-30")
    assert "bound anew: door-1" in result.stdout
    with world.registry() as registry:
        held = [
            registry.opened(one).binding
            for one in published(registry.bindings("door-1"), world.now)
        ]
    assert [one.declaration.valid_until for one in held] == ["2026-06-30"] * 2
    assert [one.mode for one in held] == ["buttons", "lanes"]
    assert held[1].effective_from.startswith("2026-05-01T00:00")


def test_a_site_put_right_reaches_its_terminals_and_nobody_else(world: World) -> None:
    world.run("site", "add", "hall", "--name", "Hall", "--coordinates", "4.35,50.84")
    assert "bound anew" not in world.run("site", "change", "hall", "--name", "Great hall").stdout
    changed = world.json("site", "change", "tower", "--street", "Rue du Marché")
    assert changed["place"] == "Rue du Marché 1, 1000 Brussel"
    bundles = world.json("terminal", "show", "door-1")["bindings"]
    assert [one["site"] for one in bundles] == ["tower", "tower"]
    with world.registry() as registry:
        site = registry.opened(registry.bindings("door-1")[-1]).binding.site
    assert site.address is not None and site.address.street == "Rue du Marché"


def test_what_is_over_takes_nobody_new(world: World) -> None:
    world.run("site", "add", "hall", "--name", "Hall", "--coordinates", "4.35,50.84")
    world.run("site", "end", "hall")
    assert "ended" in world.run("terminal", "bind", "door-1", "--site", "hall", status=2).stderr
    world.run("employer", "add", "other", "--name", "Other", "--company", AGENCY)
    world.run("employer", "end", "other")
    add = ("declaration", "add", "1Y1000009AAAZ", "--employer", "other")
    assert "ended" in world.run(*add, status=2).stderr
    hire = ("employment", "add", "--employer", "other", "--initials", "X", "--from", "2026-03-02")
    assert "ended" in world.run(*hire, asked=f"{SSINS[0]}\n", status=2).stderr


def test_a_replaced_badge_is_held_from_its_loss_and_the_new_one_counts(world: World) -> None:
    badge = world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    lost = ("badge", "replace", badge, "--why", "lost", "--at", "2026-03-02T08:30")
    record = world.json(*lost, asked=f"{UIDS[1]}\n")
    assert record["employment"] == "e1"
    half_past = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
    assert not resolve(world, half_past - timedelta(milliseconds=1)).revoked
    assert resolve(world, half_past).revoked
    assert not resolve(world, half_past, bytes.fromhex(UIDS[1])).revoked
    assert world.json("badge", "show", badge)["history"][-1]["what"] == f"badge replace {badge}"


REFUSED = [
    (("employment", "change", "e1"), None, "nothing would change", "different"),
    (("employment", "change", "e1", "--initials", "AA"), None, "nothing would change", "different"),
    (("employment", "change", "e1", "--company", AGENCY), None, "begins on a day", "--from"),
    (("employment", "change", "e1", "--from", "2026-04-01"), None, "begins on a day", "--kind"),
    (("employment", "change", "e9", "--initials", "X"), None, "no employment 'e9'", "list"),
    (
        ("employment", "change", "e1", "--from", "2026-04-01", "--kind", "employee"),
        None,
        "nothing would change",
        "--company",
    ),
    (
        ("employment", "change", "e1", "--from", "2025-04-01", "--company", AGENCY),
        None,
        "not in force",
        "show e1",
    ),
    (
        ("employment", "change", "e1", "--from", "2026-04-01", "--kind", "agency"),
        None,
        "whose company number",
        "--company",
    ),
    (("employer", "change", "acme"), None, "nothing would change", "different"),
    (("employer", "change", "acme", "--company", AGENCY), None, "a first day", "--from"),
    (
        ("employer", "change", "acme", "--company", AGENCY, "--from", "2026-04-01"),
        None,
        "a day to come",
        "on that day",
    ),
    (("employer", "end", "acme"), None, "e1 still works", "employment end e1"),
    (("site", "end", "tower"), None, "door-1 is bound there", "terminal bind door-1"),
    (("site", "change", "tower"), None, "nothing would change", "different"),
    (("site", "change", "nowhere", "--name", "X"), None, "no site 'nowhere'", "site list"),
    (("declaration", "change", NUMBER), None, "nothing would change", "different"),
    (("declaration", "end", OTHER_NUMBER, "--at", "soon"), None, "no day", "2026-01-31"),
    (("declaration", "end", NUMBER, "--at", "2025-01-01"), None, "valid from", "on or after"),
    (("badge", "replace", "b1", "--why", "lost"), UIDS[0], "that is b1 itself", "new badge"),
    (("badge", "replace", "b9", "--why", "lost"), UIDS[0], "no badge 'b9'", "badge list"),
]


@pytest.mark.parametrize(("arguments", "typed", "error", "hint"), REFUSED)
def test_a_change_that_is_none_is_refused_in_two_lines(
    world: World, arguments: tuple[str, ...], typed: str | None, error: str, hint: str
) -> None:
    world.enrol(UIDS[0], world.employ(SSINS[0], "AA"))
    with world.registry() as registry:
        version = registry.version()
    result = world.run(*arguments, asked=f"{typed}\n" if typed else None, status=2)
    told = result.stderr[result.stderr.index("error:") :].splitlines()
    assert len(told) == 2 and error in told[0] and hint in told[1]
    with world.registry() as registry:
        assert registry.version() == version


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("badge", "replace", "b9", "--why", "lost"), "there is no badge 'b9'"),
        (("badge", "add", "--employment", "e9"), "there is no employment 'e9'"),
        (("employment", "add", "--initials", "X", "--from", "soon"), "'soon' is no day"),
    ],
)
def test_a_number_is_asked_for_last_once_all_else_can_be_used(
    world: World, words: tuple[str, ...], what: str
) -> None:
    """Nobody types a NISS or a UID only to hear that the command was wrong before it."""
    assert what in world.run(*words, asked="", status=2).stderr


def test_an_id_goes_out_alone_and_what_comes_next_beside_it(world: World) -> None:
    hired = world.run(
        *("employment", "add", "--initials", "AE", "--from", "2026-01-05"), asked=f"{SSINS[0]}\n"
    )
    assert hired.stdout == "e1\n"
    assert "AE works for acme from 2026-01-05 00:00:00+01:00 on" in hired.stderr
    assert "ciao-provision badge add --employment e1" in hired.stderr
    handed = world.run("badge", "add", "--employment", "e1", asked=f"{UIDS[0]}\n")
    assert handed.stdout == "b1\n" and "the badge of AE (e1)" in handed.stderr
    lost = world.run("badge", "replace", "b1", "--why", "lost", asked=f"{UIDS[1]}\n")
    assert lost.stdout == "b3\n"
    assert "for b1, whose taps are held from 2026-03-02 09:00:00+01:00 on" in lost.stderr
