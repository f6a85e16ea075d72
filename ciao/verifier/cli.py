"""Edge: `ciao-verify`: a bundle and the keys that you trust, and nothing else."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click

from ciao.commands import run_alone
from ciao.errors import BadInput
from ciao.evidence import stamped
from ciao.texts import LANGUAGES, preferred
from ciao.verifier import report, words
from ciao.verifier.attachments import Look, look_at
from ciao.verifier.bundle import Bundle
from ciao.verifier.findings import Findings
from ciao.verifier.policy import parse
from ciao.verifier.timestamps import Timestamps
from ciao.verifier.verify import Demand, verify

POLICY_SIZE_MAX = 1024 * 1024
_COLOURS = {"holds": "green", "fails": "red", "unknown": "yellow"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("bundle", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--keys",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="POLICY",
    help="Whom you trust: cosigners, a quorum, employers' keys. Never taken from the bundle.",
)
@click.option("--from", "start", metavar="TIME", help="It must be complete from here.")
@click.option("--until", "end", metavar="TIME", help="It must be complete up to here.")
@click.option(
    "--lang",
    "--language",
    "language",
    type=click.Choice(LANGUAGES),
    help="The language; as the environment says (LANG), unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def command(
    bundle: Path,
    keys: Path,
    start: str | None,
    end: str | None,
    language: str | None,
    as_json: bool,
) -> int:
    """Check an evidence bundle, and say what holds, what does not, and what can't be known.

    POLICY comes from whoever you trust for it, not from who gave you the bundle:

    \b
        witness NAME KEY        a cosigner: a gateway, or an outside witness
        group NAME K NAME...    K of these, or any, or all
        quorum NAME             who must have cosigned
        provisioning KEY        the employer's key, which names the terminals
        tsa CERTIFICATE         a time stamp authority's root, base64 of its DER

    The exit status is 0 only where everything holds, 1 where something does not.
    """
    policy = parse(_text(keys), str(keys))
    demand = Demand(_moment(start, "--from"), _moment(end, "--until"))
    findings = Findings()
    shown = sys.stderr.isatty()
    bar = click.progressbar(length=1, file=sys.stderr, hidden=not shown, label="checking")
    with bar, closing(Bundle(bundle, findings, bar.update)) as opened:
        bar.length = max(opened.size, 1)
        opened.check_files()
        terminals = verify(opened, policy, demand, findings)
        stamps = Timestamps()
        # What a bundle may hold beside its rows, and what looks at it.
        looks: dict[str, Look] = {"report.pdf": report.look, stamped.FOLDER: stamps.look}
        look_at(bundle, opened.attachments(), looks, policy, findings)
    for code in ("others", "cosigner", "badge"):
        findings.unknown(code)
    verdict = words.Verdict(opened.sha256, opened.manifest, terminals, findings, stamps.confirmed())
    if as_json:
        click.echo(json.dumps(words.as_json(verdict), indent=2))
    else:
        _show(verdict, words.Speech(language or preferred(os.environ)))
    return 0 if findings.whole else 1


def _show(verdict: words.Verdict, speech: words.Speech) -> None:
    """Print the verdict: what each line is in front, in one column."""
    marks = {style: speech.gettext(mark) for style, mark in words.MARKS.items()}
    width = max(map(len, marks.values())) + 2
    for style, line in words.lines(verdict, speech):
        mark = "" if style == "head" else marks.get(style, "").ljust(width)
        indent = "  " if style == "place" else ""
        click.echo(click.style(mark, fg=_COLOURS.get(style), bold=True) + indent + line)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(POLICY_SIZE_MAX).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"can't read {path}: {error}", "give a policy file") from error


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option} {text!r} is no time", "such as 2026-03-02T18:00+01:00") from error
    if moment.tzinfo is None:
        raise BadInput(f"{option} {text!r} has no offset", "such as 2026-03-02T18:00+01:00")
    return moment


def main() -> None:
    """Run the command; on bad input print what and what to do, and exit with 2."""
    run_alone(command, "ciao-verify")
