"""A gateway's keys are succeeded: nobody is locked out by it, and the old ones end.

With real programs, in real processes: a terminal that is off the whole time, a gateway and a
command that are killed, and an inspector who has the policy of before.
"""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ciao import notes
from ciao.notes import VerifierKey
from ciao.sealing import key_id
from gateway import config as gateway_config
from gateway.keyring import held
from gateway.ledger import migrate
from gateway.openers import openers
from provisioning.gateway_settings import GatewaySettings, change_settings
from provisioning.registry import Gateway, Registry, rolling
from tests.demo.people import ANNA, BRAM, CARL, PEOPLE
from tests.demo.processes import script
from tests.demo.scenario import accepted
from tests.demo.world import World
from tests.support import world as provisioned
from tests.support.waiting import wait_for

KILLED = -9
# Kills itself at the n-th file that is opened to be written, renamed or removed.
MORTAL = """
import os, signal, sys
left, after = int(sys.argv.pop(1)), False
def hook(event, args):
    global left
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    if after and (writes or event in ("os.rename", "os.remove", "sqlite3.connect")):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from provisioning.cli import main
after = True
main(prog_name="ciao-provision")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a Unix socket's has at most 107 characters."""
    made = Path(tempfile.mkdtemp(prefix="ciao-"))
    yield made
    shutil.rmtree(made)


def test_a_terminal_that_is_off_while_its_gateways_keys_are_rolled_goes_on_by_itself(
    folder: Path,
) -> None:
    world = World(folder, lambda _: None)
    try:
        world.open(PEOPLE)
        old = keys_of(folder)
        world.tap(ANNA, "in")
        wait_for(lambda: settled(world), "the first stamp to be accepted", 30)
        world.wire.cut()
        world.tap(BRAM, "in")
        begun = json.loads(provision(folder, "gateway", "roll", "--json"))
        assert begun["bound"] == ["door-1"] and len(begun["next"]) == 2
        refused = provision(folder, "gateway", "roll", "--finish", status=2)
        assert "doesn't run with its new keys yet, so nothing was ended" in refused
        world.gateway.kill()
        world.start_gateway()
        finished = json.loads(provision(folder, "gateway", "roll", "--finish", "--json"))
        assert finished["bound"] == ["door-1"]
        world.tap(CARL, "in")
        world.wire.mend()
        wait_for(lambda: settled(world), "what was sealed to the old key to be accepted", 30)
        new = keys_of(folder)
        wait_for(lambda: bound_to(world) == {new}, "the terminal to take the new keys", 30)
        world.tap(ANNA, "out")
        wait_for(lambda: settled(world), "what is sealed to the new key to be accepted", 30)
    finally:
        world.close()
    used = [json.loads(leaf)["key"] for leaf in leaves(world.ledger, "tap")]
    assert used == [old[0], old[0], old[0], new[0]]
    (receipt,) = rows(world.ledger, "SELECT receipt FROM log")
    notes.cosignature_time(notes.parse(receipt), VerifierKey.parse(new[1]))
    told = json.loads(run("ciao-gateway", "keys", "--json", "--config", f"{folder}/gateway.toml"))
    assert [
        (one["id"], one["retired"], one["sealed"]) for one in told if one["kind"] == "hpke"
    ] == [
        (new[0], False, None),
        (old[0], True, True),
    ]
    assert [one["terminals"] for one in told] == [[], [], [], []]
    check_evidence(folder)


