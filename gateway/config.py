"""`gateway.toml`: what one gateway is told. Strict; paths are relative to the file's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from ciao import names, settings
from ciao.errors import BadInput
from ciao.mqtt import BrokerSettings
from ciao.notes import NoteBroken, VerifierKey
from gateway.core import Settings
from gateway.forwarding.submitting import Limits
from gateway.onss.config import OnssConfig, load_key
from gateway.retention import rules
from gateway.watch.settings import ClockSettings, WatchSettings

CONFIG_NAME = "gateway.toml"

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Path_ = Annotated[str, Meta(min_length=1, max_length=1024)]
# Behind a base URL; "" for none.
UrlPath = Annotated[str, Meta(pattern=r"^(/[!-~]*)?\Z", max_length=1024)]


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway's own keys. Retired HPKE keys still open what was sealed to them.

    Retired cosigners are verifier keys, as a binding names them: they tell what was said before.
    """

    hpke: Path_
    cosigner: Path_
    answers: Path_
    retired_hpke: Annotated[list[Path_], Meta(max_length=16)] = []
    retired_cosigners: Annotated[list[str], Meta(max_length=16)] = []

    def cosigners(self) -> list[VerifierKey]:
        """Read the retired cosigners' keys; raise BadInput."""
        try:
            return [VerifierKey.parse(text) for text in self.retired_cosigners]
        except NoteBroken as error:
            what = f"{CONFIG_NAME}: keys.retired_cosigners: {error}"
            raise BadInput(what, "give them as bindings do, <name>+<id>+<base64>") from error


class Credential(Struct, frozen=True, forbid_unknown_fields=True):
    """An employer's ONSS client: its id, its RSA key, and the key's id where the ONSS gave one."""

    client_id: Annotated[str, Meta(min_length=1, max_length=256)]
    key: Path_
    kid: str | None = None


class Enrolment(Struct, frozen=True, forbid_unknown_fields=True):
    """Where terminals enrol and renew their certificates, and by which issuer."""

    listen: str
    port: Annotated[int, Meta(ge=1, le=65535)]
    certificate: Path_
    key: Path_
    ca: Path_
    issuer: Path_
    issuer_key: Path_


class Onss(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the service is, our limits towards it, and each employer's credentials.

    `answers_in_order`: set only once it is confirmed that the service answers the items of a
    call in their order; until then a call of several leaves each to be searched for.
    `search_path`: "" where the service has no search.
    """

    base_url: str
    token_url: str
    register_path: UrlPath = "/presenceRegistrations/registerInBulk"
    search_path: UrlPath = "/presenceRegistrations"
    ca: str | None = None
    settling_s: Seconds = 120.0
    connect_s: Seconds = 5.0
    read_s: Seconds = 20.0
    total_s: Seconds = 30.0
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 8
    items_per_call: Annotated[int, Meta(ge=1, le=200)] = 1
    answers_in_order: bool = False
    poll_validity: bool = True
    credentials: dict[str, Credential] = {}


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """What signs reports: a certificate chain and its P-256 key, as PEM."""

    certificate: Path_
    key: Path_


class Timestamping(Struct, frozen=True, forbid_unknown_fields=True):
    """A time stamping authority (RFC 3161): where it is, its roots (PEM), where stamps are kept."""

    url: Annotated[str, Meta(pattern=r"^https?://", max_length=1024)]
    roots: Path_
    folder: Path_ = "timestamps"


class MetricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Prometheus may ask, on this machine only; without this section nothing is served."""

    port: Annotated[int, Meta(ge=1, le=65_535)]


class Witnessing(Struct, frozen=True, forbid_unknown_fields=True):
    """An outside witness (C2SP tlog-witness) of the gateway's own journal."""

    url: Annotated[str, Meta(pattern=r"^https?://", max_length=1024)]
    key: Annotated[str, Meta(max_length=1024)]


# No shorter: 30 days to ask for a change (Q35), and the 30 that a terminal keeps its own.
PAYLOAD_DAYS_MIN = 60
RETENTION_DAYS_MAX = 30 * 366


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days payloads are kept, with whose they are; and whole logs (decision 38)."""

    payload_days: Annotated[int, Meta(le=RETENTION_DAYS_MAX)] = 1826
    segment_days: Annotated[int, Meta(le=RETENTION_DAYS_MAX)] = 3653

    def settings(self) -> rules.Settings:
        """What the core needs of it; raise BadInput where it is too short."""
        if self.payload_days < PAYLOAD_DAYS_MIN:
            what = f"{CONFIG_NAME}: retention.payload_days is {self.payload_days}"
            least = f"at least {PAYLOAD_DAYS_MIN}: 30 to ask for a change (Q35), and 30 more in"
            raise BadInput(what, f"{least} which terminals may send again")
        if self.segment_days < self.payload_days:
            what = f"{CONFIG_NAME}: retention.segment_days is {self.segment_days}"
            raise BadInput(what, f"not below payload_days, {self.payload_days}")
        return rules.Settings(self.payload_days, self.segment_days)


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    gateway: str
    domain: str
    ledger: Path_
    registry: Path_
    registry_key: Path_
    keys: Keys
    broker: BrokerSettings
    onss: Onss
    enrolment: Enrolment | None = None
    report: Report | None = None
    timestamping: Timestamping | None = None
    witness: Witnessing | None = None
    journal: Path_ = "journal"
    watch: WatchSettings = WatchSettings()
    clock: ClockSettings = ClockSettings()
    metrics: MetricsSettings | None = None
    retention: Retention = Retention()

    def settings(self) -> Settings:
        """What the core needs of it."""
        onss = self.onss
        limits = Limits(
            onss.concurrency, onss.items_per_call, onss.answers_in_order, onss.concurrency
        )
        searches = bool(onss.search_path)
        polls = searches and onss.poll_validity
        retention = self.retention.settings()
        return Settings(self.gateway, limits, onss.settling_s, searches, polls, retention)


def load(path: Path) -> Config:
    """Read the file; raise BadInput that names the key, its line and what is allowed."""
    config = settings.load(Config, path)
    names.gateway_id(config.gateway)
    names.operator_domain(config.domain)
    config.retention.settings()
    onss = config.onss
    if onss.items_per_call > 1 and not (onss.search_path or onss.answers_in_order):
        what = f"{path.name}: onss.items_per_call is {onss.items_per_call}, and there is no search"
        raise BadInput(what, "1 a call, or each of them would wait for a person")
    return config


def onss_configs(onss: Onss, folder: Path) -> dict[str, OnssConfig]:
    """Read each employer's credential; raise BadInput, also where there is none."""
    if not onss.credentials:
        raise BadInput(
            f"{folder / CONFIG_NAME}: there is no [onss.credentials.<employer>]",
            "ciao-provision employer onss ID --client CLIENT writes one",
        )
    return {
        employer: OnssConfig(
            base_url=onss.base_url,
            token_url=onss.token_url,
            client_id=credential.client_id,
            key=load_key(folder / credential.key),
            kid=credential.kid,
            ca_file=folder / onss.ca if onss.ca else None,
            register_path=onss.register_path,
            search_path=onss.search_path,
            settling_s=onss.settling_s,
            connect_s=onss.connect_s,
            read_s=onss.read_s,
            total_s=onss.total_s,
        )
        for employer, credential in onss.credentials.items()
    }
