"""The emulated chip without a port: bytes and moments in, bytes and moments out."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.emulator import frames
from hardware.emulator.air import crc_a
from hardware.emulator.chip import Chip
from hardware.emulator.field import Field
from hardware.emulator.frames import Ack, Decoder, Information, encode
from hardware.emulator.link import Link
from hardware.emulator.tags.ntag213 import Ntag213
from hardware.emulator.tags.type4 import Type4
from hardware.emulator.tags.type_a import TypeA
from hardware.emulator.tags.weak import Weak
from hardware.emulator.timing import Timing
from tests.hardware.commands import PAYLOADS

UID = bytes.fromhex("04A1B2C3D4E580")
FIND = bytes.fromhex("4a0100")
FIFO = bytes.fromhex("066339")


@dataclass
class Bench:
    """A chip, a host with a speed, and a clock that jumps to whatever happens next."""

    badges: tuple[TypeA, ...] = ()
    host_baud: int = 115200
    now_s: float = 100.0
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.field = Field()
        for badge in self.badges:
            self.field.put(badge)
        self.link = Link(Chip(self.field, Timing()), self.complaints.append)

    def send(self, data: bytes) -> None:
        self.link.receive(data, self.host_baud, self.now_s)
        self.link.advance(self.now_s)

    def hear(self, for_s: float = 5.0) -> bytes:
        """Everything the chip says within a time, until it has nothing more to do."""
        heard, until_s = b"", self.now_s + for_s
        while (next_s := self.link.next_s()) is not None and next_s <= until_s:
            self.now_s = max(self.now_s, next_s)
            self.link.advance(self.now_s)
            heard += b"".join(output.data for output in self.link.due(self.now_s))
        return heard

    def command(self, payload: bytes) -> bytes:
        """The answer's payload, behind its ACK and without TFI and code."""
        self.send(encode(b"\xd4" + payload))
        ack, answer = Decoder().feed(self.hear())
        assert ack == Ack()
        assert isinstance(answer, Information)
        assert answer.payload[:2] == bytes([0xD5, payload[0] + 1])
        return answer.payload[2:]


def patient(bench: Bench) -> Bench:
    """Look twice and give up, as nfcpy sets it."""
    bench.command(bytes.fromhex("3205010001"))
    return bench


@settings(max_examples=200)
@given(st.lists(PAYLOADS, max_size=8))
def test_any_command_is_acknowledged_and_answered_and_the_chip_lives(
    commands: list[bytes],
) -> None:
    bench = Bench((Ntag213(UID), Type4(UID[::-1])))
    for command in commands:
        bench.send(encode(b"\xd4" + command))
        heard = Decoder().feed(bench.hear(for_s=0.5))
        assert heard[0] == Ack()
        bench.send(frames.ACK)
        bench.link.chip.asleep = False
        bench.host_baud = bench.link.baud
    assert bench.complaints == []
    assert bench.command(b"\x02").hex() == "32010607"


@settings(max_examples=100)
@given(st.binary(max_size=600), st.sampled_from([9600, 115200, 921600]))
def test_noise_at_any_speed_leaves_the_chip_answering(noise: bytes, baud: int) -> None:
    bench = Bench((Ntag213(UID),), host_baud=baud)
    bench.send(noise)
    bench.hear()
    bench.host_baud = 115200
    bench.now_s += 1
    assert bench.command(b"\x02").hex() == "32010607"
    assert bench.complaints == []


def test_half_a_frame_is_forgotten_when_its_rest_does_not_come() -> None:
    bench = Bench()
    bench.send(encode(b"\xd4\x00" + bytes(200))[:20])
    bench.now_s += 1
    assert bench.command(b"\x02").hex() == "32010607"


def test_a_syntax_error_is_the_error_frame() -> None:
    bench = Bench()
    for payload in (b"\xd4\xfe", b"\xd4\x10\xff", b"\xd4\x4a\x09\x00", b"\xd5\x02", b"\xd4"):
        bench.send(encode(payload))
        assert bench.hear() == frames.ACK + frames.SYNTAX_ERROR


def test_the_longest_frame_is_echoed_whole() -> None:
    body = b"\x00" + bytes(n & 0xFF for n in range(262))
    assert Bench().command(b"\x00" + body) == body


def test_a_nack_brings_the_last_answer_again() -> None:
    bench = Bench()
    bench.command(b"\x02")
    bench.send(frames.NACK)
    assert bench.hear().hex() == "0000ff06fad50332010607e800"


