"""When a stamp is asked for, and where it is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ciao.evidence import stamped
from ciao.evidence.stamped import Checkpointed
from ciao.reading import rfc3339
from gateway.timestamping.due import AGAIN_MS, APART_MS, DAILY, Due
from gateway.timestamping.shelf import Shelf

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_list(at: datetime, size: int = 3) -> bytes:
    one = Checkpointed("badges.example.be/ciao/door-1/6f1d2c3b4a596877", "ab" * 32, size)
    return stamped.encode(rfc3339(at), [one])


def test_the_first_stamp_is_due_at_once_and_the_next_a_day_later() -> None:
    due = Due(None)
    assert due.ask(NOON, 0)
    assert not due.ask(NOON, 1)
    due.stamped(NOON, 10)
    assert not due.ask(NOON + DAILY - timedelta(seconds=1), 20_000_000)
    assert due.ask(NOON + DAILY, 86_400_000)


def test_an_outage_that_ended_is_dated_soon_and_many_of_them_once() -> None:
    due = Due(NOON)
    assert not due.ask(NOON, 0)
    due.outage_ended()
    assert due.ask(NOON, 1)
    due.stamped(NOON, 2)
    due.outage_ended()
    assert not due.ask(NOON, APART_MS)
    assert due.ask(NOON, APART_MS + 2)


def test_an_authority_that_gives_none_is_asked_again_after_an_hour() -> None:
    due = Due(None)
    assert due.ask(NOON, 0)
    due.failed(5)
    assert not due.ask(NOON, AGAIN_MS)
    assert due.ask(NOON, AGAIN_MS + 5)


def test_an_outage_that_ends_while_a_stamp_is_on_its_way_is_dated_by_the_next() -> None:
    due = Due(None)
    assert due.ask(NOON, 0)
    due.outage_ended()
    due.stamped(NOON, 1)
    assert due.ask(NOON, APART_MS + 1)


def test_what_is_kept_comes_out_as_it_went_in_and_tells_the_newest(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "timestamps")
    assert shelf.newest() is None
    later, earlier = a_list(NOON + DAILY), a_list(NOON)
    shelf.put(later, b"reply 2")
    shelf.put(earlier, b"reply 1")
    assert shelf.newest() == NOON + DAILY
    kept = {(document, reply) for _, document, reply in shelf.each()}
    assert kept == {(earlier, b"reply 1"), (later, b"reply 2")}


def test_a_list_whose_reply_never_came_counts_as_not_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "timestamps")
    digest = shelf.put(a_list(NOON), b"reply")
    (tmp_path / "timestamps" / f"{digest}.tsr").unlink()
    (tmp_path / "timestamps" / "junk.json").write_bytes(b"{}")
    assert list(shelf.each()) == []
