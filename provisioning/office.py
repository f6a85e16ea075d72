"""Edge: what a command works on: its settings, the open registry, the keys in their folder."""

from __future__ import annotations

import functools
import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

import click
from msgspec import Meta, Struct

from ciao import names, settings
from ciao.errors import BadInput
from ciao.keys import RandomBytes, load_signing_key, secret_path
from ciao.moments import milliseconds, moment, zone
from ciao.notes import Signer, VerifierKey
from ciao.sealing import Sealer
from provisioning.ca import Identity
from provisioning.desk import Next, Tell, open_desk
from provisioning.files import NewFiles
from provisioning.identities import load_identity
from provisioning.ports import is_taken
from provisioning.registry.issuing import renew_rosters
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change

SETTINGS_NAME = "provision.toml"
# The commands find these here, too.
__all__ = ["Office", "Settings", "milliseconds", "moment", "only", "with_office", "zone"]
P = ParamSpec("P")


def account() -> str:
    """Name the account that this runs under."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


@dataclass(frozen=True, slots=True)
class Edges:
    """The world outside: the clock, randomness, sealing, which draws it, waiting, the reader."""

    now: Callable[[], datetime]
    random_bytes: RandomBytes
    seal: Sealer
    pause: Callable[[float], object] = time.sleep
    open_desk: Callable[[Path, Tell], AbstractContextManager[Next]] = open_desk
    account: Callable[[], str] = account
    is_taken: Callable[[int], bool] = is_taken

    def files(self) -> NewFiles:
        """Begin a set of files that are made together."""
        return NewFiles()


class BrokerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where terminals and the gateway find the broker."""

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Annotated[int, Meta(ge=1, le=65535)]
    tls: bool


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """How long people are remembered after their last employment ended."""

    people_years: Annotated[int, Meta(ge=1, le=30)] = 5


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """`provision.toml`: paths are relative to it."""

    domain: str
    time_zone: str
    registry: str
    registry_key: str
    keys: str
    ca: str
    gateway: str
    broker: BrokerSettings
    issuer: str = "gateway"
    enrolment: str | None = None
    retention: Retention = Retention()


@dataclass(frozen=True, slots=True)
class Office:
    """A command's surroundings."""

    settings: Settings
    config: Path
    registry: Registry
    edges: Edges

    @property
    def folder(self) -> Path:
        """The folder of the settings, which their paths start from."""
        return self.config.parent

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days are meant."""
        return zone(self.settings.time_zone)

    def now(self) -> datetime:
        """This moment, local, in whole milliseconds, as it is written everywhere."""
        return milliseconds(self.edges.now().astimezone(self.zone))

    def path(self, name: str) -> Path:
        """A path as the settings write it."""
        return self.folder / name

    def provisioning_key_path(self, employer: str) -> Path:
        """Where an employer's provisioning key is kept."""
        folder = self.path(self.settings.keys)
        known = self.registry.employer(employer)
        if known is not None:
            successor = folder / successor_name(employer, known.provisioning_key)
            if successor.exists():
                return successor
        return folder / f"{employer}.pem"

    def signer_for(self, employer: str) -> Signer:
        """Load an employer's provisioning key; raise BadInput."""
        private = load_signing_key(self.provisioning_key_path(employer))
        signer = Signer(names.provisioning_key_name(self.settings.domain, employer), private)
        known = self.registry.employer(employer)
        if known is None or known.provisioning_key != signer.verifier():
            raise BadInput(
                f"{self.provisioning_key_path(employer)} is not the key of {employer}",
                "put back the key file that was made for this registry",
            )
        return signer

    def authority(self) -> Identity:
        """Load the root of the certificate authority; raise BadInput."""
        folder = self.path(self.settings.ca)
        return load_identity(folder / "ca.pem", folder / "ca.key")

    def issuer(self) -> Identity:
        """Load the authority that signs terminals; raise BadInput."""
        folder = self.path(self.settings.issuer)
        return load_identity(folder / "issuer.pem", folder / "issuer.key")

    @contextmanager
    def change(self, what: str) -> Iterator[tuple[Change, NewFiles]]:
        """Change rows and files together; at the end the rosters it touches are renewed."""
        with (
            self.edges.files() as files,
            self.registry.store.change(what, self.now()) as change,
        ):
            yield change, files
            renew_rosters(self.registry, change, self.signer_for, self.edges.seal, self.now())


@contextmanager
def open_office(edges: Edges, config: Path) -> Iterator[Office]:
    """Read the settings and open the registry; raise BadInput."""
    read = settings.load(Settings, config)
    names.operator_domain(read.domain)
    zone(read.time_zone)
    folder = config.parent
    with Registry.open(
        folder / read.registry, secret_path(folder, read.registry_key), edges.random_bytes
    ) as registry:
        yield Office(read, config, registry, edges)


def with_office(command: Callable[Concatenate[Office, P], None]) -> Callable[..., None]:
    """Give a command its office, and the two options that say which."""

    @click.option("--config", type=click.Path(path_type=Path), help=f"The {SETTINGS_NAME} to use.")
    @click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path),
        help=f"The folder {SETTINGS_NAME} is in; this one unless given.",
    )
    @click.pass_obj
    @functools.wraps(command)
    def inside(
        edges: Edges,
        /,
        *args: Any,
        config: Path | None,
        folder: Path | None,
        **options: Any,
    ) -> None:
        if config is not None and folder is not None:
            raise BadInput("both --config and --dir", "give one of them")
        with open_office(edges, config or (folder or Path()) / SETTINGS_NAME) as office:
            command(office, *args, **options)

    return inside


def successor_name(employer: str, key: VerifierKey) -> str:
    """Name the file of a provisioning key that is not an employer's first."""
    return f"{employer}-{str(key).split('+')[1]}.pem"


def only(kind: str, given: str | None, ids: list[str]) -> str:
    """Return what was named, or the only one there is; raise BadInput."""
    if given is not None:
        return given
    if len(ids) != 1:
        raise BadInput(
            f"which {kind}?",
            f"give --{kind}: {', '.join(ids[:8])}"
            if ids
            else f"add one: ciao-provision {kind} add",
        )
    return ids[0]
