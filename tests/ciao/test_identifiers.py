"""The numbers people type. Every NISS here is made up: only its check digits are right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao import identifiers
from ciao.errors import BadInput
from ciao.identifiers import DeclarationNumber
from ciao.registration import EnterpriseNumber, ForeignNumber


def with_check(nine: str, *, from_2000: bool) -> str:
    """A NISS made of nine digits: 97 - (the nine mod 97), a 2 before them for births from 2000."""
    return f"{nine}{97 - int(('2' if from_2000 else '') + nine) % 97:02}"


@pytest.mark.parametrize(
    ("nine", "from_2000"),
    [
        ("990101999", False),  # born in 1999
        ("020202998", True),  # born in 2002
        ("992101999", False),  # BIS, sex not known: month + 20
        ("994101999", False),  # BIS, sex known: month + 40
        ("022202998", True),
        ("024202998", True),
        ("990000999", False),  # the year alone is known
        ("990100999", False),  # the year and month are
        ("000001999", False),  # nothing is, the 1900 row
        ("000001999", True),  # nothing is, the 2000 row
        ("004001999", False),  # nothing is, BIS
    ],
)
def test_a_niss_or_bis_number_is_read_in_every_usual_spelling(nine: str, from_2000: bool) -> None:
    digits = with_check(nine, from_2000=from_2000)
    dotted = f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}-{digits[6:9]}.{digits[9:]}"
    spaced = f"  {digits[:6]} {digits[6:9]}  {digits[9:]} "
    for text in (digits, dotted, spaced):
        assert identifiers.ssin(text) == digits


def test_a_birth_from_2000_has_other_check_digits_than_one_before() -> None:
    assert with_check("020202998", from_2000=True) != with_check("020202998", from_2000=False)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not a NISS"),
        ("   ", "not a NISS"),
        ("1234567890", "not a NISS"),
        ("123456789012", "not a NISS"),
        ("9901019x973", "not a NISS"),
        ("٩٩٠١٠١٩٩٩٧٣", "not a NISS"),
        ("00000000000", "not a NISS"),
        ("9" * 1000, "not a NISS"),
        ("99010199\x0097", "not a NISS"),
        (with_check("991301999", from_2000=False), "impossible birth month"),
        (with_check("993301999", from_2000=False), "impossible birth month"),
        (with_check("996101999", from_2000=False), "impossible birth month"),
    ],
)
def test_what_is_no_niss_is_refused(text: str, what: str) -> None:
    with pytest.raises(BadInput) as refused:
        identifiers.ssin(text)
    assert what in refused.value.what


@given(st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_noticed_and_the_number_is_not_repeated(place: int, more: int) -> None:
    good = with_check("990101999", from_2000=False)
    digit = str((int(good[place]) + more) % 10)
    bad = good[:place] + digit + good[place + 1 :]
    with pytest.raises(BadInput) as refused:
        identifiers.ssin(bad)
    said = refused.value.what + refused.value.hint
    assert bad not in said
    assert not any(c.isdecimal() for c in said.replace("11", ""))


@pytest.mark.parametrize(
    "text",
    [
        "0403.019.261",
        "0403019261",
        "403019261",
        "BE0403019261",
        "be 0403.019.261",
        "BE 403 019 261",
        "BE-0403-019-261",
        " 0403 019 261 ",
    ],
)
def test_a_belgian_number_is_ten_digits_however_it_was_written(text: str) -> None:
    assert identifiers.company(text) == EnterpriseNumber("0403019261")


def test_a_belgian_number_may_begin_with_a_one() -> None:
    number = "10000000"
    text = f"{number}{97 - int(number) % 97:02}"
    assert identifiers.company(text) == EnterpriseNumber(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("NL 4495445B01", "NL004495445B01"),
        ("nl004495445b01", "NL004495445B01"),
        ("FR 40 303 265 045", "FR40303265045"),
        ("DE 136 695 976", "DE136695976"),
        ("LU 150 274 42", "LU15027442"),
        ("EL 094259216", "EL094259216"),
        ("GR 094259216", "EL094259216"),
    ],
)
def test_an_eu_vat_number_is_checked_offline_and_normalised(text: str, number: str) -> None:
    assert identifiers.company(text) == ForeignNumber(number)


@pytest.mark.parametrize("text", ["CHE-107.787.577", "GB123456789", "Nr 4711 / Zürich"])
def test_outside_the_eu_an_identifier_is_free(text: str) -> None:
    assert identifiers.company(text) == ForeignNumber(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "0403019262",
        "2403019261",
        "04030192610",
        "0",
        "BE",
        "BE0403019262",
        "BEx",
        "FR40303265046",
        "DE1",
        "12-34",
        "US " + "1" * 32,
        "A\x07B",
        "A" * 65,
        "٠٤٠٣٠١٩٢٦١",
    ],
)
def test_a_company_number_that_can_not_be_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        identifiers.company(text)


@pytest.mark.parametrize("number", ["1Y1000NF9KCQZ", "1Y1000003EQCZ"])
def test_declarations_that_were_seen_have_the_observed_check_character(number: str) -> None:
    assert identifiers.declaration_number(number) == (number, None)
    assert identifiers.declaration_number(f" {number.lower()} ") == DeclarationNumber(number, None)


@given(st.integers(0, 11), st.sampled_from("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"))
def test_a_check_character_that_differs_only_warns(place: int, character: str) -> None:
    good = "1Y1000NF9KCQZ"
    typed = good[:place] + character + good[place + 1 :]
    number, warning = identifiers.declaration_number(typed)
    assert number == typed
    # 31 of 34 characters can be told apart: three pairs share a remainder.
    if typed != good and warning is None:
        assert abs(ALPHABET.index(character) - ALPHABET.index(good[place])) == 31
    if typed == good:
        assert warning is None


ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def test_the_last_character_is_not_checked() -> None:
    assert identifiers.declaration_number("1Y1000NF9KCQ0").warning is None


@pytest.mark.parametrize(
    "text",
    ["", "1Y1000NF9KCQ", "1Y1000NF9KCQZZ", "1Y1OOONF9KCQZ", "IY1000NF9KCQZ", "1Y1000NF9KCQ?"],
)
def test_another_form_of_declaration_number_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        identifiers.declaration_number(text)


def test_the_hint_for_a_letter_o_says_zero() -> None:
    with pytest.raises(BadInput) as refused:
        identifiers.declaration_number("1Y1OOONF9KCQZ")
    assert "without I and O" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "04A1B2C3D4E580",
        "04a1b2c3d4e580",
        "04:A1:B2:C3:D4:E5:80",
        "04-a1-b2-c3-d4-e5-80",
        "04 a1 b2 c3 d4 e5 80",
        " 0x04A1B2C3D4E580 ",
    ],
)
def test_a_uid_is_read_in_every_usual_spelling(text: str) -> None:
    assert identifiers.uid(text) == bytes.fromhex("04a1b2c3d4e580")


@given(st.sampled_from([4, 7, 10]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_every_uid_of_an_iso_14443_size_is_read_back(raw: bytes) -> None:
    assert identifiers.uid(raw.hex(":")) == raw


@pytest.mark.parametrize(
    "text", ["", "04", "04A1B2C3D", "04A1B2C3D4E5", "hello wo", "04" * 11, "é" * 8]
)
def test_what_is_no_uid_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        identifiers.uid(text)
    assert len(text) < 4 or text not in refused.value.what


@given(st.text(max_size=80))
def test_nothing_that_is_typed_crashes(text: str) -> None:
    for read in (
        identifiers.ssin,
        identifiers.company,
        identifiers.declaration_number,
        identifiers.uid,
    ):
        try:
            read(text)
        except BadInput as refused:
            assert refused.what
            assert refused.hint
