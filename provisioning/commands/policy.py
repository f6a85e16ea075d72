"""`ciao-provision policy`: whom somebody who checks evidence should trust."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ciao.errors import BadInput
from ciao.keys import replace_file
from ciao.names import GATEWAY_PREFIX
from ciao.reading import rfc3339
from ciao.verifier.policy import parse
from provisioning.office import Office, with_office
from provisioning.registry import rolling
from provisioning.registry.records import Cosigner

_HEAD = """\
# Whom to trust when checking evidence with: ciao-verify BUNDLE --keys THIS-FILE
# Take it from whoever you trust for it, never from who gives you a bundle.
"""


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Printed unless given."
)
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="NAME=KEY",
    help="An outside witness of the gateways' own journals; may be given again.",
)
@click.option(
    "--quorum",
    default="all",
    show_default=True,
    metavar="K",
    help="How many of the gateways must have cosigned: a number, any or all.",
)
@with_office
def policy(office: Office, out: Path | None, witnesses: Sequence[str], quorum: str) -> None:
    """Write the policy file for `ciao-verify`: cosigners, a quorum, employers' keys.

    An inspector needs it once, from you or from whoever vouches for you, and not
    together with the evidence. Every key an employer ever signed with is in it, and every key
    that a gateway ever cosigned with, up to when others had succeeded it.
    """
    lines, names, groups = _gateways(rolling.cosigners(office.registry))
    outside: dict[str, str] = {}
    for given in witnesses:
        name, found, key = given.partition("=")
        if not found or name in names or name in outside:
            raise BadInput(f"--witness {given!r}", "give NAME=KEY, each name once")
        outside[name] = key
    lines += [f"witness {name} {key}" for name, key in outside.items()]
    lines += [f"group gateways {quorum} {' '.join(groups)}", "quorum gateways"]
    if outside:
        lines += [f"group outside all {' '.join(outside)}", "journals outside"]
    lines += [f"provisioning {key}" for key in office.registry.provisioning_keys()]
    text = _HEAD + "\n".join(lines) + "\n"
    # What the verifier would not take is never handed out.
    parse(text, "the policy")
    if out is None:
        click.echo(text, nl=False)
        return
    replace_file(out, text.encode())
    out.chmod(0o644)
    click.echo(f"wrote {out}")


def _gateways(cosigners: Sequence[Cosigner]) -> tuple[list[str], set[str], list[str]]:
    """Write the gateways' keys: the lines, the names in them, and one name a gateway.

    Of several keys of a gateway any one will do, each up to when the next alone counted.
    """
    lines: list[str] = []
    by_gateway: dict[str, list[str]] = {}
    for one in cosigners:
        own = by_gateway.setdefault(one.gateway, [])
        later = f"@{one.key.key_id.hex()}" if own else ""
        own.append(f"{GATEWAY_PREFIX}{one.gateway}{later}")
        lines.append(f"witness {own[-1]} {one.key}")
        if one.until is not None:
            lines.append(f"until {own[-1]} {rfc3339(one.until)}")
    groups = []
    for gateway, own in by_gateway.items():
        groups.append(own[0] if len(own) == 1 else f"keys-of-{gateway}")
        if len(own) > 1:
            lines.append(f"group {groups[-1]} any {' '.join(own)}")
    names = {name for own in by_gateway.values() for name in own}
    return lines, names | set(groups), groups
