"""Edge: `ciao-gateway keys`: the gateway's own keys, and whether a retired one may go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from ciao.keys import load_sealing_key, load_signing_key, secret_path
from ciao.names import cosigner_name
from ciao.notes import COSIGNATURE_V1, Signer
from ciao.sealing import key_id
from gateway.acknowledging import config_option
from gateway.config import Config, load
from gateway.keyring.needs import Needs, needs
from gateway.ledger.keys import use_of
from provisioning.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is told: what for, its id, its file, and what needs it where it is retired."""

    kind: str
    id: str
    file: str | None
    retired: bool
    sealed: bool | None = None
    terminals: tuple[str, ...] = ()


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def keys(config: Path, as_json: bool) -> None:
    """List the gateway's own keys, and say of each retired one what still needs it.

    `ciao-provision gateway roll` makes new ones. It only reads, so the gateway may be running or
    not. It looks through all that is held, which takes a moment where that is much.
    """
    found = list(_keys(load(config), config.parent))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for key in found:
        state = "retired" if key.retired else "in use"
        click.echo(f"{key.kind:8}  {key.id:16}  {state:7}  {key.file or ''}".rstrip())
        for line in _told(key):
            click.echo(f"{'':10}{line}")


def _keys(config: Config, folder: Path) -> Iterator[Key]:
    own = config.keys
    cosigner = Signer(
        cosigner_name(config.domain, config.gateway),
        load_signing_key(folder / own.cosigner),
    )
    yield Key("hpke", _hpke(folder / own.hpke), own.hpke, retired=False)
    present = cosigner.verifier(COSIGNATURE_V1).key_id.hex()
    yield Key("cosigner", present, own.cosigner, retired=False)
    retired = {_hpke(folder / path): path for path in own.retired_hpke}
    for key, need in _needs(config, folder, list(retired)).items():
        yield Key("hpke", key, retired[key], True, need.sealed, need.terminals)
    for verifier in own.cosigners():
        yield Key("cosigner", verifier.key_id.hex(), None, retired=True)


def _needs(config: Config, folder: Path, retired: list[str]) -> dict[str, Needs]:
    if not retired:
        return {}
    with Registry.open(
        folder / config.registry, secret_path(folder, config.registry_key)
    ) as registry:
        now = datetime.now(UTC)
        terminals = [one.id for one in registry.terminals() if not one.is_revoked(now)]
        use = use_of(folder / config.ledger, retired, terminals)
        in_force = {one: registry.binding(sha) if sha else None for one, sha in use.took.items()}
    return {key: needs(key, use.sealed[key], in_force, use.owing) for key in retired}


def _hpke(path: Path) -> str:
    return key_id(load_sealing_key(path).public_key().public_bytes_raw())


def _told(key: Key) -> Iterator[str]:
    if not key.retired or key.kind != "hpke":
        return
    if key.sealed:
        yield "payloads that are held here are sealed to it: keep it"
    if key.terminals:
        names = ", ".join(key.terminals[:8]) + (", …" if len(key.terminals) > 8 else "")
        yield f"not known to have taken its successor: {names}: keep it"
    if not key.sealed and not key.terminals:
        yield f"nothing needs it, unless a backup from before is put back: take {key.file} out of"
        yield "retired_hpke in gateway.toml, restart the gateway, and destroy the file"
