"""Edge: `ciao-gateway witness`: a minimal outside witness, for another party to run."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
import waitress

from ciao.commands import Commands
from ciao.errors import BadInput
from ciao.keys import load_signing_key, new_signing_key, private_pem, write_secret
from ciao.notes import COSIGNATURE_V1, NoteBroken, Signer, VerifierKey
from gateway.witness import protocol
from gateway.witness.app import Witness, create_app, known_log
from gateway.witness.store import Store

_KEY = "witness.pem"
_NAME = "name"
_STATE = "witness.db"
_folder = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("witness"),
    show_default=True,
    help="Where its key and its memory are. Both are one: never use a key without its memory.",
)


@click.group(cls=Commands)
def witness() -> None:
    """An outside witness (C2SP tlog-witness), for somebody who is not the employer.

    It cosigns a log's checkpoints only where each extends what it cosigned before:
    then nobody can show two histories, however many keys they hold.
    """


@witness.command()
@click.argument("name")
@_folder
def init(name: str, folder: Path) -> None:
    """Make a witness's key; NAME is what it signs as, such as witness.example.org/one.

    It prints the verifier key, for policies and for the gateway's settings.
    """
    try:
        key = VerifierKey.parse(str(VerifierKey(name, bytes(32), COSIGNATURE_V1)))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except NoteBroken as error:
        raise BadInput(f"{name!r}: {error}", "such as witness.example.org/one") from error
    except OSError as error:
        raise BadInput(f"can't make {folder}: {error.strerror}", "give --dir") from error
    write_secret(folder / _KEY, private_pem(new_signing_key(os.urandom)))
    (folder / _NAME).write_text(key.name + "\n", encoding="utf-8")
    Store(folder / _STATE).close()
    click.echo(_signer(folder).verifier(COSIGNATURE_V1))


@witness.command()
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    metavar="KEY",
    help="A log's verifier key; its name is the log's origin. May be given again.",
)
@click.option(
    "--listen",
    default="127.0.0.1:8770",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the web server in front of it finds it.",
)
@_folder
def serve(logs: Sequence[str], listen: str, folder: Path) -> None:
    """Cosign what extends these logs, until interrupted.

    Put a web server with TLS in front of it. A log that begins a new segment has a
    new key: give it then.
    """
    known: dict[str, list[VerifierKey]] = defaultdict(list)
    for text in logs:
        try:
            origin, key = known_log(text)
        except ValueError as error:
            raise BadInput(f"--log {text!r}: {error}", "give <name>+<id>+<base64>") from error
        known[origin].append(key)
    if not (folder / _STATE).is_file():
        raise BadInput(f"{folder / _STATE} is not there", "a key without its memory is retired")
    store = Store(folder / _STATE)
    app = create_app(Witness(store, known, _signer(folder), lambda: int(time.time())))
    try:
        server = waitress.create_server(
            app, listen=listen, threads=4, max_request_body_size=2 * protocol.BODY_SIZE_MAX
        )
    except (OSError, ValueError) as error:
        raise BadInput(f"can't listen on {listen}: {error}", "give --listen HOST:PORT") from error
    click.echo(f"{_signer(folder).verifier(COSIGNATURE_V1)} listens on {listen}", err=True)
    server.run()


def _signer(folder: Path) -> Signer:
    try:
        name = (folder / _NAME).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"there is no witness in {folder}", "ciao-gateway witness init") from error
    return Signer(name, load_signing_key(folder / _KEY))
