"""The policy that an office hands out is one that the verifier takes."""

from __future__ import annotations

from pathlib import Path

from ciao.names import cosigner_name
from ciao.notes import COSIGNATURE_V1
from ciao.verifier.policy import parse
from tests.ciao.examples import DOMAIN, signer
from tests.support.world import World

OUTSIDE = signer(cosigner_name(DOMAIN, "outside")).verifier(COSIGNATURE_V1)


def test_it_names_the_gateways_and_every_employers_key(world: World, tmp_path: Path) -> None:
    world.run("policy", "--out", str(tmp_path / "policy.txt"))
    read = parse((tmp_path / "policy.txt").read_text(), "policy")
    with world.registry() as registry:
        gateways = {f"gateway-{one.id}": one.keys.cosigner for one in registry.gateways()}
        keys = {str(one.provisioning_key) for one in registry.employers()}
    assert read.cosigners == gateways
    assert {str(key) for key in read.provisioning} == keys
    assert read.moment(dict.fromkeys(gateways, 7)) == 7
    assert read.moment({}) is None


def test_a_witness_is_asked_for_of_the_gateways_own_journals(world: World) -> None:
    read = parse(world.run("policy", "--witness", f"out={OUTSIDE}").output, "policy")
    (gateway,) = set(read.cosigners) - {"out"}
    assert read.moment({gateway: 5}) == 5
    assert not read.witnessed({gateway: 5})
    assert read.witnessed({gateway: 5, "out": 9})


def test_what_the_verifier_would_not_take_is_not_handed_out(world: World) -> None:
    world.run("policy", "--witness", "nonsense", status=2)
    world.run("policy", "--witness", "out=nonsense", status=2)
    world.run("policy", "--quorum", "3", status=2)
