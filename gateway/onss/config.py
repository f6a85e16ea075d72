"""Where the service is, who we are to it, and the limits of a call. Checked when made."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from joserfc.jwk import RSAKey

from ciao.errors import BadInput
from ciao.keys import load_rsa_key

# How the simulation environment's hosts begin (likely).
SIMULATION = "services-sim."


@dataclass(frozen=True, slots=True)
class OnssConfig:
    """One credential at one service; an employer's own, or the operator's for several.

    `base_url` ends before `/presenceRegistrations`; `token_url` is also the assertion's `aud`.
    `kid` defaults to the key's RFC 7638 thumbprint. `ca_file` replaces Mozilla's authorities
    (it never switches verification off). `settling_s`: how long after an attempt a search shows
    whatever that attempt stored. `total_s` bounds a whole call, from connecting to the last byte
    of its answer; within it `connect_s` an address, `read_s` a wait. Raises BadInput for a URL
    that is not https (http is allowed to a loopback host only), an empty client id, or a limit
    that is not positive.
    """

    base_url: str
    token_url: str
    client_id: str
    key: RSAKey = field(repr=False)
    kid: str | None = None
    ca_file: Path | None = None
    register_path: str = "/presenceRegistrations/registerInBulk"
    search_path: str = "/presenceRegistrations"
    settling_s: float = 120.0
    connect_s: float = 5.0
    read_s: float = 20.0
    total_s: float = 30.0
    idle_s: float = 30.0
    answer_bytes_max: int = 1 << 20
    renew_before_s: float = 60.0
    assertion_s: float = 60.0

    def __post_init__(self) -> None:
        check_url(self.base_url)
        check_url(self.token_url)
        if not self.client_id:
            raise BadInput("the ONSS client id is empty", "set the id the ONSS gave you")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise BadInput(f"no file {self.ca_file}", "give the PEM file of the authorities")
        limits = ("connect_s", "read_s", "total_s", "idle_s", "answer_bytes_max", "assertion_s")
        for name in limits:
            if getattr(self, name) <= 0:
                raise BadInput(f"{name} is not positive", f"leave {name} out for the default")

    @property
    def register_url(self) -> str:
        """Where registrations are posted."""
        return self.base_url.rstrip("/") + self.register_path

    @property
    def search_url(self) -> str:
        """Where registrations are searched."""
        return self.base_url.rstrip("/") + self.search_path


def check_url(url: str) -> None:
    """Raise BadInput unless the URL is https, or http to a loopback host, and only that."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadInput(f"not a URL: {url!r}", "write https://host/path") from error
    if not host or port == 0 or parts.query or parts.fragment or parts.username:
        raise BadInput(f"not a plain URL: {url!r}", "write https://host/path, nothing after it")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return
    raise BadInput(f"not https: {url!r}", "http is only for a sandbox on this machine")


def is_production(url: str) -> bool:
    """Say whether what is registered there counts: everywhere but the simulation and loopback."""
    host = urlsplit(url).hostname or ""
    return not host.startswith(SIMULATION) and not _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_key(path: Path) -> RSAKey:
    """Read an RSA private key in PEM.

    Raises BadInput where it is no key file of ours (`ciao.keys`), or of less than 2048 bits.
    """
    return RSAKey.import_key(load_rsa_key(path))
