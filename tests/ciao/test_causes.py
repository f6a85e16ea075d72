"""From probes to causes: the ladder, and what is proposed of each cause."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.causes import CAUSES, OK, PROBES, PROPOSALS, TABLE, UNKNOWN, Rule, classify
from ciao.entries import Affected
from tests.ciao import causes_page

ANCHORS_OK = {"anchor-1": "ok", "anchor-2": "ok", "anchor-3": "timeout"}
ANCHORS_NONE = {"anchor-1": "timeout", "anchor-2": "unreachable", "anchor-3": "timeout"}
LOST = {"broker": "timeout", "mqtt": "down", "gateway": "offline"}
_READINGS = {
    "ok": ANCHORS_OK,
    "one": {"anchor-1": "ok", "anchor-2": "timeout", "anchor-3": "timeout"},
    "refused": {"anchor-1": "refused", "anchor-2": "timeout", "anchor-3": "timeout"},
    "few": {"anchor-1": "timeout"},
    "none": ANCHORS_NONE,
    UNKNOWN: {},
}

any_probes = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.sampled_from(words) for name, words in PROBES.items()},
        **{f"anchor-{n}": st.sampled_from(("ok", "timeout", "refused")) for n in range(1, 5)},
    },
)
# What fails on the way counts where it stops something, and what else is known decides the rest.
_CONTEXTS: tuple[dict[str, str], ...] = (
    {},
    {"mqtt": "down"},
    {"mqtt": "down", "broker": "refused"},
    {**LOST, **ANCHORS_OK},
)


def seen(rule: Rule) -> list[dict[str, str]]:
    """Every way in which a rule's own probes can say what it asks for, and nothing else said."""
    ways = []
    for words in itertools.product(*(sorted(values) for values in rule.when.values())):
        way: dict[str, str] = {}
        for probe, word in zip(rule.when, words, strict=True):
            if probe == "anchors":
                way.update(_READINGS[word])
            elif word != UNKNOWN:
                way[probe] = word
        ways.append(way)
    return ways


@pytest.mark.parametrize("number", range(len(TABLE)), ids=lambda n: f"{n + 1}-{TABLE[n].cause}")
def test_every_line_of_the_ladder_counts(number: int) -> None:
    without = (*TABLE[:number], *TABLE[number + 1 :])
    ways = ({**context, **way} for way in seen(TABLE[number]) for context in _CONTEXTS)
    assert any(classify(way) != classify(way, without) for way in ways)


def test_every_cause_is_reached_and_has_a_proposal() -> None:
    assert {rule.cause for rule in TABLE} - {None} == set(CAUSES) == set(PROPOSALS)


@given(any_probes)
def test_probes_of_any_kind_have_at_most_one_cause_for_each_thing_affected(probes: Any) -> None:
    causes = classify(probes)
    assert set(causes) <= set(get_args(Affected)) and set(causes.values()) <= set(CAUSES)


@given(any_probes)
def test_while_session_gateway_onss_and_clock_work_nothing_else_is_an_outage(probes: Any) -> None:
    decisive = ("broker", "mqtt", "gateway", "clock", *(n for n in PROBES if n.startswith("onss")))
    works = {**probes, **dict.fromkeys(decisive, OK)}
    works.pop("gateway-stop", None)
    # A gateway's word on a terminal, not on itself.
    works.pop("terminals", None)
    assert "submit" not in classify(works)


@given(any_probes, st.sampled_from(sorted(PROBES)), st.text(max_size=8))
def test_a_word_that_no_probe_says_is_unknown_and_never_an_accusation(
    probes: Any, probe: str, word: str
) -> None:
    if word not in PROBES[probe]:
        without = {name: said for name, said in probes.items() if name != probe}
        assert classify({**without, probe: word}) == classify(without)


def test_no_probe_at_all_is_no_outage() -> None:
    assert classify({}) == {}


