"""Names of terminals and gateways, the origins of their logs, and the MQTT topics (DESIGN 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ciao.errors import BadInput

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
# Whose log it is: a terminal's, or a gateway's by its whole id behind the prefix.
_OWNER = re.compile(r"(gateway-)?[a-z0-9][a-z0-9-]{0,31}")
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,120}}$){_LABEL}(\.{_LABEL})*")
_SEGMENT = re.compile(r"[0-9a-f]{16}")
GATEWAY_PREFIX = "gateway-"
_PROVISIONING = "provisioning"
GATEWAYS_ONLINE = "ciao/1/_gateway/+/online"


def terminal_id(text: str) -> str:
    """Return a terminal's id if it is one; raise BadInput."""
    if not _ID.fullmatch(text) or text.startswith(GATEWAY_PREFIX):
        raise BadInput(
            f"{text!r} is no terminal id",
            "1 to 32 of a-z, 0-9 and '-', not beginning with '-' or 'gateway-'",
        )
    return text


def gateway_id(text: str) -> str:
    """Return a gateway's id if it is one; raise BadInput."""
    if not _ID.fullmatch(text):
        raise BadInput(f"{text!r} is no gateway id", "1 to 32 of a-z, 0-9 and '-'")
    return text


def operator_domain(text: str) -> str:
    """Return the operator's domain, which leads every origin; raise BadInput."""
    if not _DOMAIN.fullmatch(text):
        raise BadInput(f"{text!r} is no domain", "lower case, such as badges.example.be")
    return text


@dataclass(frozen=True, slots=True)
class Origin:
    """A log's name: `<operator domain>/ciao/<owner>/<segment>`, also its key's name."""

    domain: str
    owner: str
    segment: str

    def __str__(self) -> str:
        return f"{self.domain}/ciao/{self.owner}/{self.segment}"

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read an origin; raise ValueError."""
        parts = text.split("/")
        if (
            len(parts) == 4
            and parts[1] == "ciao"
            and _DOMAIN.fullmatch(parts[0])
            and _OWNER.fullmatch(parts[2])
            and _SEGMENT.fullmatch(parts[3])
        ):
            return cls(parts[0], parts[2], parts[3])
        raise ValueError(f"not an origin: {text[:80]!r}")


def enrolled_key_name(domain: str, terminal: str) -> str:
    """The name a terminal's enrolled key signs as."""
    return f"{domain}/ciao/{terminal}"


def cosigner_name(domain: str, gateway: str) -> str:
    """The name a gateway cosigns as."""
    return f"{domain}/ciao/{GATEWAY_PREFIX}{gateway}"


def provisioning_key_name(domain: str, employer: str) -> str:
    """The name an employer's provisioning key signs as."""
    return f"{domain}/ciao/{_PROVISIONING}/{employer}"


def employer_of(key_name: str) -> str | None:
    """Name the employer whose provisioning key signs by this name; None for any other key."""
    parts = key_name.split("/")
    return parts[3] if len(parts) == 4 and parts[2] == _PROVISIONING else None


def topic(terminal: str, channel: str) -> str:
    """A terminal's topic: journal, receipt, hint, outcome, binding, roster or online."""
    return f"ciao/1/{terminal}/{channel}"


def gateway_online(gateway: str) -> str:
    """Where a gateway says that it is there."""
    return f"ciao/1/_gateway/{gateway}/online"


def split_topic(text: str) -> tuple[str, str]:
    """Take a topic apart: (terminal, channel), or ("_gateway", id); raise ValueError."""
    parts = text.split("/")
    if len(parts) == 4 and parts[:2] == ["ciao", "1"] and _ID.fullmatch(parts[2]):
        return parts[2], parts[3]
    gateway = len(parts) == 5 and parts[:3] == ["ciao", "1", "_gateway"] and parts[4] == "online"
    if gateway and _ID.fullmatch(parts[3]):
        return "_gateway", parts[3]
    raise ValueError(f"not a topic of ours: {text[:80]!r}")
