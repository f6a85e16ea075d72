"""What is wrong, since when and what to do, in plain words: a cause's, for `doctor`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, get_args

from ciao.causes import CAUSES, Cause
from ciao.entries import Affected
from ciao.moments import shown_text
from ciao.texts import N_

# A text of the catalogue, in a language.
Say = Callable[[str], str]

_MEANS: dict[Affected, tuple[str, str]] = {
    "register": ("registering", N_("stamps are taken")),
    "submit": ("submitting", N_("what is stamped goes on to the gateway")),
}
_PROVIDER = N_(
    "call the provider, keep the ticket: it goes to the evidence with 'ciao-gateway annotate'"
)
_BROKER = N_("look at the broker's machine: is mosquitto running, are its certificates good?")

# What happened, and what to do about it.
WORDS: dict[Cause, tuple[str, str]] = {
    "isp_upstream": (
        N_("the router answers and nobody beyond it does: the line is cut"),
        _PROVIDER,
    ),
    "mobile_operator": (N_("the mobile network does not carry us"), _PROVIDER),
    "dns_isp": (N_("the provider's name server fails, another one answers"), _PROVIDER),
    "mains_loss": (
        N_("the mains are out, or were when the terminal went off"),
        N_("look at the fuse first"),
    ),
    "power_loss_unexplained": (
        N_("the terminal lost its power"),
        N_("look at its plug and supply"),
    ),
    "undervoltage": (
        N_("the terminal's supply is too weak"),
        N_("give it a stronger supply or cable"),
    ),
    "clock_untrusted": (
        N_("the clock is not synchronised: stamps are held"),
        N_("let it reach a time server"),
    ),
    "unclassified": (
        N_("it does not work, and the probes don't tell why"),
        N_("see the probes with --json"),
    ),
    "battery_empty": (N_("the battery is flat"), N_("charge it, or find out why it is not")),
    "manual_power_off": (
        N_("the terminal was stopped in an orderly way"),
        N_("nothing, if it was you"),
    ),
    "reader_fault": (
        N_("the badge reader does not answer"),
        N_("plug the reader in; see 'reader' above"),
    ),
    "local_link_down": (
        N_("the cable is out, or the Wi-Fi is gone"),
        N_("plug the network cable in"),
    ),
    "lan_router_down": (N_("the router does not answer"), N_("look at the router: has it power?")),
    "dhcp_failed": (
        N_("the terminal got no address"),
        N_("look at the router: does it give addresses?"),
    ),
    "captive_portal": (
        N_("a log-in page stands between us and the network"),
        N_("sign the terminal in there"),
    ),
    "broker_down": (N_("the broker does not take our session"), _BROKER),
    "gateway_down": (
        N_("the gateway is not there, or does not answer"),
        N_("start 'ciao-gateway run'"),
    ),
    "onss_auth_rejected": (
        N_("the ONSS refuses our credential"),
        N_("see 'ciao-gateway onss check'"),
    ),
    "terminal_fault": (
        N_("the terminal itself failed: its program or its disk"),
        N_("see 'journal' above"),
    ),
    "onss_unavailable": (
        N_("the ONSS's service does not answer"),
        N_("nothing: stamps wait and go later"),
    ),
    "idp_unavailable": (
        N_("the ONSS gives out no access"),
        N_("tell the employer (Q43); stamps wait"),
    ),
}
assert set(WORDS) == set(CAUSES)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Of registering or submitting: whether it works, else why, since when and what to do."""

    part: str
    works: bool
    said: str
    advice: str = ""


def words_of(cause: str) -> tuple[str, str]:
    """Return what a cause means and what to do, as texts of the catalogue."""
    return {str(known): words for known, words in WORDS.items()}.get(cause, WORDS["unclassified"])


def diagnose(
    causes: Mapping[str, str], since: Mapping[str, str], maintenance: bool, say: Say = str
) -> list[Diagnosis]:
    """Say how registering and submitting are. `since` is in words, where it is known."""
    found = []
    for affected in get_args(Affected):
        part, works = _MEANS[affected]
        cause = causes.get(affected)
        if cause is None:
            found.append(Diagnosis(part, True, say(works)))
            continue
        said, advice = words_of(cause)
        text = N_("{cause} since {since}: {said}") if affected in since else N_("{cause}: {said}")
        told = say(text).format(cause=cause, since=since.get(affected, ""), said=say(said))
        found.append(Diagnosis(part, False, told, say(advice)))
    if maintenance:
        found.append(Diagnosis("maintenance", True, say(N_("somebody works on it, and said so"))))
    return found


def since(state: Mapping[str, Any], zone: tzinfo) -> dict[str, str]:
    """Read since when each outage is open, of the running terminal's state."""
    return {one["affected"]: shown_text(one["since"], zone) for one in state["outages"]}