@pytest.mark.parametrize(
    ("probes", "cause"),
    [
        # A session that is down, and nothing else asked: nobody is named.
        (LOST, "unclassified"),
        ({**LOST, **ANCHORS_NONE}, "unclassified"),
        ({**LOST, "router": "ok", "anchor-1": "timeout"}, "unclassified"),
        ({**LOST, "router": "ok", **ANCHORS_NONE}, "isp_upstream"),
        # The first failure names the cause: what lies behind it can't be seen.
        ({**LOST, **ANCHORS_NONE, "link": "down", "address": "none"}, "local_link_down"),
        ({**LOST, **ANCHORS_NONE, "router": "unreachable"}, "lan_router_down"),
        ({**LOST, **ANCHORS_NONE, "router": "ok", "portal": "shown"}, "captive_portal"),
        ({**LOST, **ANCHORS_NONE, "router": "unreachable", "mains": "lost"}, "mains_loss"),
        ({**LOST, **ANCHORS_NONE, "router": "ok", "clock": "unsynced"}, "isp_upstream"),
        # Our own broker is to blame only where the line is known to work.
        ({**LOST, **ANCHORS_OK}, "broker_down"),
        ({**LOST, "broker": "refused"}, "broker_down"),
        ({"broker": "tls", "clock": "unsynced", "mqtt": "down"}, "clock_untrusted"),
        # DNS is to blame only where it was needed.
        ({**LOST, **ANCHORS_OK, "dns-provider": "timeout", "dns-second": "ok"}, "broker_down"),
        (
            {**LOST, **ANCHORS_OK, "broker": "name", "dns-provider": "failed", "dns-second": "ok"},
            "dns_isp",
        ),
        ({**LOST, "broker": "name", "dns-provider": "failed"}, "unclassified"),
        # The ONSS is to blame only where two anchors answer.
        ({"onss-http": "error", **ANCHORS_OK}, "onss_unavailable"),
        ({"onss-http": "error", **_READINGS["one"]}, "unclassified"),
        ({"onss-http": "denied"}, "onss_auth_rejected"),
        ({"onss-token": "timeout", **ANCHORS_OK}, "idp_unavailable"),
        ({"onss-tcp": "timeout", "router": "ok", **ANCHORS_NONE}, "isp_upstream"),
    ],
)
def test_who_is_named_for_what_can_not_be_submitted(probes: dict[str, str], cause: str) -> None:
    assert classify(probes) == {"submit": cause}


@pytest.mark.parametrize(
    ("probes", "cause"),
    [
        ({"stop": "clean", "machine": "same"}, "manual_power_off"),
        ({"stop": "unclean", "machine": "same"}, "terminal_fault"),
        ({"stop": "unclean", "machine": "restarted"}, "power_loss_unexplained"),
        ({"stop": "unclean", "machine": "restarted", "mains": "lost"}, "mains_loss"),
        # The UPS had the machine shut down in order.
        ({"stop": "clean", "machine": "restarted", "mains": "lost"}, "mains_loss"),
        # Somebody stopped the program while the mains happened to be out.
        ({"stop": "clean", "machine": "same", "mains": "lost"}, "manual_power_off"),
    ],
)
def test_who_is_named_for_a_silence(probes: dict[str, str], cause: str) -> None:
    assert classify(probes) == {"register": cause}


def test_registering_and_submitting_are_told_apart() -> None:
    probes = {**LOST, "link": "down", "reader": "fault"}
    assert classify(probes) == {"register": "reader_fault", "submit": "local_link_down"}


def test_a_flat_or_stopped_terminal_is_never_a_third_partys() -> None:
    for cause in ("battery_empty", "manual_power_off", "terminal_fault", "reader_fault"):
        assert PROPOSALS[cause].corroborated == "employer"  # type: ignore[index]


def test_nobodys_fault_is_a_third_partys_without_corroboration() -> None:
    assert all(proposal.alone != "third_party" for proposal in PROPOSALS.values())
    assert all(bool(p.by) == (p.alone != p.corroborated) for p in PROPOSALS.values())


def test_the_page_has_the_tables_of_the_code() -> None:
    page = causes_page.PAGE.read_text(encoding="utf-8")
    again = "run python -m tests.ciao.causes_page"
    assert causes_page.rewritten(page) == page, again
