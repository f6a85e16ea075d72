"""What failed, and what that stops: probe results in, a cause for each thing affected out. Pure.

One ordered table, first match; `docs/protocol/causes.md` is the same in words. It is recomputable:
whoever holds an outage's entry finds its cause again from its `probes`. Where the probes don't
tell, the cause is `unclassified`, and nobody is named. What is proposed for each cause is data
here too (Q20, Q42-45); it is a proposal, never a legal decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ciao.entries import Affected

Cause = Literal[
    "isp_upstream",
    "mobile_operator",
    "dns_isp",
    "mains_loss",
    "power_loss_unexplained",
    "undervoltage",
    "clock_untrusted",
    "unclassified",
    "battery_empty",
    "manual_power_off",
    "reader_fault",
    "local_link_down",
    "lan_router_down",
    "dhcp_failed",
    "captive_portal",
    "broker_down",
    "gateway_down",
    "onss_auth_rejected",
    "terminal_fault",
    "onss_unavailable",
    "idp_unavailable",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)

Party = Literal["third_party", "onss", "employer", "undetermined"]
Corroboration = Literal["document", "neighbours", "vantage"]

OK = "ok"
UNKNOWN = "unknown"
ANCHOR = "anchor-"
# Fewer anchors than this, all silent, may be their own fault (EVIDENCE: three, different networks).
ANCHORS_MIN = 3
# What an outside service is accused on: so many anchors answer.
ANCHORS_WELL = 2

_REACHED = (OK, "name", "timeout", "refused", "unreachable")
_ANSWERED = (OK, "name", "timeout", "refused", "unreachable", "tls", "error", "denied")

# Each probe, and all that it can say. A word that isn't here, or none, is `unknown`.
PROBES: dict[str, tuple[str, ...]] = {
    "stop": ("clean", "unclean"),
    "machine": ("same", "restarted"),
    "watchdog": (OK, "bit"),
    "battery": (OK, "empty"),
    "mains": (OK, "lost"),
    "voltage": (OK, "low"),
    "disk": (OK, "full", "fault"),
    "reader": (OK, "fault"),
    "medium": ("wired", "wireless", "mobile"),
    "link": (OK, "down", "absent"),
    "address": (OK, "none", "self_assigned"),
    "router": (OK, "none", "unreachable"),
    "portal": (OK, "shown", "timeout"),
    "anchors": (OK, "one", "refused", "few", "none"),
    "dns-provider": (OK, "timeout", "refused", "failed"),
    "dns-second": (OK, "timeout", "refused", "failed"),
    "broker": (*_REACHED, "tls"),
    "mqtt": (OK, "down", "refused"),
    "gateway": (OK, "offline", "silent"),
    "gateway-stop": ("clean", "unclean"),
    "terminals": ("one", "many"),
    "onss-dns": (OK, "timeout", "failed"),
    "onss-tcp": _REACHED,
    "onss-tls": (OK, "failed"),
    "onss-token": _ANSWERED,
    "onss-http": _ANSWERED,
    "clock": (OK, "unsynced"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Where each named probe says one of these, this is the cause; None: it works."""

    cause: Cause | None
    affected: Affected
    when: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Whose a cause is proposed to be: on its own, and where one of `by` corroborates it.

    `document`: a third party's (a ticket, a notice); `neighbours`: other sites at the same time;
    `vantage`: a second point of view saw it too (the gateway, a UPS).
    """

    alone: Party
    corroborated: Party
    by: tuple[Corroboration, ...]
    questions: tuple[int, ...]


def _is(*values: str) -> frozenset[str]:
    return frozenset(values)


def _fails(probe: str) -> frozenset[str]:
    return frozenset(PROBES[probe]) - {OK}


def _not_failing(*probes: str) -> dict[str, frozenset[str]]:
    return {probe: _is(OK, UNKNOWN) for probe in probes}


def _register(cause: Cause | None, **when: frozenset[str]) -> Rule:
    return Rule(cause, "register", when)


def _submit(cause: Cause | None, when: Mapping[str, frozenset[str]]) -> Rule:
    return Rule(cause, "submit", when)


_STOPPED = frozenset(PROBES["stop"])
_UNCLEAN, _RESTARTED = _is("unclean"), _is("restarted")
_LINE_WORKS = _is(OK, "one")
_ONSS = ("onss-dns", "onss-tcp", "onss-tls", "onss-token", "onss-http")
# What submitting is: while all of these work, nothing else matters.
_DECISIVE = ("broker", "mqtt", "gateway", *_ONSS, "clock")
# What goes with the mains, or with the mobile network, when they go.
_ON_THE_WAY: tuple[Mapping[str, frozenset[str]], ...] = (
    {"link": _is("down")},
    {"address": _fails("address")},
    {"router": _fails("router")},
    {"anchors": _is("none")},
)

TABLE: tuple[Rule, ...] = (
    # The silence before a start, seen at the start.
    _register("terminal_fault", stop=_UNCLEAN, machine=_is("same")),
    _register("terminal_fault", stop=_UNCLEAN, watchdog=_is("bit")),
    _register("mains_loss", stop=_STOPPED, machine=_RESTARTED, mains=_is("lost")),
    _register("battery_empty", stop=_STOPPED, machine=_RESTARTED, battery=_is("empty")),
    _register("manual_power_off", stop=_is("clean")),
    _register("undervoltage", stop=_UNCLEAN, machine=_RESTARTED, voltage=_is("low")),
    _register("power_loss_unexplained", stop=_UNCLEAN, machine=_RESTARTED),
    _register("unclassified", stop=_STOPPED),
    # Nobody can stamp.
    _register("undervoltage", voltage=_is("low"), disk=_is("fault")),
    _register("undervoltage", voltage=_is("low"), reader=_is("fault")),
    _register("terminal_fault", disk=_fails("disk")),
    _register("reader_fault", reader=_fails("reader")),
    # A gateway on terminals that fell silent: many at once, and its line works, is its own side.
    _submit("broker_down", {"terminals": _is("many"), "anchors": _is(OK)}),
    _submit("unclassified", {"terminals": frozenset(PROBES["terminals"])}),
    # Nothing can be submitted.
    _submit("gateway_down", {"gateway-stop": frozenset(PROBES["gateway-stop"])}),
    _submit(None, _not_failing(*_DECISIVE)),
    # A session that is up needs no name; whether it is up is known where the line works.
    _submit(
        None,
        {
            **_not_failing(*_DECISIVE),
            "broker": _is("name"),
            "mqtt": _is(OK),
            "gateway": _is(OK),
            "anchors": _is(OK, "one", UNKNOWN),
        },
    ),
    *(_submit("mains_loss", {"mains": _is("lost"), **part}) for part in _ON_THE_WAY),
    *(_submit("mobile_operator", {"medium": _is("mobile"), **part}) for part in _ON_THE_WAY),
    _submit("local_link_down", {"link": _fails("link")}),
    _submit("dhcp_failed", {"address": _fails("address")}),
    _submit("dhcp_failed", {"router": _is("none")}),
    _submit("lan_router_down", {"router": _is("unreachable")}),
    _submit("captive_portal", {"portal": _is("shown")}),
    _submit("isp_upstream", {"router": _is(OK), "anchors": _is("none")}),
    _submit("unclassified", {"anchors": _is("none", "few", "refused")}),
    *(
        _submit("dns_isp", {"dns-provider": _fails("dns-provider"), "dns-second": _is(OK), **name})
        for name in ({"broker": _is("name")}, {"onss-dns": _fails("onss-dns")})
    ),
    *(
        _submit("unclassified", {"dns-provider": _fails("dns-provider"), **name})
        for name in ({"broker": _is("name")}, {"onss-dns": _fails("onss-dns")})
    ),
    _submit("clock_untrusted", {"clock": _is("unsynced"), "broker": _is("tls")}),
    _submit("clock_untrusted", {"clock": _is("unsynced"), "onss-tls": _is("failed")}),
    _submit("broker_down", {"broker": _is("refused", "tls")}),
    _submit("broker_down", {"broker": _fails("broker"), "anchors": _LINE_WORKS}),
    _submit("broker_down", {"broker": _is(OK), "mqtt": _fails("mqtt")}),
    _submit("broker_down", {"mqtt": _is("refused")}),
    _submit("gateway_down", {"gateway": _fails("gateway"), **_not_failing("broker", "mqtt")}),
    *(_submit("onss_auth_rejected", {probe: _is("denied")}) for probe in _ONSS[-2:]),
    *(
        _submit("onss_unavailable", {probe: _fails(probe), "anchors": _is(OK)})
        for probe in ("onss-dns", "onss-tcp", "onss-tls", "onss-http")
    ),
    _submit("idp_unavailable", {"onss-token": _fails("onss-token"), "anchors": _is(OK)}),
    _submit(
        "clock_untrusted",
        {"clock": _is("unsynced"), **_not_failing("broker", "mqtt", "gateway", *_ONSS)},
    ),
    _submit("unclassified", {}),
)

_NOBODY = Proposal("undetermined", "undetermined", (), ())
_LINE = Proposal("undetermined", "third_party", ("document", "neighbours", "vantage"), (20, 45))
_EMPLOYER = Proposal("employer", "employer", (), (42,))
_FLAT = Proposal("employer", "employer", (), (20, 42))

PROPOSALS: dict[Cause, Proposal] = {
    "isp_upstream": _LINE,
    "mobile_operator": _LINE,
    "dns_isp": _LINE,
    # A UPS says that the mains went, not whose fuse it was.
    "mains_loss": Proposal("undetermined", "third_party", ("document", "neighbours"), (20, 45)),
    "power_loss_unexplained": _NOBODY,
    "undervoltage": _NOBODY,
    "clock_untrusted": _NOBODY,
    "unclassified": _NOBODY,
    "battery_empty": _FLAT,
    "manual_power_off": _FLAT,
    "reader_fault": _EMPLOYER,
    "local_link_down": _EMPLOYER,
    "lan_router_down": _EMPLOYER,
    "dhcp_failed": _EMPLOYER,
    "captive_portal": _EMPLOYER,
    "broker_down": _EMPLOYER,
    "gateway_down": _EMPLOYER,
    "onss_auth_rejected": _EMPLOYER,
    "terminal_fault": _EMPLOYER,
    "onss_unavailable": Proposal("onss", "onss", (), (44,)),
    "idp_unavailable": Proposal("undetermined", "undetermined", (), (43,)),
}


def classify(probes: Mapping[str, str], table: Sequence[Rule] = TABLE) -> dict[Affected, Cause]:
    """Return what does not work, each with its cause; what works is absent. Never fails."""
    said = {probe: _said(probes, probe) for probe in PROBES}
    found: dict[Affected, Cause | None] = {}
    for rule in table:
        if rule.affected not in found and _matches(rule, said):
            found[rule.affected] = rule.cause
    return {affected: cause for affected, cause in found.items() if cause is not None}


def _said(probes: Mapping[str, str], probe: str) -> str:
    if probe == "anchors":
        return _anchors([said for name, said in probes.items() if name.startswith(ANCHOR)])
    said = probes.get(probe, UNKNOWN)
    return said if said in PROBES[probe] else UNKNOWN


def _anchors(said: list[str]) -> str:
    """Say what the anchors say together; `few`: none answered, but too few to blame the line."""
    asked = [word for word in said if word in _REACHED]
    well = asked.count(OK)
    if not asked:
        return UNKNOWN
    if well >= ANCHORS_WELL:
        return OK
    if well:
        return "one"
    if "refused" in asked:
        # Something on the way answers in their place.
        return "refused"
    return "none" if len(asked) >= ANCHORS_MIN else "few"


def _matches(rule: Rule, said: Mapping[str, str]) -> bool:
    return all(said[probe] in values for probe, values in rule.when.items())
