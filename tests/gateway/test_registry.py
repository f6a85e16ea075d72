"""The gateway on the real registry, as `ciao-provision` makes it."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

from ciao.link import Connected
from gateway.core import Edges, Gateway
from gateway.events import Tick
from tests.gateway import twins
from tests.gateway.house import TERMINAL, make_house
from tests.gateway.sealer import SEALER
from tests.gateway.twins import Journal
from tests.gateway.world import World
from tests.support.world import ACME, NUMBER, SSINS, UIDS


def test_taps_resolve_against_the_real_registry_also_once_enrolled_later(tmp_path: Path) -> None:
    house = make_house(tmp_path / "house", now=twins.START.astimezone(UTC) - timedelta(hours=1))
    journal = Journal(TERMINAL, papers=house.papers(twins.START))
    journal.tap(bytes.fromhex(UIDS[0]), 5, "in")
    journal.tap(bytes.fromhex(UIDS[1]), 8, "in")
    world = World(tmp_path)
    world.second = 10
    with house.world.registry() as registry:
        world.gateway = Gateway(
            world.ledger,
            registry,
            Edges(twins.COSIGNER, house.openers(), SEALER, twins.uuids()),
            world.settings,
        )
        world.step(Connected())
        world.second += 2
        world.run(journal.message())
        assert world.states() == ["accepted", "unresolved"]
        (row,) = world.onss.rows
        assert (row["ssin"], row["type"]) == (SSINS[0], "in")
        assert row["employer"] == {"enterpriseNumber": ACME}
        assert row["contractualRelationshipReference"] == NUMBER
        assert row["placeOfWork"]["address"]["streetName"] == "Grasmarkt"
        channels = {one.topic for one in world.published}
        assert {f"ciao/1/{TERMINAL}/binding", f"ciao/1/{TERMINAL}/roster"} < channels
        world.published.clear()
        employment = house.world.employ(SSINS[1], "C. D.")
        house.world.enrol(UIDS[1], employment, "--from", "2026-01-01")
        world.run(Tick())
        assert world.states() == ["accepted", "accepted"]
        assert world.on("roster", TERMINAL)
    world.ledger.close()
