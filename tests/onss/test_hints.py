"""What the service writes is read by hints: they choose words, and never a state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.onss.cases import Act, Case
from gateway.onss.decisions import decide
from gateway.onss.hints import hinted, remarked
from gateway.onss.mapping import item
from gateway.onss.reasons import Reason
from gateway.onss.texts import CASES, REASONS
from tests.onss.examples import EXAMPLE, registrations
from tests.onss.test_decisions import items

SAID: list[tuple[Any, Reason | None]] = [
    ({"code": "WORKER_NOT_DECLARED"}, Reason.NOT_DECLARED),
    ("No Dimona was found for this person", Reason.NOT_DECLARED),
    ("Le travailleur n'est pas déclaré", Reason.NOT_DECLARED),
    ("De werknemer is niet aangegeven", Reason.NOT_DECLARED),
    ({"message": {"en": "The declaration of works is not active"}}, Reason.NOT_ACTIVE),
    ("declaration-not-active", Reason.NOT_ACTIVE),
    ("La déclaration de travaux a été clôturée", Reason.NOT_ACTIVE),
    ("De werkmelding is afgesloten", Reason.NOT_ACTIVE),
    ([{"type": "companyNotInChain"}], Reason.NOT_IN_CHAIN),
    ("L'entreprise ne figure pas dans la chaîne", Reason.NOT_IN_CHAIN),
    ("Onderneming niet gekend als onderaannemer", Reason.NOT_IN_CHAIN),
    ({"reason": "DUPLICATE"}, Reason.TWICE),
    ("This presence is already registered", Reason.TWICE),
    ("registrationDate is too far: too late", Reason.TOO_LATE),
    ("Te laat", Reason.TOO_LATE),
    ("something nobody has seen", None),
    ({}, None),
    (None, None),
    (42, None),
]


@pytest.mark.parametrize(("raw", "reason"), SAID)
def test_known_words_are_recognised_and_others_stay_open(raw: Any, reason: Reason | None) -> None:
    assert hinted(raw) is reason
    assert remarked([raw]) is (reason or Reason.REMARK)
    (verdict,) = decide(items({"notCreatedPresenceRegistration": raw or {}}), 1)
    assert verdict.case in (Case.NOT_CREATED, Case.ITEM_UNCLEAR)
    if verdict.case is Case.NOT_CREATED:
        assert (verdict.act, verdict.reason) == (Act.REJECTED, reason or Reason.OTHER)


def test_an_item_that_is_echoed_gives_no_hint() -> None:
    echoed = item(EXAMPLE)
    echoed["placeOfWork"]["address"]["streetName"] = "Dimonalaan, in de keten, te laat"
    assert hinted({"item": echoed}) is None


@given(registrations)
def test_no_registration_of_ours_gives_a_hint(registration: Any) -> None:
    assert hinted(item(registration)) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_whatever_is_written_it_is_read_to_one_code_or_none(raw: Any) -> None:
    assert hinted(raw) is None or hinted(raw) in Reason


def test_a_deep_or_long_answer_is_read_within_limits() -> None:
    deep: Any = "dimona"
    for _ in range(10_000):
        deep = [deep]
    assert hinted(deep) is None
    assert hinted(["x" * 1_000_000, "dimona"]) is None


def test_every_case_and_every_reason_has_words() -> None:
    assert set(CASES) == set(Case) and set(REASONS) == set(Reason)
