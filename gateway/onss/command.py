"""Edge: `ciao-gateway onss`: what is known of the ONSS's service, and whether it is so."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from ciao.commands import Commands
from ciao.errors import BadInput
from gateway.config import CONFIG_NAME, load, onss_configs
from gateway.onss import table
from gateway.onss.cases import TABLE
from gateway.onss.checking.check import Check, looks
from gateway.onss.checking.points import GIVEN, Finding, Judged
from gateway.onss.config import OnssConfig, is_production
from gateway.onss.tokens import Sources

COLOURS = {Judged.CONFIRMED: "green", Judged.DIFFERS: "red", Judged.UNCHECKED: "yellow"}
TEST_ITEM = {"ssin", "employer", "placeOfWork", "contractualRelationshipReference"}
ITEM_BYTES_MAX = 65_536


@click.group(cls=Commands)
def onss() -> None:
    """Look into the ONSS's service: what is done with each answer, and whether it is as we think.

    What is sure, likely and unknown of it stands in docs/protocol/onss.md.
    """


@onss.command()
@click.option("--markdown", is_flag=True, help="As docs/protocol/onss.md holds it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def cases(markdown: bool, as_json: bool) -> None:
    """List every case of an answer, or of none, and what becomes of the stamp in it.

    The name in front is what `ciao-gateway held` shows as the reason, and a terminal is told.
    """
    if as_json:
        rows = [{"case": case, **msgspec.to_builtins(row)} for case, row in TABLE.items()]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return
    if markdown:
        for line in table.markdown():
            click.echo(line)
        return
    for case, row in TABLE.items():
        tell = click.style("  tells somebody", fg="yellow") if row.person else ""
        click.echo(click.style(f"{case:<20}", bold=True) + f" {row.seen}")
        click.echo(f"{'':<20} {row.act}: {row.because}{tell}")


@onss.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(CONFIG_NAME),
    show_default=True,
    metavar="FILE",
    help="The gateway's settings: URLs and credentials are taken from its [onss].",
)
@click.option("--employer", metavar="ID", help="Whose credential, where there are several.")
@click.option(
    "--production",
    is_flag=True,
    help="Send what must be refused to production too; without it only the way there is checked.",
)
@click.option(
    "--item",
    "item_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Register a test person (JSON: ssin, employer, placeOfWork, "
    "contractualRelationshipReference), to see what answers look like.",
)
@click.option(
    "--for-real", is_flag=True, help="With --item and --production: yes, register in production."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def check(
    config: Path,
    employer: str | None,
    production: bool,
    item_file: Path | None,
    for_real: bool,
    as_json: bool,
) -> None:
    """Check the service against what is taken as given of it, with your own credential.

    Each point is confirmed, differs, or could not be checked; exit status 1 where one differs.
    Point [onss] base_url and token_url at the simulation environment. What it sends must be
    refused (a person's number whose check digits are wrong), so nothing is registered, unless
    you give a test person with --item: then four registrations are made.
    """
    credential = _credential(config, employer)
    is_live = is_production(credential.base_url)
    item = None if item_file is None else _test_item(item_file)
    if is_live and item is not None and not (production and for_real):
        hint = "use the simulation environment, or say --production --for-real"
        raise BadInput(f"{credential.base_url} is production: it would register for real", hint)
    sources = Sources(time.time, time.monotonic, lambda: str(uuid.uuid4()))
    looking = looks(credential, sources)
    findings: list[Finding] = []
    for finding in _findings(Check(credential, looking), item, production or not is_live):
        findings.append(finding)
        if not as_json:
            _say(finding)
    looking.transport.close()
    if as_json:
        rows = [{"given": GIVEN[one.point], **msgspec.to_builtins(one)} for one in findings]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
    else:
        _sum_up(findings)
    sys.exit(1 if any(one.judged is Judged.DIFFERS for one in findings) else 0)


def _findings(checking: Check, item: Mapping[str, Any] | None, send: bool) -> Iterator[Finding]:
    yield from checking.run(item, send)
    if item is not None:
        yield from checking.register(item)


def _say(finding: Finding) -> None:
    mark = click.style(f"{finding.judged:<20}", fg=COLOURS[finding.judged])
    click.echo(f"{mark} {finding.point}: {GIVEN[finding.point]}")
    click.echo(f"{'':<20} {finding.said}")


def _sum_up(findings: list[Finding]) -> None:
    counts = [(judged, sum(one.judged is judged for one in findings)) for judged in Judged]
    click.echo(", ".join(f"{count} {judged}" for judged, count in counts))
    if any(one.judged is Judged.DIFFERS for one in findings):
        click.echo(
            "See what was answered with --json; docs/protocol/onss.md says what rests on it."
        )


def _credential(config: Path, employer: str | None) -> OnssConfig:
    known = onss_configs(load(config).onss, config.parent)
    if employer is None and len(known) == 1:
        (only,) = known.values()
        return only
    if employer is None or employer not in known:
        what = f"no credential of {employer}" if employer else "there are several credentials"
        raise BadInput(what, f"--employer is one of: {', '.join(sorted(known))}")
    return known[employer]


def _test_item(path: Path) -> Mapping[str, Any]:
    """Read a test person's item; raise BadInput."""
    hint = f"a JSON object of {', '.join(sorted(TEST_ITEM))}"
    try:
        raw = path.read_bytes()
        read = msgspec.json.decode(raw) if len(raw) <= ITEM_BYTES_MAX else None
    except OSError as error:
        raise BadInput(f"can't read {path}: {error.strerror}", hint) from error
    except msgspec.DecodeError as error:
        raise BadInput(f"{path} is not JSON", hint) from error
    if not isinstance(read, dict) or set(read) != TEST_ITEM:
        raise BadInput(f"{path} is not a test person's item", hint)
    if not isinstance(read["employer"], dict) or len(read["employer"]) != 1:
        what = f"{path}: employer has exactly one of enterpriseNumber, foreignVatNumber"
        raise BadInput(what, hint)
    return read
