"""An outage's cause in plain words, and what to do about it. Pure; a table.

Of a terminal as `ciao-terminal doctor` would say it on the spot; of the gateway itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import click

from ciao.listing import Outage
from ciao.moments import shown, shown_text
from ciao.reading import parse_rfc3339
from gateway.status import ago

# Each cause: what is wrong, what to do.
WORDS: dict[str, tuple[str, str]] = {
    "isp_upstream": (
        "the line is up, and nothing outside answers",
        "ask the provider for a ticket, and keep it: ciao-gateway annotate",
    ),
    "mobile_operator": (
        "the mobile network leads nowhere",
        "ask the operator for a ticket, and keep it: ciao-gateway annotate",
    ),
    "dns_isp": (
        "the provider's name server does not answer, another one does",
        "ask the provider for a ticket; until then set another resolver",
    ),
    "mains_loss": (
        "the mains are gone",
        "keep the supplier's notice: ciao-gateway annotate",
    ),
    "power_loss_unexplained": (
        "it stopped without being asked to",
        "look at its power supply",
    ),
    "undervoltage": ("its power supply is too weak", "give it the power supply it needs"),
    "clock_untrusted": (
        "its clock is not synchronised",
        "let it reach a time server, or set under [clock] how far off it may be: assured_error_ms",
    ),
    "unclassified": (
        "what was seen does not tell why",
        "look at its probes: ciao-gateway outages --json",
    ),
    "battery_empty": ("its battery is empty", "charge it, or find out why the mains were gone"),
    "manual_power_off": ("it was switched off", "switch it on"),
    "reader_fault": ("a badge reader does not work", "look at the reader and its cable"),
    "local_link_down": ("its network cable or radio is down", "look at cable and switch"),
    "lan_router_down": ("the router does not answer", "look at the router"),
    "dhcp_failed": ("it has no address or no way out", "look at the router's DHCP"),
    "captive_portal": ("a login page stands in between", "log in there, or use another network"),
    "broker_down": (
        "the broker can't be reached, or takes nobody",
        "look at the broker: mosquitto, its certificates, its disk",
    ),
    "gateway_down": (
        "the gateway did not run, or gave no receipts",
        "look at its log: ciao-gateway run",
    ),
    "onss_auth_rejected": (
        "the ONSS refuses a credential",
        "ciao-gateway onss check says which; renew it with the ONSS",
    ),
    "terminal_fault": ("its disk or its program failed", "ciao-terminal doctor, on the spot"),
    "onss_unavailable": (
        "the ONSS does not answer, and others outside do",
        "wait: stamps are kept and sent when it is back",
    ),
    "idp_unavailable": (
        "the ONSS gives out no access tokens",
        "wait, and tell the employer (Q43): stamps are kept and sent when it is back",
    ),
}
_SILENT = ("is silent", "look whether it has power and network: ciao-terminal doctor, on the spot")
# So long without a heartbeat, and the gateway does not run, or can't write.
STALE_S = 180


def advised(one: Outage) -> tuple[str, str]:
    """Return what is wrong, and what to do, of one outage."""
    if one.seen_by.startswith("gateway-") and one.terminal:
        return _SILENT
    return WORDS.get(one.cause, WORDS["unclassified"])


def _just_started(one: Outage, what: str, now: datetime) -> str:
    """Whoever came back told of the time before; of how it is now it has not said anything."""
    assert one.started is not None
    when = ago(round(parse_rfc3339(one.started).timestamp() * 1000), now)
    began = click.style(f"{_who(one)}: started {when}, how it is now is not known yet", fg="yellow")
    since = shown_text(one.pieces[-1].begun)
    return f"{began}; before that {what}, since {since} ({one.cause})"


def _who(one: Outage) -> str:
    return one.terminal or ("The gateway" + (f", for {one.employer}" if one.employer else ""))


def wrong(outages: Iterable[Outage], beat_at: datetime | None, now: datetime) -> Iterator[str]:
    """Write what is wrong now, since when, and what to do; nothing where all is well."""
    if beat_at is not None and (now - beat_at).total_seconds() > STALE_S:
        since = shown(beat_at)
        yield click.style(f"The gateway's journal stands still since {since}: ", fg="red") + (
            "it does not run, or can't write"
        )
        yield "  → start it with ciao-gateway run, or look at its disk"
    for one in outages:
        if one.ended is not None:
            continue
        what, advice = advised(one)
        if one.started is not None:
            yield _just_started(one, what, now)
            continue
        since = shown_text(one.begun)
        does = "nobody can stamp" if one.affected == "register" else "nothing is handed on"
        yield (
            click.style(f"{_who(one)}: {what}", fg="red") + f", since {since}; {does} ({one.cause})"
        )
        yield f"  → {advice}"
