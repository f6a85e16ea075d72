"""What is wrong, since when and what to do, in plain words: a cause's, for `doctor`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, get_args

from ciao.causes import CAUSES, Cause
from ciao.entries import Affected
from ciao.moments import shown_text

_MEANS: dict[Affected, tuple[str, str]] = {
    "register": ("registering", "stamps are taken"),
    "submit": ("submitting", "what is stamped goes on to the gateway"),
}
_PROVIDER = (
    "call the provider, keep the ticket: it goes to the evidence with 'ciao-gateway annotate'"
)
_BROKER = "look at the broker's machine: is mosquitto running, are its certificates good?"

# What happened, and what to do about it.
WORDS: dict[Cause, tuple[str, str]] = {
    "isp_upstream": ("the router answers and nobody beyond it does: the line is cut", _PROVIDER),
    "mobile_operator": ("the mobile network does not carry us", _PROVIDER),
    "dns_isp": ("the provider's name server fails, another one answers", _PROVIDER),
    "mains_loss": (
        "the mains are out, or were when the terminal went off",
        "look at the fuse first",
    ),
    "power_loss_unexplained": ("the terminal lost its power", "look at its plug and supply"),
    "undervoltage": ("the terminal's supply is too weak", "give it a stronger supply or cable"),
    "clock_untrusted": (
        "the clock is not synchronised: stamps are held",
        "let it reach a time server",
    ),
    "unclassified": (
        "it does not work, and the probes don't tell why",
        "see the probes with --json",
    ),
    "battery_empty": ("the battery is flat", "charge it, or find out why it is not"),
    "manual_power_off": ("the terminal was stopped in an orderly way", "nothing, if it was you"),
    "reader_fault": ("the badge reader does not answer", "plug the reader in; see 'reader' above"),
    "local_link_down": ("the cable is out, or the Wi-Fi is gone", "plug the network cable in"),
    "lan_router_down": ("the router does not answer", "look at the router: has it power?"),
    "dhcp_failed": ("the terminal got no address", "look at the router: does it give addresses?"),
    "captive_portal": (
        "a log-in page stands between us and the network",
        "sign the terminal in there",
    ),
    "broker_down": ("the broker does not take our session", _BROKER),
    "gateway_down": ("the gateway is not there, or does not answer", "start 'ciao-gateway run'"),
    "onss_auth_rejected": ("the ONSS refuses our credential", "see 'ciao-gateway onss check'"),
    "terminal_fault": (
        "the terminal itself failed: its program or its disk",
        "see 'journal' above",
    ),
    "onss_unavailable": ("the ONSS's service does not answer", "nothing: stamps wait and go later"),
    "idp_unavailable": ("the ONSS gives out no access", "tell the employer (Q43); stamps wait"),
}
assert set(WORDS) == set(CAUSES)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Of registering or submitting: whether it works, else why, since when and what to do."""

    part: str
    works: bool
    said: str
    advice: str = ""


def diagnose(
    causes: Mapping[str, str], since: Mapping[str, str], maintenance: bool
) -> list[Diagnosis]:
    """Say how registering and submitting are. `since` is in words, where it is known."""
    found = []
    for affected in get_args(Affected):
        part, works = _MEANS[affected]
        cause = causes.get(affected)
        if cause is None:
            found.append(Diagnosis(part, True, works))
            continue
        said, advice = WORDS.get(cause, WORDS["unclassified"])  # type: ignore[call-overload]
        when = f" since {since[affected]}" if affected in since else ""
        found.append(Diagnosis(part, False, f"{cause}{when}: {said}", advice))
    if maintenance:
        found.append(Diagnosis("maintenance", True, "somebody works on it, and said so"))
    return found


def since(state: Mapping[str, Any], zone: tzinfo) -> dict[str, str]:
    """Read since when each outage is open, of the running terminal's state."""
    return {one["affected"]: shown_text(one["since"], zone) for one in state["outages"]}
