"""Hypothesis: arbitrary values of the narrow canonical form, and entries of every kind."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any, get_args

from hypothesis import strategies as st

from ciao import entries
from ciao.canonical import SAFE_INTEGER
from ciao.reading import rfc3339

texts = st.text(max_size=40)
keys = st.text(st.characters(max_codepoint=127), max_size=20)
integers = st.integers(-SAFE_INTEGER, SAFE_INTEGER)
leaves = st.booleans() | integers | texts
# Ours nest to 8; four levels are enough to meet every rule.
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=6)

naturals = st.integers(0, SAFE_INTEGER)
short = st.text(max_size=60)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
uuids = st.uuids().map(str)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=offsets)
times = moments.map(rfc3339)
clocks = st.builds(
    entries.Clock,
    source=st.sampled_from(["ntp", "rtc", "none"]),
    synced=st.booleans(),
    error_ms=st.none() | naturals,
)
_common: dict[str, st.SearchStrategy[Any]] = {
    "v": st.just(1),
    "seq": naturals,
    "at": times,
    "boot": uuids,
    "up_ms": naturals,
    "clock": clocks,
    "carried": st.none() | st.builds(entries.Carried, origin=short, seq=naturals),
}
_probes = st.dictionaries(keys, short, max_size=4)
_outage = {
    "outage": uuids,
    "cause": short,
    "affected": st.sampled_from(get_args(entries.Affected)),
    "probes": _probes,
    "terminal": st.none() | short,
}
_open = {
    "outage": uuids,
    "affected": st.sampled_from(get_args(entries.Affected)),
    "cause": short,
    "since": times,
}
_previous = st.builds(
    entries.Previous, origin=short, size=naturals, root=digests, note=st.none() | digests
)
_works = st.dictionaries(st.sampled_from(get_args(entries.Part)), st.booleans())
_fields: dict[Any, dict[str, st.SearchStrategy[Any]]] = {
    entries.Segment: {
        "why": st.sampled_from(get_args(entries.SegmentReason)),
        "firmware": short,
        "previous": st.none() | _previous,
    },
    entries.Boot: {"clean": st.booleans()},
    entries.Shutdown: {},
    entries.BindingChanged: {"serial": naturals, "binding": digests},
    entries.ClockStep: {"before": times, "after": times},
    entries.MaintenanceBegin: {},
    entries.MaintenanceEnd: {},
    entries.Deletion: {
        "ranges": st.lists(
            st.builds(entries.SeqRange, origin=short, first=naturals, last=naturals), max_size=4
        ),
        "why": short,
    },
    entries.Tap: {
        "direction": st.sampled_from(["in", "out"]),
        "chosen": st.sampled_from(["button", "lane"]),
        "declaration": short,
        "binding": digests,
        "tier": st.sampled_from(["uid", "sun", "aes"]),
        "key": digests.map(lambda digest: digest[:16]),
        "payload": digests,
        "opening": digests,
    },
    entries.Refused: {
        "reason": st.sampled_from(get_args(entries.RefusalReason)),
        "key": st.none() | digests.map(lambda digest: digest[:16]),
        "payload": st.none() | digests,
        "opening": st.none() | digests,
    },
    entries.Heartbeat: {
        "works": _works,
        "note": st.none() | digests,
        "notes": st.dictionaries(keys, digests, max_size=3),
        "refused": st.dictionaries(keys, naturals, max_size=3),
        "outages": st.lists(st.builds(entries.OpenOutage, **_open), max_size=2),
        "maintenance": st.booleans(),
    },
    entries.OutageBegin: {**_outage, "since": st.none() | times},
    entries.OutageUpdate: _outage,
    entries.OutageEnd: {**_outage, "well_since": times},
    entries.Annotation: {
        "outage": uuids,
        "document": st.none() | digests,
        "text": st.none() | digests,
    },
    entries.Timestamp: {"document": digests},
    entries.TimestampFailed: {"why": short},
}


def any_entry_of(kind: Any) -> st.SearchStrategy[entries.Entry]:
    """Entries of one kind; KeyError for a kind that this file does not know yet."""
    return st.builds(kind, **_common, **_fields[kind])


any_entry = st.sampled_from(get_args(entries.Entry)).flatmap(any_entry_of)
