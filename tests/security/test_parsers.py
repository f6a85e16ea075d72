"""Every reader that faces a wire or a file, given whatever anybody might send it.

`readers/` is the table: what reads, what it may raise, and what it reads rightly. Each is given
random bytes, and its own good input damaged: flipped, cut, doubled, nested. It answers, or refuses
in its own words; anything else is a crash. Time and memory are bounded by the sizes that it takes.
"""

from __future__ import annotations

import contextlib
import tracemalloc
from base64 import b64decode, b64encode, encodebytes
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ciao.errors import BadInput
from ciao.moments import moment
from ciao.mqtt import BrokerSettings, tls_context
from ciao.verifier import policy
from gateway.onss import mapping, problems
from gateway.onss.answers import Answer
from tests.security.readers import READERS, files, neighbours

SIZE_MAX = 600
MEMORY_MAX = 32 * 2**20


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """Good input after somebody had it in their hands."""
    raw = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        match draw(st.sampled_from(("flip", "cut", "double", "put", "nest"))):
            case "flip" if raw:
                raw[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del raw[at : at + draw(st.integers(1, 40))]
            case "double":
                raw[at:at] = raw[at : at + 60]
            case "put":
                raw[at:at] = draw(st.binary(max_size=20))
            case "nest":
                raw[at:at] = draw(st.sampled_from((b"[", b'{"a":', b"\xed\xa0\x80"))) * 300
    return bytes(raw)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_reader_refuses_in_its_own_words_whatever_it_is_given(
    name: str, data: st.DataObject
) -> None:
    reader = READERS[name]
    raw = data.draw(st.binary(max_size=SIZE_MAX) | damaged(reader.good))
    with contextlib.suppress(*reader.raises):
        reader.read(raw)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("filling", [b"[", b'{"a":', b"\x00", b"A" * 7 + b"\n", b"9", b"\xff"])
def test_what_is_far_too_long_costs_neither_time_nor_memory(name: str, filling: bytes) -> None:
    """Half a megabyte, twice what any message may be, of what nests, repeats or expands."""
    reader = READERS[name]
    raw = filling * (512 * 1024 // len(filling))
    tracemalloc.start()
    try:
        with contextlib.suppress(*reader.raises):
            reader.read(raw)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MEMORY_MAX, f"{peak} bytes for {len(raw)}"


def test_groups_upon_groups_of_a_policy_are_judged_in_their_order_each_once() -> None:
    """Each names the one before twice over: followed downwards, they would be 2^400 questions."""
    layers = ["group a0 any north", "group b0 any north"]
    for n in range(400):
        layers += [f"group {name}{n + 1} all a{n} b{n}" for name in "ab"]
    text = files.POLICY.replace("group both any north", "\n".join(layers))
    read = policy.parse(text.replace("quorum both", "quorum a400"), "p")
    assert read.moment({"north": 7}) == 7
    assert read.moment({}) is None


@pytest.mark.parametrize("told", [b'{"retryAfterSec":1%s}' % (b"0" * 400), b"{}"])
def test_a_wait_beyond_any_number_is_no_wait(told: bytes) -> None:
    endless = {"retry-after": f"Mon, 02 Mar {'9' * 30} 05:00:00 GMT", "date": ""}
    waited = problems.retry_after_s(Answer(429, endless, told, "trace"))
    assert waited == (problems.RETRY_AFTER_MAX_S if told != b"{}" else None)


def test_half_a_character_in_an_answer_is_not_understood() -> None:
    """No store takes it; a whole one that is written as two halves is text like any other."""
    answer = '{"items":[{"createdPresenceRegistration":{"id":"%s"}}]}'
    assert mapping.item_answers((answer % r"\ud83d").encode()) is None
    whole = mapping.item_answers((answer % r"\ud83d\ude00").encode())
    assert whole == (mapping.Created("\U0001f600", "", ()),)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_moment_at_the_end_of_all_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="no day and no moment"):
        moment(text, ZoneInfo("Europe/Brussels"))


@pytest.mark.parametrize(
    "name", ["signing request", "certificate of an authority", "certificate for reports"]
)
def test_a_certificate_or_request_of_an_unknown_version_is_none(name: str) -> None:
    """Found by the hunt: such a version has an error of its own, which stopped an enrolment."""
    reader = READERS[name]
    der = bytearray(b64decode(b"".join(reader.good.splitlines()[1:-1])))
    at = der.index(b"\x02\x01", 0, 16) + 2
    der[at] = 9
    label = b"CERTIFICATE REQUEST" if name == "signing request" else b"CERTIFICATE"
    pem = b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label, encodebytes(der), label)
    with pytest.raises(reader.raises):
        reader.read(pem)


def test_a_tls_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal, where a service waits for ever."""
    held = files.IDENTITY
    locked = held.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    for name, content in (("ca.pem", held.certificate_pem), ("one.key", locked)):
        (tmp_path / name).write_bytes(content)
    broker = BrokerSettings("127.0.0.1", 8883, "ca.pem", "ca.pem", "one.key")
    with pytest.raises(BadInput, match="can't load the broker's certificates"):
        tls_context(broker, tmp_path)


def test_a_policy_with_a_certificate_of_an_unknown_version_is_refused_by_its_line() -> None:
    der = bytearray(neighbours.ROOT.public_bytes(Encoding.DER))
    der[der.index(b"\x02\x01", 0, 16) + 2] = 9
    text = f"{files.POLICY}tsa {b64encode(der).decode()}\n"
    with pytest.raises(BadInput, match=r"line 6: .*version"):
        policy.parse(text, "p")
