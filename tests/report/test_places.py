"""Where a terminal stood: each site of the period, none of before or after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from ciao.binding import Binding, Site, SiteAddress
from ciao.reading import rfc3339
from gateway.report.places import places_of
from tests.ciao import examples

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def bound(days: int, site: str, number: str = "1Y1000NF9KCQZ") -> Binding:
    """A binding from so many days after 1 March on."""
    first = examples.BINDING
    address = SiteAddress("1000", "Bruxelles", "Rue de l'Exemple", "1", "B")
    return replace(
        first,
        serial=first.serial + days,
        site=Site(name=site, address=address),
        declaration=replace(first.declaration, number=number),
        effective_from=rfc3339(MARCH + timedelta(days=days)),
    )


def names(*bindings: Binding) -> list[str]:
    found = places_of(bindings, examples.BINDING.terminal, MARCH, APRIL)
    return [place.name for place in found]


def test_each_site_of_the_period_is_named_in_its_order_and_no_other() -> None:
    assert names(bound(-9, "gone"), bound(-2, "hall"), bound(9, "annex"), bound(40, "later")) == [
        "hall",
        "annex",
    ]


def test_a_declaration_that_followed_another_at_a_site_stands_beside_it() -> None:
    moved = bound(3, "hall", "1Y1000003EQCZ")
    terminal = examples.BINDING.terminal
    (place,) = places_of([bound(-2, "hall"), moved], terminal, MARCH, APRIL)
    assert place.declarations == ("1Y1000NF9KCQZ", "1Y1000003EQCZ")
    assert place.address == "Rue de l'Exemple 1 / B, 1000 Bruxelles"


def test_a_terminal_that_was_not_bound_yet_is_where_it_was_to_stand() -> None:
    assert names(bound(40, "first"), bound(41, "newest")) == ["newest"]
    assert names() == []
