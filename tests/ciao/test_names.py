"""Names, origins and topics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import names
from ciao.errors import BadInput
from ciao.names import Origin

ids = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)


@pytest.mark.parametrize("text", ["a", "hall-3", "0", "a" * 32, "a-"])
def test_ids_that_are_allowed(text: str) -> None:
    assert names.terminal_id(text) == names.gateway_id(text) == text


@pytest.mark.parametrize(
    "text", ["", "-a", "A", "a_b", "a b", "a/b", "a+", "#", "a" * 33, "é", "a\n", "_gateway"]
)
def test_ids_that_are_not(text: str) -> None:
    for read in (names.terminal_id, names.gateway_id):
        with pytest.raises(BadInput):
            read(text)


def test_a_terminal_may_not_pass_for_a_gateway() -> None:
    with pytest.raises(BadInput) as refused:
        names.terminal_id("gateway-north")
    assert "gateway-" in refused.value.hint


@pytest.mark.parametrize("text", ["badges.example.be", "localhost", "a.b-c.d", "1.example"])
def test_domains_that_are_allowed(text: str) -> None:
    assert names.operator_domain(text) == text


@pytest.mark.parametrize(
    "text", ["", "Example.be", "a..b", ".a", "a.", "-a.be", "a-.be", "a/b", "a" * 121, "a.be\n"]
)
def test_domains_that_are_not(text: str) -> None:
    with pytest.raises(BadInput):
        names.operator_domain(text)


@given(ids, ids, st.from_regex(r"[0-9a-f]{16}", fullmatch=True))
def test_every_origin_of_a_terminal_or_a_gateway_is_read_back(
    terminal: str, gateway: str, segment: str
) -> None:
    for owner in (terminal, names.GATEWAY_PREFIX + gateway):
        origin = Origin("badges.example.be", owner, segment)
        assert Origin.parse(str(origin)) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "badges.example.be/ciao/hall-3",
        "badges.example.be/ciao/hall-3/0123456789ABCDEF",
        "badges.example.be/ciao/hall-3/0123456789abcde",
        "badges.example.be/caio/hall-3/0123456789abcdef",
        "badges.example.be/ciao/hall-3/0123456789abcdef/",
        "badges.example.be/ciao/Hall/0123456789abcdef",
        "/ciao/hall-3/0123456789abcdef",
        "badges.example.be/ciao/hall-3/0123456789abcdef\n",
    ],
)
def test_what_is_no_origin(text: str) -> None:
    with pytest.raises(ValueError, match="not an origin"):
        Origin.parse(text)


def test_the_longest_gateway_id_has_an_origin_too() -> None:
    origin = Origin("badges.example.be", names.GATEWAY_PREFIX + "n" * 32, "0123456789abcdef")
    assert Origin.parse(str(origin)) == origin


CHANNELS = ["journal", "receipt", "hint", "outcome", "binding", "roster", "online"]


@given(ids, st.sampled_from(CHANNELS))
def test_topics_come_apart_as_they_were_put_together(owner: str, channel: str) -> None:
    assert names.split_topic(names.topic(owner, channel)) == (owner, channel)
    assert names.split_topic(names.gateway_online(owner)) == ("_gateway", owner)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ciao/1/hall-3",
        "ciao/2/hall-3/journal",
        "ciao/1/Hall/journal",
        "ciao/1/hall-3/journal/x",
        "ciao/1/_gateway/north/offline",
        "ciao/1/_gateway//online",
        "ciao/1/_gateway/No/online",
        "ciao/1/+/online",
    ],
)
def test_what_is_no_topic_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match="not a topic"):
        names.split_topic(text)


def test_the_name_of_a_provisioning_key_names_its_employer_and_no_other_key_does() -> None:
    assert names.employer_of(names.provisioning_key_name("badges.example.be", "acme")) == "acme"
    assert names.employer_of(names.enrolled_key_name("badges.example.be", "hall-3")) is None
    assert names.employer_of("") is None