def check_evidence(folder: Path) -> None:
    """Evidence of both keys' time holds by the new policy, and says what the old one lacks."""
    run("ciao-provision", "policy", "--out", f"{folder}/new.txt", "--dir", str(folder))
    out = ["--out", f"{folder}/bundle", "--config", f"{folder}/gateway.toml"]
    run("ciao-gateway", "evidence", "export", "--no-report", *out)
    run("ciao-verify", f"{folder}/bundle", "--keys", f"{folder}/new.txt")
    said = run("ciao-verify", f"{folder}/bundle", "--keys", f"{folder}/policy.txt", status=1)
    assert "quorum" in said or "cosign" in said
    # The gateway's own journal goes on in a segment that the new key certifies.
    checkpoints = Path(f"{folder}/bundle/checkpoints.jsonl").read_text().splitlines()
    logs = [json.loads(line) for line in checkpoints if '"kind":"segment"' in line]
    own = [one for one in logs if "/gateway-one/" in one["origin"]]
    assert len(own) == 2 and not list((folder / "journal").glob("*.damaged"))
    # What the old key cosigns from now on is worth nothing: the policy says until when it counts.
    text = (folder / "new.txt").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("until ")]
    stopped = text.replace(line, " ".join([*line.split()[:2], "2020-01-01T00:00:00.000+01:00"]))
    (folder / "stopped.txt").write_text(stopped)
    run("ciao-verify", f"{folder}/bundle", "--keys", f"{folder}/stopped.txt", status=1)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> provisioned.World:
    return provisioned.make_world(tmp_path_factory.mktemp("roll") / "office")


def test_a_roll_that_is_killed_between_any_two_steps_is_caught_up_by_running_it_again(
    office: provisioned.World, tmp_path: Path
) -> None:
    deaths = 0
    while True:
        world = office.copy(tmp_path / f"office-{deaths}")
        words = ["gateway", "roll", "--dir", str(world.folder)]
        died = subprocess.run([sys.executable, "-c", MORTAL, str(deaths), *words], check=False)
        # However far it came, the gateway has the keys that terminals are bound to.
        assert usable(world), deaths
        again = world.json("gateway", "roll")
        assert usable(world) and again["state"] == "begun"
        gateway = gateway_of(world)
        assert gateway.following is not None
        settings = GatewaySettings.read(world.folder / "gateway.toml")
        assert settings.keys() == gateway.following
        assert told(world) == [[gateway.keys.cosigner, gateway.following.cosigner]]
        assert len(list((world.folder / "gateway").glob("hpke*"))) == 2
        read = gateway_config.load(world.folder / "gateway.toml")
        assert len(openers(read.keys, world.folder)) == 2
        assert read.keys.cosigners() == [gateway.keys.cosigner]
        shutil.rmtree(world.folder)
        if died.returncode != KILLED:
            break
        deaths += 1
    assert died.returncode == 0 and deaths > 6


def test_a_roll_is_begun_once_and_a_policy_names_both_keys_meanwhile(
    office: provisioned.World, tmp_path: Path
) -> None:
    world = office.copy(tmp_path / "office")
    assert "is in no roll" in world.run("gateway", "roll", "--finish", status=2).stderr
    first = world.json("gateway", "roll")
    again = world.json("gateway", "roll")
    assert first["bound"] == ["door-1"] and again["bound"] == []
    assert {**first, "bound": []} == again
    text = world.run("policy").stdout
    assert text.count("witness gateway-one") == 2 and "until" not in text
    assert "group keys-of-one any gateway-one gateway-one@" in text


def test_keys_that_the_registry_does_not_know_are_not_succeeded(
    office: provisioned.World, tmp_path: Path
) -> None:
    world = office.copy(tmp_path / "office")
    other = provisioned.make_world(tmp_path / "other")
    key = (other.folder / "gateway" / "cosigner.pem").read_bytes()
    (world.folder / "gateway" / "cosigner.pem").write_bytes(key)
    said = world.run("gateway", "roll", status=2).stderr
    assert "names other keys than the registry knows" in said
    assert gateway_of(world).following is None


def test_a_gateway_is_not_started_with_settings_of_before_the_roll(
    office: provisioned.World, tmp_path: Path
) -> None:
    """A backup of gateway.toml, put back: no terminal would take a receipt by it."""
    world = rolled(office, tmp_path)
    backup = (office.folder / "gateway.toml").read_text()
    (world.folder / "gateway.toml").write_text(backup)
    config = str(world.folder / "gateway.toml")
    said = run("ciao-gateway", "run", "--config", config, status=2)
    assert "error: the keys in gateway.toml were succeeded on" in said
    assert "hint: put back the gateway.toml of after" in said


