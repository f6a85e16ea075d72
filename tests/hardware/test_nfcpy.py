"""nfcpy, unmodified, on the emulator through a real pseudo-terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator

import ndef
import nfc.clf
import nfc.clf.pn532
import nfc.tag
import nfc.tag.tt4
import pytest

from hardware.reader.port import Transport
from tests.hardware.emulated import CLASSIC, NTAG, TYPE4, Emulator


@pytest.fixture
def frontend(emulator: Emulator) -> Iterator[nfc.clf.ContactlessFrontend]:
    device = nfc.clf.pn532.init(Transport(os.path.realpath(emulator.port)))
    device._path = str(emulator.port)
    frontend = nfc.clf.ContactlessFrontend()
    frontend.device = device
    yield frontend
    frontend.close()


def sense(frontend: nfc.clf.ContactlessFrontend) -> nfc.clf.RemoteTarget:
    return frontend.sense(nfc.clf.RemoteTarget("106A"))


def test_the_driver_raises_the_speed_and_finds_the_field_empty(
    frontend: nfc.clf.ContactlessFrontend,
) -> None:
    assert frontend.device.chipset.transport.baudrate == 921600
    assert frontend.device.chipset_name == "PN532v1.6"
    assert sense(frontend) is None


def test_an_ntag_is_known_read_and_written(
    emulator: Emulator, frontend: nfc.clf.ContactlessFrontend
) -> None:
    emulator.say(f"put uid={NTAG} type=ntag213")
    tag = nfc.tag.activate(frontend, sense(frontend))
    assert tag.product == "NXP NTAG213"
    assert tag.identifier.hex().upper() == NTAG
    assert [record.uri for record in tag.ndef.records] == ["https://example.invalid"]
    tag.ndef.records = [ndef.TextRecord("door 1")]
    emulator.say("take")
    assert sense(frontend) is None
    emulator.say(f"put uid={NTAG} type=ntag213")
    again = nfc.tag.activate(frontend, sense(frontend))
    assert [record.text for record in again.ndef.records] == ["door 1"]


def test_an_ntags_originality_signature_is_not_faked(
    emulator: Emulator, frontend: nfc.clf.ContactlessFrontend
) -> None:
    emulator.say(f"put uid={NTAG} type=ntag213")
    # READ_SIG is met with a NAK (one byte, 00) where NXP's own chip gives 32 bytes.
    assert nfc.tag.activate(frontend, sense(frontend)).signature == b"\x00"


def test_a_classic_gives_its_uid_and_nothing_to_read(
    emulator: Emulator, frontend: nfc.clf.ContactlessFrontend
) -> None:
    emulator.say(f"put uid={CLASSIC} type=classic1k")
    target = sense(frontend)
    assert (target.sel_res.hex(), target.sdd_res.hex().upper()) == ("08", CLASSIC)
    tag = nfc.tag.activate(frontend, target)
    # Why presence is ours to find out, by UID: the driver takes it for a type 2 tag.
    assert not tag.is_present
    assert sense(frontend) is not None


def test_a_type_4_tag_is_read_and_written_in_blocks(
    emulator: Emulator, frontend: nfc.clf.ContactlessFrontend
) -> None:
    emulator.say(f"put uid={TYPE4} type=type4")
    tag = nfc.tag.activate(frontend, sense(frontend))
    assert isinstance(tag, nfc.tag.tt4.Type4Tag)
    assert [record.uri for record in tag.ndef.records] == ["https://example.invalid"]
    tag.ndef.records = [ndef.TextRecord("x" * 200)]
    assert not tag.ndef.has_changed
    assert tag.is_present


def test_a_phone_is_another_one_each_time(
    emulator: Emulator, frontend: nfc.clf.ContactlessFrontend
) -> None:
    emulator.say("put type=phone")
    first, second = sense(frontend), sense(frontend)
    assert first.sel_res == second.sel_res == b"\x20"
    assert first.sdd_res[0] == second.sdd_res[0] == 0x08
    assert first.sdd_res != second.sdd_res


def test_of_two_badges_one_is_returned_and_each_is_found_by_its_uid(
    emulator: Emulator, frontend: nfc.clf.ContactlessFrontend
) -> None:
    emulator.say(f"put uid={NTAG} type=ntag213")
    emulator.say(f"put uid={TYPE4} type=type4")
    assert sense(frontend).sdd_res.hex().upper() in (NTAG, TYPE4)
    for uid in (NTAG, TYPE4):
        wanted = nfc.clf.RemoteTarget("106A", sel_req=bytearray.fromhex(uid))
        assert frontend.sense(wanted).sdd_res.hex().upper() == uid
