"""Bindings: whose signature counts, which bundle is in force, and what is refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ciao import binding, canonical
from ciao.binding import Binding, BindingRefused, Bindings, Declaration, Signed
from ciao.notes import COSIGNATURE_V1
from ciao.reading import ClockQuality, Reading, rfc3339
from tests.ciao import examples

ROOT = examples.PROVISIONING.verifier()
STRANGER = examples.signer(ROOT.name + "-else")
TERMINAL = examples.TERMINAL


def signed(made: Binding) -> str:
    return binding.sign(made, examples.PROVISIONING)


def at_serial(serial: int, **changes: Any) -> Binding:
    return replace(examples.BINDING, serial=serial, **changes)


def message(*bundles: str, succession: list[str] | None = None) -> bytes:
    return msgspec.json.encode(Bindings(list(bundles), succession or []))


def refusal(payload: bytes, serial_min: int = 0) -> str:
    with pytest.raises(BindingRefused) as refused:
        binding.open_message(payload, ROOT, TERMINAL, serial_min)
    return refused.value.reason


def test_a_signed_bundle_opens_and_is_named_by_the_hash_of_its_json() -> None:
    opened = binding.open_signed(examples.BINDING_NOTE, [ROOT])
    assert opened.binding == examples.BINDING
    assert opened.note == examples.BINDING_NOTE
    assert opened.sha256 == binding.digest(examples.BINDING_NOTE) == examples.BINDING_SHA256


def test_the_name_of_a_bundle_does_not_depend_on_who_signed_it() -> None:
    again = binding.sign(examples.BINDING, examples.NEXT_PROVISIONING)
    assert binding.digest(again) == examples.BINDING_SHA256


def test_current_and_next_come_in_order_of_serial() -> None:
    later, sooner = signed(at_serial(9)), signed(at_serial(8))
    opened = binding.open_message(message(later, sooner), ROOT, TERMINAL, 8)
    assert [one.binding.serial for one in opened] == [8, 9]


def test_nothing_older_replaces_what_is_held() -> None:
    assert refusal(message(signed(at_serial(7)), signed(at_serial(8))), serial_min=9) == "older"
    assert binding.open_message(message(signed(at_serial(9))), ROOT, TERMINAL, 9)


def test_another_terminals_bundle_is_foreign() -> None:
    other = signed(at_serial(9, terminal="hall-4"))
    assert refusal(message(other)) == "foreign"
    assert refusal(message(signed(at_serial(8)), other)) == "foreign"


def test_an_unknown_signature_is_refused_even_beside_a_good_one() -> None:
    unsigned = binding.sign(examples.BINDING, STRANGER)
    assert refusal(message(unsigned)) == "signature"
    assert refusal(message(examples.BINDING_NOTE, unsigned)) == "signature"


@given(st.data())
def test_a_tampered_bundle_is_refused(data: st.DataObject) -> None:
    note = examples.BINDING_NOTE
    place = data.draw(st.integers(0, len(note) - 1))
    character = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    tampered = note[:place] + character + note[place + 1 :]
    if tampered != note:
        assert refusal(message(tampered)) in ("signature", "malformed")


def test_an_unsigned_bundle_is_malformed() -> None:
    text = canonical.encode(examples.BINDING).decode() + "\n"
    for bundle in (text, text + "\n", ""):
        assert refusal(message(bundle)) == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"bindings":[]}',
        b'{"bindings":[1]}',
        b'{"bindings":["\xff"]}',
        b'{"bindings":["x","x","x"]}',
        b'{"bindings":["x"],"deep":' + b"[" * 9000,
        b'{"bindings":["' + b"x" * binding.MESSAGE_SIZE_MAX + b'"]}',
        msgspec.json.encode({"bindings": [examples.BINDING_NOTE], "succession": ["x"] * 17}),
    ],
)
def test_a_malformed_message_is_refused_not_a_crash(payload: bytes) -> None:
    assert refusal(payload) == "malformed"


@given(st.binary(max_size=200))
def test_random_bytes_are_malformed(payload: bytes) -> None:
    assert refusal(payload) == "malformed"


@given(st.integers(0, len(message(examples.BINDING_NOTE)) - 1))
def test_a_truncated_message_is_malformed(size: int) -> None:
    assert refusal(message(examples.BINDING_NOTE)[:size]) == "malformed"


SITE = examples.SITE
PLACE = binding.SiteCoordinates("4.3517", "50.8503")
GATEWAY = examples.BINDING.gateways[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"site": replace(SITE, coordinates=PLACE)},
        {"site": replace(SITE, address=None)},
        {"site": replace(SITE, name="")},
        {"site": binding.Site("x", coordinates=binding.SiteCoordinates("4,35", "50"))},
        {"declaration": Declaration("1Y1OOONF9KCQZ")},
        {"declaration": Declaration(examples.DECLARATION + "\n")},
        {"declaration": Declaration(examples.DECLARATION, "1 March")},
        {"effective_from": "2026-03-01"},
        {"enrolled": "nobody"},
        {"enrolled": str(examples.ENROLLED.verifier(COSIGNATURE_V1))},
        {"gateways": []},
        {"gateways": [GATEWAY] * 5},
        {"gateways": [replace(GATEWAY, hpke="AAAA")]},
        {"gateways": [replace(GATEWAY, cosigner="nobody")]},
        {"gateways": [replace(GATEWAY, cosigner=str(examples.COSIGNER.verifier()))]},
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "Europe"},
        {"time_zone": "x" * 256},
        {"time_zone": "../../etc/passwd"},
        {"languages": []},
        {"languages": ["french"]},
        {"mode": "guess"},
        {"terminal": TERMINAL + "\n"},
        {"serial": -1},
        {"v": 2},
        {"lateness": binding.Lateness("send", 9000)},
    ],
)
def test_a_bundle_that_can_not_be_is_refused_though_it_is_signed(changes: dict[str, Any]) -> None:
    assert refusal(message(signed(replace(examples.BINDING, **changes)))) == "malformed"


def with_field(**later: Any) -> str:
    fields = msgspec.to_builtins(examples.BINDING) | later
    return examples.PROVISIONING.sign(canonical.encode(fields).decode() + "\n").encode()


def test_a_bundle_may_be_as_long_as_its_limit_and_no_longer() -> None:
    room = binding.BUNDLE_SIZE_MAX - len(canonical.encode(examples.BINDING)) - len(',"x":""')
    assert binding.open_message(message(with_field(x="x" * room)), ROOT, TERMINAL, 0)
    assert refusal(message(with_field(x="x" * (room + 1)))) == "malformed"


def test_a_message_may_be_as_long_as_its_limit_and_no_longer() -> None:
    payload = message(examples.BINDING_NOTE)
    longest = payload + b" " * (binding.MESSAGE_SIZE_MAX - len(payload))
    assert binding.open_message(longest, ROOT, TERMINAL, 0)
    assert refusal(longest + b" ") == "malformed"


def test_a_field_from_the_future_is_carried_not_refused() -> None:
    note = with_field(colour="blue")
    (opened,) = binding.open_message(message(note), ROOT, TERMINAL, 0)
    assert opened.binding == examples.BINDING
    assert opened.sha256 == binding.digest(note) != examples.BINDING_SHA256


def test_a_key_that_was_named_by_the_key_before_it_counts() -> None:
    third = examples.signer("third")
    following = examples.NEXT_PROVISIONING.verifier()
    chain = [
        binding.succeed(examples.PROVISIONING, following),
        binding.succeed(examples.NEXT_PROVISIONING, third.verifier()),
    ]
    by_third = binding.sign(examples.BINDING, third)
    assert binding.trusted_keys(ROOT, chain) == [ROOT, following, third.verifier()]
    assert binding.open_message(message(by_third, succession=chain), ROOT, TERMINAL, 0)
    assert refusal(message(by_third, succession=chain[:1])) == "signature"
    assert refusal(message(by_third, succession=chain[::-1])) == "signature"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "nonsense",
        binding.succeed(STRANGER, STRANGER.verifier()),
        examples.PROVISIONING.sign(f"ciao/1 succession\n{STRANGER.verifier()}\nmore\n").encode(),
        examples.PROVISIONING.sign("ciao/1 succession\nnot a key\n").encode(),
        examples.PROVISIONING.sign(f"ciao/1 other\n{STRANGER.verifier()}\n").encode(),
    ],
)
def test_a_link_that_does_not_hold_adds_no_key_and_stops_nothing(link: str) -> None:
    assert binding.trusted_keys(ROOT, [link, examples.SUCCESSION]) == [
        ROOT,
        examples.NEXT_PROVISIONING.verifier(),
    ]


START = examples.BINDING.starts_at()


def bundle(serial: int, starts: timedelta) -> Signed:
    made = at_serial(serial, effective_from=rfc3339(START + starts))
    return binding.open_signed(signed(made), [ROOT])


OLD, NEW = bundle(8, timedelta(0)), bundle(9, timedelta(days=10))


def now(after: timedelta, synced: bool = True) -> Reading:
    quality = ClockQuality("ntp" if synced else "none", synced)
    return Reading(START + after, examples.BOOT, 1, quality)


def test_the_next_bundle_takes_over_at_its_moment_and_not_before() -> None:
    moment = timedelta(milliseconds=1)
    assert binding.in_force([OLD, NEW], None, now(timedelta(0))) == OLD
    assert binding.in_force([OLD, NEW], OLD, now(timedelta(days=10) - moment)) == OLD
    assert binding.in_force([OLD, NEW], OLD, now(timedelta(days=10))) == NEW
    assert binding.in_force([NEW, OLD], OLD, now(timedelta(days=11))) == NEW


def test_an_untrusted_clock_switches_nothing() -> None:
    late = timedelta(days=11)
    assert binding.in_force([OLD, NEW], OLD, now(late, synced=False)) == OLD
    assert binding.in_force([OLD, NEW], NEW, now(-late, synced=False)) == NEW


def test_an_untrusted_clock_with_nothing_in_force_takes_the_oldest() -> None:
    assert binding.in_force([NEW, OLD], None, now(timedelta(0), synced=False)) == OLD


def test_before_the_first_bundle_begins_nothing_is_in_force() -> None:
    assert binding.in_force([OLD, NEW], None, now(-timedelta(seconds=1))) is None
    assert binding.in_force([], None, now(timedelta(0))) is None
    assert binding.in_force([], None, now(timedelta(0), synced=False)) is None


def test_what_is_in_force_stays_when_nothing_known_has_begun() -> None:
    assert binding.in_force([NEW], OLD, now(timedelta(days=1))) == OLD


def test_a_declaration_covers_both_its_first_and_its_last_day() -> None:
    declared = Declaration(examples.DECLARATION, "2026-03-01", "2026-03-31")
    assert declared.covers(date(2026, 3, 1))
    assert declared.covers(date(2026, 3, 31))
    assert not declared.covers(date(2026, 2, 28))
    assert not declared.covers(date(2026, 4, 1))
    assert Declaration(examples.DECLARATION).covers(datetime(1999, 1, 1).date())
