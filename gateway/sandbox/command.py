"""`ciao-gateway sandbox`: run the ONSS stand-in."""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
from pathlib import Path

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.jwk import RSAKey

from ciao.errors import BadInput

DECLARATION = re.compile(r"[A-HJ-NP-Z0-9]{13}")
# Written here, as everything that the sandbox holds a client to.
KEY_BITS_MIN = 2048
SECONDS = click.FloatRange(min=0, max=86_400)


@click.command(epilog="End it with Ctrl-C. It listens on 127.0.0.1 only.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default="any free one",
    help="TCP port to listen on.",
)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="SQLite file that keeps what was registered; made where it is missing.",
)
@click.option(
    "--client",
    "clients",
    multiple=True,
    required=True,
    metavar="ID=PUBLIC.pem",
    help="A registered client and its RSA public key; repeat for more clients or keys.",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write {url, base_url, token_url} here, as JSON, once it listens.",
)
@click.option(
    "--search-delay",
    type=SECONDS,
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a registration stays invisible to the search.",
)
@click.option(
    "--latency",
    type=SECONDS,
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="What every call takes at least.",
)
@click.option(
    "--token-life",
    type=click.FloatRange(min=1, max=86_400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a token lives.",
)
@click.option(
    "--inactive-declaration",
    "inactive",
    multiple=True,
    metavar="NUMBER",
    help="A works declaration number that is refused (notCreated); repeatable.",
)
@click.option(
    "--url",
    default="",
    metavar="URL",
    help="How clients reach it, where something stands in front that speaks TLS.",
)
def sandbox(
    port: int,
    db: Path,
    clients: tuple[str, ...],
    ready_file: Path | None,
    search_delay: float,
    latency: float,
    token_life: float,
    inactive: tuple[str, ...],
    url: str,
) -> None:
    """Run a stand-in for the ONSS presence registration service, for trials and tests.

    It checks what a client sends as strictly as the service is known to, keeps what it
    registers, shows it at /inspection, and fails on demand:

    \b
      curl -X POST URL/faults -H 'Content-Type: application/json' \\
           -d '{"fault": "drop_after_storing", "count": 2}'

    Faults: slow, 401, 403, 404, 413, 429, 500, 502, 503, 504, drop_before, drop_after_storing,
    malformed, html, redirect. Never give it data of real people.
    """
    # Flask and waitress cost every other command their start-up time.
    from gateway.sandbox import server  # noqa: PLC0415

    settings = server.Settings(
        db,
        _registered(clients),
        port,
        search_delay,
        latency,
        token_life,
        inactive_declarations=frozenset(map(_declaration, inactive)),
        url=_public(url),
    )

    def ready(address: server.Address) -> None:
        if ready_file is not None:
            server.write_ready_file(ready_file, json.dumps(dataclasses.asdict(address)))
        click.echo(f"ONSS sandbox listening on {address.url}")

    try:
        server.serve(settings, ready)
    except OSError as error:
        what = f"can't listen on port {port}: {error.strerror}"
        raise BadInput(what, "choose another --port, or leave it out") from error
    except sqlite3.Error as error:
        raise BadInput(f"can't use {db}: {error}", "give --db a writable path") from error


def _public(url: str) -> str:
    if url and not re.fullmatch(r"https?://[!-.0-~]+/?", url):
        raise BadInput(f"--url {url!r} is no address", "such as https://onss.example.be")
    return url


def _registered(clients: tuple[str, ...]) -> dict[str, tuple[RSAKey, ...]]:
    keys: dict[str, tuple[RSAKey, ...]] = {}
    for text in clients:
        name, _, path = text.partition("=")
        if not name or not path:
            raise BadInput(f"not a client: {text!r}", "write --client ID=PUBLIC.pem")
        keys[name] = (*keys.get(name, ()), _public_key(Path(path)))
    return keys


def _public_key(path: Path) -> RSAKey:
    hint = f"give the client's RSA public key in PEM, at least {KEY_BITS_MIN} bits"
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise BadInput(f"can't read {path}: {error.strerror}", hint) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput(f"no public key in {path}", hint) from error
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise BadInput(f"not a key for RS256: {path}", hint)
    return RSAKey.import_key(key)


def _declaration(text: str) -> str:
    if not DECLARATION.fullmatch(text):
        hint = "13 characters, A-Z without I and O, and 0-9"
        raise BadInput(f"not a works declaration number: {text!r}", hint)
    return text
