"""A works declaration that ends is told of in time, where somebody can do something about it."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ciao.binding import Declaration
from provisioning.registry.expiry import Held, expiring
from tests.support.world import NUMBER, OTHER_NUMBER, World

LAST = date(2026, 6, 30)
ENDS = Declaration(NUMBER, None, LAST.isoformat())
OTHER = Declaration(OTHER_NUMBER)


def held(following: tuple[Declaration, date] | None = None, door: str = "door-1") -> Held:
    return Held(door, "acme", ENDS, following)


def test_it_is_said_from_thirty_days_before_and_gets_more_urgent() -> None:
    levels = {}
    for left in (31, 30, 8, 7, 2, 1, 0, -1, -400):
        found = expiring([held()], LAST - timedelta(days=left))
        levels[left] = found[0].level if found else None
    assert levels == {31: None, 30: 30, 8: 30, 7: 7, 2: 7, 1: 1, 0: 1, -1: 0, -400: 0}


def test_whoever_is_bound_to_another_in_time_is_not_warned_of() -> None:
    today = LAST - timedelta(days=5)
    assert not expiring([held((OTHER, LAST))], today)
    assert not expiring([held((OTHER, LAST + timedelta(days=1)))], today)
    assert expiring([held((OTHER, LAST + timedelta(days=2)))], today)
    assert expiring([held((ENDS, LAST))], today), "the same declaration again is no other"


def test_a_declaration_is_named_once_with_all_its_terminals() -> None:
    found = expiring([held(), held(door="door-2"), held((OTHER, LAST), "door-3")], LAST)
    assert [one.terminals for one in found] == [("door-1", "door-2")]
    assert found[0].text == (
        f"works declaration {NUMBER} ends today (2026-06-30), and door-1, door-2 stamp under it"
    )


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-1000, 1000))
def test_days_left_is_what_a_calendar_says(last: date, before: int) -> None:
    ends = Declaration(NUMBER, None, last.isoformat())
    day = last - timedelta(days=before)
    assert ends.days_left(day) == before
    assert ends.covers(day) == (before >= 0)
    assert Declaration(NUMBER).days_left(day) is None
    assert Declaration(NUMBER, None, "2026-99-99").days_left(day) is None


def test_the_lists_warn_and_stop_once_it_is_followed(world: World) -> None:
    world.run("declaration", "end", NUMBER, "--at", "2026-03-09")
    for noun in ("declaration", "terminal"):
        result = world.run(noun, "list")
        assert f"warning: works declaration {NUMBER} ends in 7 days" in result.stderr
    assert world.json("declaration", "list")[1]["days_left"] == 7
    world.run("terminal", "bind", "door-1", "--declaration", OTHER_NUMBER, "--from", "2026-03-10")
    assert world.run("declaration", "list").stderr == ""


def test_the_check_character_s_warning_stays_in_the_list(world: World) -> None:
    world.run("declaration", "add", "1Y1000003EQAZ")
    warned = {one["number"]: one["warning"] for one in world.json("declaration", "list")}
    assert warned == {
        NUMBER: None,
        OTHER_NUMBER: None,
        "1Y1000003EQAZ": "check character",
    }


def test_a_revoked_terminal_is_neither_warned_of_nor_in_the_way(world: World) -> None:
    world.run("declaration", "end", NUMBER, "--at", "2026-03-09")
    # it is revoked; that there is no broker here to be told is said as well
    world.run("terminal", "revoke", "door-1", "--why", "stolen", status=2)
    world.now += timedelta(minutes=1)
    assert world.run("declaration", "list").stderr == ""
    world.run("site", "end", "tower")