def test_an_ack_calls_an_endless_search_off() -> None:
    bench = Bench()
    bench.send(encode(b"\xd4" + FIND))
    assert bench.hear(for_s=3) == frames.ACK
    assert bench.link.next_s() is not None
    bench.send(frames.ACK)
    assert bench.link.next_s() is None
    assert bench.command(b"\x02").hex() == "32010607"


def test_an_endless_search_finds_the_badge_that_comes_later() -> None:
    bench = Bench()
    bench.send(encode(b"\xd4" + FIND))
    assert bench.hear(for_s=3) == frames.ACK
    bench.field.put(Ntag213(UID))
    (answer,) = Decoder().feed(bench.hear(for_s=3))
    assert answer == Information(bytes.fromhex("d54b010100440007") + UID)


def test_a_new_speed_holds_from_the_hosts_ack_on() -> None:
    bench = Bench()
    assert bench.command(bytes.fromhex("1007")) == b""
    assert bench.link.baud == 115200
    bench.send(frames.ACK)
    assert bench.link.baud == 921600
    bench.host_baud = 921600
    assert bench.command(b"\x02").hex() == "32010607"


def test_a_new_speed_holds_too_when_the_hosts_flush_destroyed_its_ack() -> None:
    bench = Bench()
    bench.command(bytes.fromhex("1007"))
    bench.host_baud = 921600
    assert bench.command(b"\x02").hex() == "32010607"


def test_at_the_wrong_speed_nothing_is_understood() -> None:
    bench = Bench(host_baud=921600)
    bench.send(encode(b"\xd4\x02"))
    assert bench.hear() == b""


def test_a_sleeping_chip_loses_what_wakes_it() -> None:
    bench = Bench()
    assert bench.command(bytes.fromhex("16b0")) == b"\x00"
    bench.send(encode(b"\xd4\x02")[2:])
    assert bench.hear() == b""
    assert bench.command(b"\x02").hex() == "32010607"


def test_bytes_commands_and_the_field_take_their_time() -> None:
    bench = patient(Bench((Ntag213(UID),)))
    began_s = bench.now_s
    bench.command(FIND)
    # 11 + 6 + 22 bytes of 10 bits at 115200 baud, 0.3 ms for the command, 3 ms for the field.
    assert abs(bench.now_s - began_s - (390 / 115200 + 0.0033)) < 1e-6
    # For two: a second search of 3 ms, which finds nobody. (Field off: the card forgets.)
    bench.command(bytes.fromhex("320100"))
    began_s = bench.now_s
    bench.command(bytes.fromhex("4a0200"))
    assert abs(bench.now_s - began_s - (390 / 115200 + 0.0063)) < 1e-6


def test_two_badges_are_listed_by_one_command() -> None:
    bench = patient(Bench((Ntag213(UID), Type4(UID[::-1]), Ntag213(b"\x05" + UID[1:]))))
    said = bench.command(bytes.fromhex("4a0200"))
    assert said[0] == 2
    first, second = said[1:13], said[13:25]
    assert (first[0], second[0]) == (1, 2)
    assert {first[5:], second[5:]} < {UID, UID[::-1], b"\x05" + UID[1:]}


def test_an_empty_field_leaves_the_request_in_the_fifo_and_half_a_badge_does_not() -> None:
    empty = patient(Bench())
    assert empty.command(FIND) == b"\x00"
    assert empty.command(FIFO) == b"\x26"
    half = patient(Bench((Weak(UID),)))
    assert half.command(FIND) == b"\x00"
    assert half.command(FIFO) != b"\x26"


def test_without_the_chips_crc_the_host_brings_its_own() -> None:
    bench = patient(Bench((Ntag213(UID),)))
    bench.command(FIND)
    assert bench.command(bytes.fromhex("4260")).hex() == "000004040201000f03"
    bench.command(bytes.fromhex("08630200630300"))
    assert bench.command(bytes.fromhex("4260f832")).hex() == "000004040201000f038091"
    # Unknown to the card: a NAK of four bits, in one byte; CIU_Control says how many.
    assert bench.command(bytes.fromhex("421a00") + crc_a(b"\x1a\x00")).hex() == "0000"
    assert bench.command(bytes.fromhex("06633c")) == b"\x04"


def test_a_short_frame_goes_out_with_the_bits_that_bit_framing_says() -> None:
    bench = patient(Bench((Ntag213(UID),)))
    bench.command(bytes.fromhex("320101"))
    bench.command(bytes.fromhex("08633d07"))
    assert bench.command(bytes.fromhex("4226")).hex() == "004400"


def test_the_crc_is_the_standards() -> None:
    # ISO/IEC 14443-3, annex B: the examples.
    assert crc_a(bytes.fromhex("0000")).hex() == "a01e"
    assert crc_a(bytes.fromhex("1234")).hex() == "26cf"