def test_a_retired_key_that_is_gone_too_early_is_said_until_its_payloads_are(
    office: provisioned.World, tmp_path: Path
) -> None:
    world = rolled(office, tmp_path)
    path = world.folder / "gateway.toml"
    old = hpke_id(gateway_of(office).keys.hpke)
    assert missing(path) == []
    change_settings(path, lambda document: document["keys"].pop("retired_hpke"))
    (line,) = missing(path)
    assert f"The retired HPKE key {old} is not in gateway.toml" in line
    with world.registry() as registry:
        over = datetime.now(UTC) + timedelta(days=61)
        new = hpke_id(gateway_of(world).keys.hpke)
        assert held.missing(registry, "one", [new], 60, over) == []
        (worse,) = held.missing(registry, "one", [], 60, over)
    assert f"The HPKE key {new} that taps are sealed to is not in gateway.toml" in worse


def rolled(office: provisioned.World, folder: Path) -> provisioned.World:
    """An office whose gateway's keys were succeeded; the gateway itself is not run here."""
    world = office.copy(folder / "office")
    world.json("gateway", "roll")
    with world.registry() as registry, registry.store.change("finish", world.now) as change:
        rolling.finish(registry, change, "one")
    migrate(world.folder / gateway_config.load(world.folder / "gateway.toml").ledger)
    return world


def missing(config: Path) -> list[str]:
    told = json.loads(run("ciao-gateway", "status", "--json", "--config", str(config)))
    found: list[str] = told["missing_keys"]
    return found


def usable(world: provisioned.World) -> bool:
    """Whether each terminal is bound to the gateway's present cosigner, and seals to what it has.

    A gateway may be started at any moment of the roll, with the settings of that moment.
    """
    settings = GatewaySettings.read(world.folder / "gateway.toml")
    read = gateway_config.load(world.folder / "gateway.toml")
    present, opened = settings.keys().cosigner, openers(read.keys, world.folder)
    with world.registry() as registry:
        for terminal in registry.terminals():
            bundle = registry.opened(registry.bindings(terminal.id)[-1]).binding
            if str(present) not in {one.cosigner for one in bundle.gateways}:
                return False
            if hpke_id(bundle.gateways[0].hpke) not in opened:
                return False
    return True


def told(world: provisioned.World) -> list[list[VerifierKey]]:
    """The cosigners that each terminal's newest bundle names."""
    with world.registry() as registry:
        newest = [registry.bindings(one.id)[-1] for one in registry.terminals()]
        bundles = [registry.opened(issued).binding for issued in newest]
    return [[VerifierKey.parse(one.cosigner) for one in bundle.gateways] for bundle in bundles]


def gateway_of(world: provisioned.World) -> Gateway:
    with world.registry() as registry:
        (found,) = registry.gateways()
    return found


def hpke_id(public: str) -> str:
    return key_id(base64.b64decode(public))


def keys_of(folder: Path) -> tuple[str, str]:
    """What names the gateway's present keys: the HPKE key's id, the cosigner's verifier key."""
    keys = GatewaySettings.read(folder / "gateway.toml").keys()
    return hpke_id(keys.hpke), str(keys.cosigner)


def settled(world: World) -> bool:
    return set(world.promised()) <= set(accepted(world.ledger))


def bound_to(world: World) -> set[tuple[str, str]]:
    """The keys of the bundle that the terminal's journal, as received, says came into force."""
    newest = json.loads(leaves(world.ledger, "binding")[-1])["binding"]
    with Registry.open(world.folder / "registry.db", world.folder / "registry.key") as registry:
        bundle = registry.binding(newest)
    assert bundle is not None
    return {(hpke_id(one.hpke), one.cosigner) for one in bundle.gateways}


def leaves(ledger: Path, kind: str) -> list[bytes]:
    return [
        one
        for one in rows(ledger, "SELECT leaf FROM entry ORDER BY log, seq")
        if f'"kind":"{kind}"'.encode() in one
    ]


def rows(ledger: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as db:
        return [row[0] for row in db.execute(query)]


def provision(folder: Path, *words: str, status: int = 0) -> str:
    return run("ciao-provision", *words, "--dir", str(folder), status=status)


def run(name: str, *words: str, status: int = 0) -> str:
    done = subprocess.run([script(name), *words], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + (done.stderr if status else "")
