"""What `[probes]` may say: what can't be used is said in a line, and the rest is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.reaching.endpoint import Endpoint
from hardware.probes.settings import Portal, ProbeSettings, Ups, targets

BROKER = Endpoint("mqtt.example.be", 8883)
GOOD = ("192.0.2.1:443", "198.51.100.1:443", "[2001:db8::1]:443")


def test_nobody_outside_is_asked_unless_he_is_named() -> None:
    made, complaints = targets(ProbeSettings(), BROKER)
    assert (made.anchors, made.dns, made.portal, made.ups, complaints) == ((), "", None, None, [])


def test_good_settings_are_taken_as_they_are() -> None:
    portal, ups = "http://portal.example/204?x=1", "rack@127.0.0.1"
    settings = ProbeSettings(GOOD, "203.0.113.53", portal, "eth0", ups)
    made, complaints = targets(settings, BROKER)
    assert complaints == []
    assert [str(anchor) for anchor in made.anchors] == list(GOOD)
    assert made.portal == Portal("portal.example", 80, "/204?x=1")
    assert made.ups == Ups("rack", Endpoint("127.0.0.1", 3493))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"anchors": (*GOOD, "example.com:443")}, "'example.com:443', which is left out"),
        ({"anchors": (*GOOD, "192.0.2.1")}, "'192.0.2.1', which is left out"),
        ({"anchors": (*GOOD, "192.0.2.300:443")}, "which is left out"),
        ({"anchors": (*GOOD, "192.0.2.1:70000")}, "which is left out"),
        ({"anchors": GOOD[:2]}, "reach 2 networks"),
        ({"anchors": ("192.0.2.1:1", "192.0.2.2:1", "192.0.3.1:1")}, "reach 1 networks"),
        ({"dns": "dns.example"}, "'probes.dns'"),
        ({"portal": "https://portal.example/"}, "'probes.portal'"),
        ({"portal": "http://[::1/"}, "'probes.portal'"),
        ({"ups": "rack"}, "'probes.ups'"),
        ({"every_s": 0}, "1 is taken"),
        ({"limit_s": 60.0}, "5.0 is taken"),
        ({"interface": "../../etc"}, "'probes.interface'"),
    ],
)
def test_what_can_not_be_used_is_said_in_one_line_and_left_out(
    changes: dict[str, object], said: str
) -> None:
    made, complaints = targets(ProbeSettings(**changes), BROKER)  # type: ignore[arg-type]
    (complaint,) = complaints
    assert said in complaint and "\n" not in complaint
    assert set(map(str, made.anchors)) <= set(GOOD) | {"192.0.2.2:1", "192.0.3.1:1", "192.0.2.1:1"}


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_setting_stops_a_terminal(anchor: str, dns: str, portal: str, ups: str) -> None:
    made, _ = targets(ProbeSettings((anchor,), dns, portal, "", ups), BROKER)
    assert made.broker == BROKER


def test_a_broker_on_this_machine_has_no_link_to_be_looked_at() -> None:
    for host, outside in (("127.0.0.1", False), ("localhost", False), ("192.0.2.7", True)):
        made, _ = targets(ProbeSettings(), Endpoint(host, 1883))
        assert made.leads_outside is outside
