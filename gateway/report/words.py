"""What the report calls things. Keys are English; `gateway/locale` has the rest. Pure."""

from __future__ import annotations

from collections.abc import Callable

from ciao.responsibility import Class

Say = Callable[[str], str]


def class_names(_: Say) -> dict[Class, str]:
    """Name what a minute can be."""
    return {
        Class.WORKED: _("It worked"),
        Class.THIRD_PARTY: _("Did not work: a third party (internet, phone, energy)"),
        Class.ONSS: _("Did not work: the ONSS's own service"),
        Class.EMPLOYER: _("Did not work: the employer's side"),
        Class.UNDETERMINED: _("Did not work: whose doing is not determined"),
        Class.NO_DATA: _("No data: nothing is known, which is not an outage"),
    }


def short_class_names(_: Say) -> dict[Class, str]:
    """Name the same for the head of a narrow column."""
    return {
        Class.WORKED: _("worked"),
        Class.THIRD_PARTY: _("third party"),
        Class.ONSS: _("ONSS"),
        Class.EMPLOYER: _("employer"),
        Class.UNDETERMINED: _("undetermined"),
        Class.NO_DATA: _("no data"),
    }


def cause_names(_: Say) -> dict[str, str]:
    """Say each cause (docs/protocol/causes.md) as a person would."""
    return {
        "isp_upstream": _("The internet line was dead beyond the building's router"),
        "mobile_operator": _("The mobile network did not carry"),
        "dns_isp": _("The provider's name service (DNS) did not answer"),
        "mains_loss": _("The mains power was gone"),
        "power_loss_unexplained": _("The terminal lost power; why is not known"),
        "undervoltage": _("The terminal's supply voltage was too low"),
        "clock_untrusted": _("The terminal's clock could not be trusted"),
        "unclassified": _("It did not work; the probes do not tell why"),
        "battery_empty": _("The battery was empty"),
        "manual_power_off": _("The terminal was switched off"),
        "reader_fault": _("The badge reader did not work"),
        "local_link_down": _("The network cable or the wireless link was down"),
        "lan_router_down": _("The building's router did not answer"),
        "dhcp_failed": _("The building's network gave the terminal no address"),
        "captive_portal": _("A login page stood before the internet"),
        "broker_down": _("The message broker did not answer"),
        "gateway_down": _("The gateway did not work"),
        "onss_auth_rejected": _("The ONSS refused the employer's credentials"),
        "terminal_fault": _("The terminal itself failed"),
        "onss_unavailable": _("The ONSS's service did not answer, while the internet did"),
        "idp_unavailable": _("The ONSS's login service did not answer"),
        "maintenance": _("Somebody was working on the terminal"),
    }


def grade_names(_: Say) -> dict[str, str]:
    """Say how strongly something is proven."""
    return {
        "A": _("A: a third party's document, and a gap that somebody outside witnessed"),
        "B": _("B: a gap that somebody outside witnessed, and a second point of view"),
        "C": _("C: the word of the terminal and of the employer's own gateway alone"),
    }


def affected_names(_: Say) -> dict[str, str]:
    """Say what did not work."""
    return {
        "register": _("Registering: nobody could make a stamp"),
        "submit": _("Submitting: stamps were kept, and handed on later"),
    }


def corroboration_names(_: Say) -> dict[str, str]:
    """Say what speaks for a cause beside the terminal's own word."""
    return {
        "document": _("a document of a third party"),
        "neighbours": _("other sites at the same time"),
        "vantage": _("a second point of view"),
    }
