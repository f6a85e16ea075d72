"""What `terminal.toml` may say. Paths are relative to the file's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ciao import names, settings
from ciao.errors import BadInput
from ciao.mqtt import BrokerSettings
from ciao.notes import ED25519, NoteBroken, VerifierKey
from ciao.reaching.endpoint import Endpoint
from ciao.registration import Direction
from ciao.texts import LANGUAGES
from hardware.probes import ProbeSettings, Targets, targets


class KeyFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The two keys that never leave a terminal, PEM, mode 0600."""

    enrolled: str
    seal: str


class ReaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a badge reader is connected."""

    path: str


class PanelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The console panel: its event log, and the socket of its buttons."""

    log: str
    control: str


class ClockSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For machines whose host keeps the clock right where the kernel can't tell."""

    assured_error_ms: int | None = None


class EnrolmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the TLS certificate is renewed; that server is trusted as the broker is."""

    server: str


class TerminalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as a whole. Lanes: the readers are named `in` and `out`."""

    terminal: str
    domain: str
    provisioning_key: str
    keys: KeyFiles
    broker: BrokerSettings
    readers: dict[str, ReaderSettings]
    panel: PanelSettings
    state: str = "state"
    time_zone: str = "Europe/Brussels"
    language: str = "fr"
    clock: ClockSettings = ClockSettings()
    enrolment: EnrolmentSettings | None = None
    probes: ProbeSettings = ProbeSettings()


@dataclass(frozen=True, slots=True)
class Config:
    """Settings that were checked, and the file they were read from."""

    settings: TerminalSettings
    path: Path
    provisioning_key: VerifierKey
    zone: ZoneInfo

    @property
    def base(self) -> Path:
        """Where its paths start from."""
        return self.path.parent

    @property
    def state(self) -> Path:
        """Where the journal, the bindings and the cache are."""
        return self.base / self.settings.state

    @property
    def journal(self) -> Path:
        """Where the journal's segments are."""
        return self.state / "journal"

    @property
    def control(self) -> Path:
        """Where the running terminal takes orders."""
        return self.state / "control.sock"

    def targets(self) -> tuple[Targets, list[str]]:
        """Return whom the watch asks, and a line for each setting that it can't use."""
        broker = Endpoint(self.settings.broker.host, self.settings.broker.port)
        return targets(self.settings.probes, broker)


def load(path: Path) -> Config:
    """Read and check `terminal.toml`; raise BadInput naming the key and what is allowed."""
    read = settings.load(TerminalSettings, path)
    _check_names(read, path)
    _check_readers(read, path)
    try:
        zone = ZoneInfo(read.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # OSError: a zone's name is looked up as a file's, and may be a folder's or too long.
        why = f"{read.time_zone!r} is no time zone"
        raise settings.refused(path, "time_zone", why, "such as Europe/Brussels") from error
    try:
        key = VerifierKey.parse(read.provisioning_key)
        if key.kind != ED25519:
            raise NoteBroken("a key for cosignatures")
    except NoteBroken as error:
        allowed = "the line that provisioning printed: <name>+<id>+<base64>"
        raise settings.refused(path, "provisioning_key", f"is {error}", allowed) from error
    return Config(read, path.resolve(), key, zone)


def _check_names(read: TerminalSettings, path: Path) -> None:
    for key, check, text in (
        ("terminal", names.terminal_id, read.terminal),
        ("domain", names.operator_domain, read.domain),
    ):
        try:
            check(text)
        except BadInput as error:
            raise settings.refused(path, key, f"is wrong: {error.what}", error.hint) from error
    if read.language not in LANGUAGES:
        why = f"{read.language!r} is not known"
        raise settings.refused(path, "language", why, f"one of {', '.join(LANGUAGES)}")


def _check_readers(read: TerminalSettings, path: Path) -> None:
    count = len(read.readers)
    lanes = {direction.value for direction in Direction}
    if count != 1 and set(read.readers) != lanes:
        why = f"names {', '.join(sorted(read.readers)) or 'none'}"
        allowed = "one reader of any name, or two named 'in' and 'out'"
        raise settings.refused(path, "readers", why, allowed)
