"""The badges in the field: anticollision and what each kind answers, without a chip's firmware."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ciao.errors import BadInput
from hardware.emulator.air import nibble
from hardware.emulator.drawer import Drawer, parse
from hardware.emulator.field import BADGES_MAX, Field
from hardware.emulator.radio import Radio
from hardware.emulator.registers import Registers
from hardware.emulator.tags.classic import Classic1K
from hardware.emulator.tags.ntag213 import Ntag213
from hardware.emulator.tags.phone import Phone
from hardware.emulator.tags.type4 import Type4
from hardware.emulator.tags.type_a import TypeA

UID = bytes.fromhex("04A1B2C3D4E580")
# No cascade tag at the beginning: such UIDs are not given out (ISO/IEC 14443-3, 6.5.4).
UIDS = st.one_of(
    [
        st.binary(min_size=n, max_size=n).filter(lambda u: u[0] != 0x88 and u[3:4] != b"\x88")
        for n in (4, 7, 10)
    ]
)


def radio_over(*badges: TypeA) -> Radio:
    field = Field()
    for badge in badges:
        field.put(badge)
    return Radio(field, Registers())


@given(st.sets(UIDS, min_size=1, max_size=BADGES_MAX))
def test_of_several_badges_each_look_finds_one_until_all_are_asleep(uids: set[bytes]) -> None:
    radio = radio_over(*(TypeA(uid) for uid in uids))
    found = set()
    for _ in uids:
        target = radio.find(None)
        assert target is not None
        found.add(target.uid)
        radio.halt()
    assert found == uids
    assert radio.find(None) is None


@given(st.sets(UIDS, min_size=1, max_size=BADGES_MAX), UIDS)
def test_a_badge_that_is_asked_for_by_its_uid_is_found_among_the_others(
    uids: set[bytes], absent: bytes
) -> None:
    for uid in uids:
        target = radio_over(*(TypeA(each) for each in uids)).find(uid)
        assert target is not None
        assert target.uid == uid
    if absent not in uids:
        assert radio_over(*(TypeA(each) for each in uids)).find(absent) is None


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_no_badge_trips_over_what_it_hears(frames: list[bytes]) -> None:
    badges = (Ntag213(UID), Type4(UID[::-1]), Classic1K(UID[:4]), Phone(b"\x08abc"))
    for badge in badges:
        radio = radio_over(badge)
        radio.find(None)
        for frame in frames:
            radio.raw(frame)
            radio.raw(b"\x02" + frame)
        radio.power(False)
        assert radio.find(None) is not None


def test_an_ntag_keeps_what_is_written_and_forgets_no_lock() -> None:
    tag = Ntag213(UID)
    radio = radio_over(tag)
    radio.find(None)
    assert radio.raw(bytes.fromhex("a210 01020304")) == nibble(0xA)
    assert radio.raw(bytes.fromhex("a203 000000ff")) == nibble(0xA)
    first = radio.raw(bytes.fromhex("3010"))
    last = radio.raw(bytes.fromhex("302c"))
    assert first is not None
    assert first.data[:4] == bytes.fromhex("01020304")
    assert last is not None
    assert last.data[4:8] == UID[:3] + bytes([0x88 ^ UID[0] ^ UID[1] ^ UID[2]])
    assert tag.memory[12:16] == bytes.fromhex("e11012ff")


def test_an_ntag_refuses_in_four_bits_and_sleeps() -> None:
    radio = radio_over(Ntag213(UID))
    for refused in ("1a00", "302d", "a2012233", "3c00"):
        radio.power(False)
        radio.find(None)
        assert radio.raw(bytes.fromhex(refused)) == nibble(0x0)
        assert radio.raw(bytes.fromhex("60")) is None


def test_a_classic_gives_a_challenge_and_nothing_more() -> None:
    radio = radio_over(Classic1K(UID[:4]))
    radio.find(None)
    challenge = radio.raw(bytes.fromhex("6000"))
    assert challenge is not None
    assert challenge.bits == 32
    assert radio.raw(bytes(8)) is None


def test_a_long_apdu_answer_comes_in_chained_blocks() -> None:
    radio = radio_over(Type4(UID))
    radio.find(None)
    radio.raw(bytes.fromhex("e020"))
    for block, apdu in ((2, "00a4040007d2760000850101"), (3, "00a4000c02e104")):
        radio.raw(bytes([block]) + bytes.fromhex(apdu))
    answer, said, block = radio.raw(bytes.fromhex("0200b0000040")), b"", 0xA3
    while answer is not None:
        assert len(answer.data) <= 32
        said += answer.data[1:-2]
        if not answer.data[0] & 0x10:
            break
        answer, block = radio.raw(bytes([block])), block ^ 1
    assert said[:2] == b"\x00\x14"
    assert (len(said), said[-2:]) == (0x42, b"\x90\x00")


def test_a_phone_has_another_uid_in_each_field() -> None:
    draws = iter([b"abc", b"def", b"ghi"])
    radio = radio_over(Phone(b"\x08...", lambda size: next(draws)))
    names = []
    for _ in range(3):
        target = radio.find(None)
        assert target is not None
        names.append(target.uid)
        radio.power(False)
    assert names == [b"\x08abc", b"\x08def", b"\x08ghi"]


def test_the_drawer_returns_the_same_badge_again_with_what_was_written_on_it() -> None:
    drawer = Drawer(bytes)
    order = parse("put uid=04a1b2c3d4e580 type=ntag213", {"put": ("uid", "type")})
    assert drawer.badge(order) is drawer.badge(order)


@pytest.mark.parametrize(
    "line",
    [
        "put",
        "put uid=04A1",
        "put uid=04A1B2C3D4E5",
        "put uid=04A1B2C3D4E580 type=ntag999",
        "put uid=04A1B2C3 type=ntag213",
        "put uid=08A1B2C3 type=classic1k",
        "put uid=04A1B2C3 type=phone",
        "put uid=04A1B2C3D4E580 uid=04A1B2C3D4E580",
        "put colour=red",
        "steal",
        "",
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_a_hint(line: str) -> None:
    with pytest.raises(BadInput) as refused:
        Drawer(bytes).badge(parse(line, {"put": ("uid", "type")}))
    assert refused.value.what
    assert refused.value.hint


def test_the_field_holds_few_badges_and_each_only_once() -> None:
    field = Field()
    for n in range(BADGES_MAX):
        field.put(TypeA(bytes([n, 0, 0, 0])))
    with pytest.raises(BadInput, match="4 badges"):
        field.put(TypeA(b"full"))
    field.take(bytes(4))
    with pytest.raises(BadInput, match="already"):
        field.put(TypeA(bytes([1, 0, 0, 0])))
    with pytest.raises(BadInput, match="no such badge"):
        field.take(bytes(4))
