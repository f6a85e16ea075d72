"""`ciao-provision gateway`: a gateway's own keys, and how others succeed them (decision 24)."""

from __future__ import annotations

from base64 import b64decode
from typing import Any
from urllib.parse import urlsplit

import click

from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.sealing import key_id
from provisioning import listing
from provisioning.commands.shared import add_list_and_show, done, json_option
from provisioning.gateway_settings import RETIRED_MAX, GatewaySettings, change_settings
from provisioning.office import Office, only, with_office
from provisioning.registry import rolling
from provisioning.registry.following import follow
from provisioning.registry.records import Gateway, Keys
from provisioning.templates import EnrolmentServer

_RESTART = "restart the gateway: gateway.toml names its new keys"
_FINISH = "when it is online again: ciao-provision gateway roll --finish"
_AFTER = [
    "give those who check evidence the new policy: ciao-provision policy --out FILE",
    "destroy the cosigner's key before it: nothing needs that any more",
    "keep the HPKE keys before it until `ciao-gateway keys` says that nothing needs them",
]


@click.group(cls=Commands)
def gateway() -> None:
    """Gateways: what taps are sealed to, and who receipts them."""


@gateway.command()
@click.argument("gateway_id", metavar="[ID]", required=False)
@click.option("--finish", is_flag=True, help="End the keys before, once the gateway has the new.")
@json_option
@with_office
def roll(office: Office, gateway_id: str | None, finish: bool, as_json: bool) -> None:
    """Let new keys succeed a gateway's own: the HPKE key and the cosigner's.

    \b
    1. ciao-provision gateway roll              makes them; terminals are told of both pairs
    2. restart the gateway                      it goes on with the new pair
    3. ciao-provision gateway roll --finish     terminals are told of the new pair alone

    No stamp waits for it, and none is lost: what was sealed to the old key is still opened, and a
    terminal that is off all the while follows by itself. The second step may be days after the
    first, but for a key that may be known to others don't wait. Run again where it was
    interrupted: each step is done once, and what comes next is said.
    """
    which = only("gateway", gateway_id, [one.id for one in office.registry.gateways()])
    found = {one.id: one for one in office.registry.gateways()}
    if which not in found:
        raise BadInput(f"there is no gateway {which!r}", f"one of: {', '.join(found)}")
    settings = GatewaySettings.read(office.path(office.settings.gateway))
    if settings.gateway != which:
        raise BadInput(
            f"{settings.path} is the gateway {settings.gateway}'s, not {which}'s",
            "run this where that gateway's settings are",
        )
    if finish:
        _finish(office, found[which], settings, as_json)
    else:
        _begin(office, found[which], settings, as_json)


@gateway.command()
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="The port from now on.")
@json_option
@with_office
def enrolment(office: Office, port: int, as_json: bool) -> None:
    """Serve enrolment on another port: each gateway on a machine needs one of its own.

    Restart the gateway afterwards. Terminals that are enrolled already renew their certificates
    at the old one: put the new one into `server`, under [enrolment] in their terminal.toml.
    """
    if office.settings.enrolment is None:
        raise BadInput("there is no enrolment server", "it is made with TLS: init --broker-tls")
    settings = GatewaySettings.read(office.path(office.settings.gateway))
    if port != settings.enrolment_port and office.edges.is_taken(port):
        raise BadInput(f"the port {port} is taken on this machine", "give another --port")
    host = urlsplit(office.settings.enrolment).hostname or ""
    url = EnrolmentServer(host, port, "").url
    settings.serve_enrolment(port)
    change_settings(office.config, lambda document: document.update(enrolment=url))
    enrolled = [one.id for one in office.registry.terminals() if not one.is_revoked(office.now())]
    record = {"server": url, "told_the_old_one": enrolled}
    text = f"enrolment is served at {url} once the gateway is restarted"
    if enrolled:
        text += f'; in terminal.toml of {", ".join(enrolled)}: server = "{url}"'
    done(text, record, as_json)


def _begin(office: Office, known: Gateway, settings: GatewaySettings, as_json: bool) -> None:
    bound: list[str] = []
    files = settings.successors(rolling.generation(office.registry, known.id) + 1)
    following = known.following
    if following is None:
        _held(settings, known.keys)
        if not settings.has_room():
            raise BadInput(
                f"{settings.path} names {RETIRED_MAX} retired keys",
                "take out those that nothing needs: ciao-gateway keys",
            )
        with office.change(f"gateway roll {known.id}") as (change, new):
            following = settings.make(files, new, office.edges.random_bytes)
            rolling.begin(office.registry, change, known.id, following)
            bound = follow(office.registry, change, office.signer_for, office.now())
    if settings.keys() != following:
        # Only now: keys that no bundle names would settle nothing. What was killed is caught up.
        _held(settings, known.keys)
        if settings.keys(files) != following:
            raise BadInput(f"{files.hpke} and {files.cosigner} are other keys", "put them back")
        settings.take(files)
    started = settings.is_run_with(following.cosigner)
    _say(
        _record(known.id, "begun", following, bound, [_RESTART, _FINISH][started:]),
        f"{known.id}: terminals take a receipt by either pair of keys",
        as_json,
    )


def _finish(office: Office, known: Gateway, settings: GatewaySettings, as_json: bool) -> None:
    following, bound = known.following, []
    if following is not None:
        if settings.keys() != following:
            raise BadInput(
                f"{settings.path} doesn't name the new keys yet",
                f"ciao-provision gateway roll {known.id}",
            )
        if not settings.is_run_with(following.cosigner):
            raise BadInput(
                f"the gateway {known.id} doesn't run with its new keys yet, so nothing was ended",
                "restart it; once it is online, do this again",
            )
        with office.change(f"gateway roll {known.id} --finish") as (change, _):
            rolling.finish(office.registry, change, known.id)
            bound = follow(office.registry, change, office.signer_for, office.now())
    elif rolling.generation(office.registry, known.id) == 1:
        raise BadInput(f"{known.id} is in no roll", f"ciao-provision gateway roll {known.id}")
    _say(
        _record(known.id, "finished", following or known.keys, bound, _AFTER),
        f"{known.id}: its old keys are ended; terminals take the new ones alone",
        as_json,
    )


def _held(settings: GatewaySettings, keys: Keys) -> None:
    """Refuse to go on where the gateway has other keys than the registry knows."""
    if settings.keys() != keys:
        raise BadInput(
            f"{settings.path} names other keys than the registry knows",
            "put back the key files that were made for this registry",
        )


def _record(
    gateway_id: str, state: str, keys: Keys, bound: list[str], after: list[str]
) -> dict[str, Any]:
    named = _named(keys)
    return {"gateway": gateway_id, "state": state, **named, "bound": bound, "next": after}


def _say(record: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        listing.show_one(record, as_json)
        return
    click.echo(text)
    if record["bound"]:
        click.echo(f"bound anew: {', '.join(record['bound'])}")
    click.echo("next:")
    for number, step in enumerate(record["next"], 1):
        click.echo(f"  {number}. {step}")


def _named(keys: Keys) -> dict[str, str]:
    """Name a pair as entries and notes do."""
    return {"hpke": key_id(b64decode(keys.hpke)), "cosigner": keys.cosigner.key_id.hex()}


def _listed(one: Gateway) -> dict[str, Any]:
    following = _named(one.following) if one.following else {"hpke": None, "cosigner": None}
    return {
        "id": one.id,
        **_named(one.keys),
        **{f"next_{k}": v for k, v in following.items()},
    }


add_list_and_show(
    gateway,
    "gateway",
    "gateways",
    lambda office: [_listed(one) for one in office.registry.gateways()],
)
