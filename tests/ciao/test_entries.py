"""Entries: every kind there and back, every broken rule by its name, hashes that never move."""

from __future__ import annotations

import hashlib
import json
from typing import Any, get_args

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ciao import entries
from ciao.entries import CARRIED_ROOM, LEAF_SIZE_MAX, Entry, LeafBroken, NotUnderstood
from tests.ciao import examples, strategies

TAP = examples.LEAVES[2]


def altered(**changes: Any) -> bytes:
    """The example tap with fields replaced, or taken out (None), as canonical bytes."""
    fields = {**json.loads(TAP), **changes}
    return rfc8785.dumps({key: value for key, value in fields.items() if value is not None})


@pytest.mark.parametrize("kind", get_args(Entry))
def test_every_kind_comes_back_as_it_was(kind: Any) -> None:
    @given(strategies.any_entry_of(kind))
    def there_and_back(entry: Entry) -> None:
        leaf = entries.encode(entry)
        assert entries.decode(leaf) == entry
        assert leaf == rfc8785.dumps(json.loads(leaf))
        assert entries.seq_of(leaf) == entry.seq

    there_and_back()


def test_the_kinds_are_those_of_the_design() -> None:
    assert " ".join(sorted(entries.KINDS)) == (
        "annotation binding boot clock_step deletion heartbeat maintenance_begin maintenance_end "
        "outage_begin outage_end outage_update refused segment shutdown tap timestamp "
        "timestamp_failed"
    )


def test_one_example_of_each_kind_is_kept() -> None:
    made = [json.loads(entries.encode(entry))["kind"] for entry in examples.one_of_each_kind()]
    assert set(made) == entries.KINDS
    assert len(made) == len(entries.KINDS)


@given(strategies.any_entry)
def test_the_moment_of_an_entry_comes_back(entry: Entry) -> None:
    reading = entries.reading_of(entry)
    fields = entries.common(reading, entry.seq)
    assert fields["at"] == entry.at
    assert fields["clock"] == entry.clock
    assert (fields["boot"], fields["up_ms"]) == (entry.boot, entry.up_ms)


@pytest.mark.parametrize(
    ("leaf", "why"),
    [
        (b"", "not JSON"),
        (TAP[:-1], "not JSON"),
        (TAP + b" ", "canonical bytes"),
        (b" " + TAP, "canonical bytes"),
        (TAP.replace(b'":"', b'": "', 1), "canonical bytes"),
        (TAP.replace(b"in", b"\xff", 1), "not JSON"),
        (b"[]", "not an object"),
        (altered(extra=1.5), "a float"),
        (TAP[:-1] + b',"z":null}', "a null"),
        (altered(firmware="x" * LEAF_SIZE_MAX), f"at most {LEAF_SIZE_MAX}"),
    ],
)
def test_broken_bytes_are_named_and_nothing_is_made_of_them(leaf: bytes, why: str) -> None:
    for read in (entries.check_bytes, entries.decode):
        with pytest.raises(LeafBroken, match=why):
            read(leaf)


NOT_UNDERSTOOD = [
    altered(kind="coffee"),
    altered(kind=None),
    altered(v=2),
    altered(v=None),
    altered(flavour="strange"),
    altered(direction="sideways"),
    altered(direction=None),
    altered(chosen="inferred"),
    altered(tier="vein"),
    altered(payload="00"),
    altered(payload="0" * 64 + "\n"),
    altered(payload="A" * 64),
    altered(opening=7),
    altered(at="2026-03-02T06:02:11+01:00"),
    altered(at="yesterday"),
    altered(boot="not-a-uuid"),
    altered(up_ms=-1),
    altered(clock={"source": "sundial", "synced": True}),
    altered(clock={"source": "ntp", "synced": True, "drift": 1}),
    altered(carried={"origin": "x"}),
    altered(declaration="x" * 257),
]


@pytest.mark.parametrize("leaf", NOT_UNDERSTOOD)
def test_canonical_bytes_of_unknown_meaning_are_kept_apart_from_broken_ones(leaf: bytes) -> None:
    entries.check_bytes(leaf)
    with pytest.raises(NotUnderstood):
        entries.decode(leaf)


def test_the_number_of_a_kind_from_the_future_is_known_all_the_same() -> None:
    assert entries.seq_of(altered(kind="coffee", seq=41, strength=3)) == 41
    for leaf in (altered(seq=None), altered(seq=-1), altered(v=2), altered(kind=None)):
        with pytest.raises(NotUnderstood):
            entries.seq_of(leaf)


def outage(probes: dict[str, str], **more: Any) -> entries.OutageBegin:
    return entries.OutageBegin(
        **entries.common(examples.reading(0), 1),
        outage=examples.OUTAGE,
        cause="isp_upstream",
        affected="submit",
        probes=probes,
        **more,
    )


def test_a_leaf_may_be_as_long_as_its_limit_and_a_new_one_leaves_room_to_be_carried() -> None:
    carried = entries.Carried(examples.ORIGIN, 7)
    limits: tuple[tuple[int, dict[str, Any]], ...] = (
        (LEAF_SIZE_MAX - CARRIED_ROOM, {}),
        (LEAF_SIZE_MAX, {"carried": carried}),
    )
    for size_max, more in limits:
        bare = len(entries.encode(outage({"a": ""}, **more)))
        assert len(entries.encode(outage({"a": "x" * (size_max - bare)}, **more))) == size_max
        with pytest.raises(LeafBroken, match=f"at most {size_max}"):
            entries.encode(outage({"a": "x" * (size_max - bare + 1)}, **more))


def test_what_a_reader_would_refuse_is_never_written() -> None:
    """Or a probe's name in the settings could stop a terminal's log for ever."""
    with pytest.raises(LeafBroken, match="not ASCII"):
        entries.encode(outage({"fournisseur-éloigné": "timeout"}))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_random_bytes_are_refused_never_a_crash(leaf: bytes) -> None:
    with pytest.raises((LeafBroken, NotUnderstood)):
        entries.decode(leaf)


@given(strategies.objects)
def test_random_objects_are_refused_by_their_meaning(value: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        entries.decode(rfc8785.dumps(value))


def test_the_bytes_of_a_tap_are_fixed_for_ever() -> None:
    """A changed hash here is a changed format: every proof made before would fail."""
    assert hashlib.sha256(b"\x00" + TAP).hexdigest() == (
        "e6d2182a728b59174784ee254b9bf7ab782588b0cf0e5bfd8bb240c4661d661f"
    )
