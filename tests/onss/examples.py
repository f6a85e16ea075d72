"""Registrations of people who do not exist, and strategies for any that may be provisioned."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from ciao.registration import (
    Address,
    Coordinates,
    Direction,
    EnterpriseNumber,
    ForeignNumber,
    Registration,
)

ADDRESS = Address("1000", "Brussel", "Nergensstraat", "7")
AT = datetime(2026, 3, 2, 6, 2, 3, 456_000, timezone(timedelta(hours=1)))


def check97(digits: str) -> str:
    return f"{97 - int(digits) % 97:02d}"


def ssin(born: str, serial: int, century: str = "") -> str:
    """A number right by its check digits only. `born` is YYMMDD; `century` "2" from 2000."""
    nine = f"{born}{serial:03d}"
    return nine + check97(century + nine)


def enterprise(eight: str) -> EnterpriseNumber:
    return EnterpriseNumber(eight + check97(eight))


EXAMPLE = Registration(
    AT, ssin("700101", 1), enterprise("00000001"), "1Y1000NF9KCQZ", ADDRESS, Direction.IN
)

_offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.datetimes(
    min_value=datetime(2025, 5, 1), max_value=datetime(2099, 12, 31), timezones=_offsets
)
_dates = st.dates(min_value=datetime(1930, 1, 1).date(), max_value=datetime(2024, 12, 31).date())


@st.composite
def ssins(draw: st.DrawFn) -> str:
    born = draw(_dates)
    month = born.month + draw(st.sampled_from([0, 20, 40]))
    century = "2" if born.year >= 2000 else ""
    text = f"{born.year % 100:02d}{month:02d}{born.day:02d}"
    return ssin(text, draw(st.integers(1, 998)), century)


_letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
declarations = st.text(_letters, min_size=13, max_size=13)
_words = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40
)
companies = st.one_of(
    st.tuples(st.sampled_from("01"), st.integers(1, 9_999_999)).map(
        lambda pair: enterprise(f"{pair[0]}{pair[1]:07d}")
    ),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1, max_size=20).map(ForeignNumber),
)
_micro = 1_000_000
places = st.one_of(
    st.builds(Address, _words, _words, _words, _words, st.none() | _words),
    st.builds(
        Coordinates,
        st.integers(-180 * _micro, 180 * _micro).map(lambda n: f"{n / _micro:.6f}"),
        st.integers(-90 * _micro, 90 * _micro).map(lambda n: f"{n / _micro:.6f}"),
    ),
)
registrations = st.builds(
    Registration, moments, ssins(), companies, declarations, places, st.sampled_from(Direction)
)
