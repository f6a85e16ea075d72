"""A busy gateway: who goes first, who waits for nobody, and what a tap costs. No clock is asked."""

from __future__ import annotations

from pathlib import Path

from gateway import core
from gateway.events import Answered, Tick
from gateway.forwarding.submitting import Limits
from tests.gateway import twins
from tests.gateway.twins import Badge, Journal, created
from tests.gateway.world import TERMINAL, World


def crowded(folder: Path, people: int, limits: Limits | None = None) -> tuple[World, list[bytes]]:
    """A gateway and a crowd with badges."""
    world = World(folder, limits).online()
    uids = [b"\x04" + number.to_bytes(6, "big") for number in range(1, people + 1)]
    for number, uid in enumerate(uids):
        world.people.enrol(uid, Badge(f"w{number}", twins.BEN))
    return world, uids


def backlog(terminal: str, uids: list[bytes], taps: int) -> Journal:
    journal = Journal(terminal)
    for number in range(taps):
        journal.tap(uids[number % len(uids)], number, "out" if number // len(uids) % 2 else "in")
    return journal


def send(world: World, journal: Journal) -> None:
    """Every batch of a journal in one step."""
    starts = range(0, journal.size, 200)
    world.step(*[journal.message(n, min(n + 200, journal.size)) for n in starts])


def test_calls_are_begun_while_a_backlog_is_looked_into(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 100, Limits(calls_max=2))
    world.second = 7200
    send(world, backlog(TERMINAL, uids, 1000))
    world.step()
    assert len(world.submitted) == 2 and world.gateway.busy
    calls, world.submitted = world.submitted, []
    world.step(*[Answered(one.attempt, created(n)) for n, one in enumerate(calls)])
    looked_into = world.query("SELECT count(*) FROM tap WHERE badge IS NOT NULL")[0][0]
    assert len(world.submitted) == 2
    assert looked_into == 2 * core.LOOKED_INTO_MAX


def test_a_fresh_stamp_waits_for_its_own_terminals_backlog_and_no_others(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 100, Limits(calls_max=1))
    world.people.add_terminal("hall-9")
    world.second = 7200
    send(world, backlog(TERMINAL, uids, 1000))
    world.step()
    there = Journal("hall-9")
    there.tap(twins.UID_ANN, 7200)
    world.step(there.message())
    waiting = world.submitted.pop()
    world.step(Answered(waiting.attempt, created(1)))
    # It was looked into before the nine hundred, and is the next to go.
    world.step(Answered(world.submitted.pop().attempt, created(2)))
    assert world.submitted[0].items[0]["ssin"] == twins.ANN


def test_a_fresh_stamp_takes_its_workers_backlog_at_its_terminal_with_it(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 50, Limits(calls_max=1))
    journal = backlog(TERMINAL, uids, 300)
    journal.tap(twins.UID_ANN, 400, "in")
    journal.tap(twins.UID_ANN, 7200, "out")
    world.second = 7200
    send(world, journal)
    world.settle()
    world.run()
    kinds = [row["type"] for row in world.onss.rows if row["ssin"] == twins.ANN]
    assert kinds == ["in", "out"]
    order = [row["ssin"] for row in world.onss.rows]
    # One was on its way already; those that had been looked into by then may be, too.
    assert order.index(twins.ANN) < 20 and len(order) == 302


def test_what_a_tap_costs_does_not_grow_with_how_many_wait(tmp_path: Path) -> None:
    costs = []
    for taps in (200, 1000):
        folder = tmp_path / str(taps)
        folder.mkdir()
        world, uids = crowded(folder, 40, Limits(calls_max=8, ahead_max=8))
        world.second = 7200
        statements: list[str] = []
        world.ledger._connection.set_trace_callback(statements.append)
        send(world, backlog(TERMINAL, uids, taps))
        world.run()
        assert set(world.states()) == {"accepted"}
        costs.append(len(statements) / taps)
        world.ledger.close()
    assert costs[1] <= costs[0] * 1.05
    assert costs[1] < 40, costs


def test_one_employers_full_line_leaves_the_others_theirs(tmp_path: Path) -> None:
    world, uids = crowded(tmp_path, 20, Limits(calls_max=2))
    world.people.enrol(twins.UID_NEW, Badge("w-new", twins.ANN, employer="other"))
    journal = backlog(TERMINAL, uids, 20)
    journal.tap(twins.UID_NEW, 30)
    world.second = 7200
    world.settle(journal.message())
    # Both of the first employer's calls are never answered.
    begun = sorted(one.employer for one in world.submitted)
    assert begun == ["other", twins.EMPLOYER, twins.EMPLOYER]
    world.settle(Tick())
    assert len(world.submitted) == 3
