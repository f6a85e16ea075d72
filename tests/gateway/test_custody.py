"""Custody: what is taken, what is refused and why, and that any delivery ends at one ledger."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ciao import notes, wire
from ciao.certificate import certify
from ciao.checkpoint import Checkpoint
from ciao.link import Message
from ciao.names import topic
from ciao.notes import COSIGNATURE_V1, Signer, cosignature_time
from ciao.tree import leaf_hash, root_at
from gateway.custody import Accepted, Gap, Turned, judge
from gateway.ledger.evidence import logs_of
from tests.gateway import twins
from tests.gateway.twins import Journal
from tests.gateway.world import TERMINAL, World, morning

VERIFIER = twins.COSIGNER.verifier(COSIGNATURE_V1)


def journal_of_all_sorts() -> Journal:
    journal = morning([(twins.UID_ANN, 20, "in"), (twins.UID_BEN, 21, "in")])
    journal.refuse(22)
    journal.tap(twins.UID_NEW, 23)
    journal.add_leaf(b'{"kind":"weather","seq":5,"v":2,"wind":"north"}')
    for second in range(24, 30):
        journal.heartbeat(second)
    journal.tap(twins.UID_ANN, 31, "out")
    return journal


ALL_SORTS = journal_of_all_sorts()


@st.composite
def deliveries(draw: st.DrawFn, size: int) -> list[tuple[int, int]]:
    """Parts of a journal, cut anyhow, repeated, overlapping, in any order; in the end all of it."""
    cut = st.tuples(st.integers(0, size), st.integers(0, size)).filter(lambda c: c[0] != c[1])
    cuts = [tuple(sorted(one)) for one in draw(st.lists(cut, max_size=8))]
    return [(one[0], one[1]) for one in cuts]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_delivery_ends_at_the_same_ledger(data: st.DataObject) -> None:
    journal = journal_of_all_sorts()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        plain, tried = World(Path(one)).online(), World(Path(other)).online()
        plain.step(journal.message())
        for start, end in data.draw(deliveries(journal.size)):
            tried.step(journal.message(start, end))
            if data.draw(st.booleans()):
                tried.restart()
                tried.online()
        resend_from = len(tried.query("SELECT 1 FROM entry"))
        if resend_from < journal.size:
            tried.step(journal.message(resend_from))
        assert tried.dump() == plain.dump()
        assert tried.on("receipt")[-1].checkpoint.startswith(f"{journal.origin}\n{journal.size}\n")
        plain.ledger.close()
        tried.ledger.close()


def test_a_receipt_is_the_terminals_checkpoint_cosigned(world: World) -> None:
    journal = journal_of_all_sorts()
    world.second = 30
    world.step(journal.message())
    (receipt,) = world.on("receipt")
    note = notes.parse(receipt.checkpoint)
    notes.verify(note, journal.signer.verifier())
    assert notes.cosignature_time(note, VERIFIER) == int(twins.at(30).at.timestamp())
    assert Checkpoint.parse(note.text) == Checkpoint(
        journal.origin, journal.size, journal.edges[-1].root()
    )
    assert receipt.certificate == journal.certificate


def test_a_receipt_is_repeated_byte_for_byte_however_late(world: World) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message())
    world.second = 500
    world.step(journal.message(2, 5))
    world.restart()
    world.online()
    world.step(journal.message())
    first, *others = (one for one in world.published if one.topic.endswith("/receipt"))
    assert others == [first] * 3 and first.retain


def test_several_batches_at_once_are_one_commit_and_one_receipt(world: World) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message(6, 9), journal.message(0, 3), journal.message(3, 6))
    (receipt,) = world.on("receipt")
    assert receipt.checkpoint.startswith(f"{journal.origin}\n9\n") and not world.on("hint")


def test_a_gap_is_told_and_nothing_of_it_stored(world: World) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message(0, 2))
    world.step(journal.message(5, 7))
    assert world.on("hint") == [wire.Hint(resend_from=wire.ResendFrom(journal.origin, 2))]
    assert world.query("SELECT count(*) FROM entry") == [(2,)]


def test_the_stored_hashes_give_every_earlier_root(world: World) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message())
    log = world.ledger.custody.log(journal.origin)
    assert log is not None
    for size in range(journal.size + 1):
        root = root_at(
            size, lambda level, index: world.ledger.custody.subtree(log.id, level, index)
        )
        assert root == journal.edges[size].root()


def test_a_leaf_of_an_unknown_kind_is_stored_receipted_and_flagged(world: World) -> None:
    journal = morning()
    sealed = b"sealed in a way of the future"
    named = hashlib.sha256(sealed).hexdigest()
    journal.add_leaf(f'{{"kind":"tap2","payload":"{named}","seq":1,"v":1}}'.encode(), sealed)
    journal.add_leaf(b'{"kind":"tap","new_field":true,"seq":2,"v":1}')
    world.step(journal.message())
    assert world.on("receipt")
    assert world.query("SELECT seq, flag, payload FROM entry WHERE flag IS NOT NULL") == [
        (1, "not_understood", sealed),
        (2, "not_understood", None),
    ]


def test_a_payload_declared_gone_is_flagged_and_its_tap_held(world: World) -> None:
    journal = morning([(twins.UID_ANN, 20, "in")])
    journal.payloads[1] = None
    world.run(journal.message())
    assert world.on("receipt")
    assert world.query("SELECT seq, flag FROM entry WHERE flag IS NOT NULL") == [
        (1, "payload_gone")
    ]
    assert world.outcomes() == [(1, "held", "payload_gone")]


def altered(index: int, old: str, new: str) -> Callable[[Journal, wire.Batch], dict[str, Any]]:
    def alter(_: Journal, batch: wire.Batch) -> dict[str, Any]:
        leaves = list(batch.leaves)
        assert old in leaves[index]
        leaves[index] = leaves[index].replace(old, new)
        return {"leaves": leaves}

    return alter


def renumbered(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    other = Journal(TERMINAL)
    for leaf in journal.leaves[:-1]:
        other.add_leaf(leaf)
    other.add_leaf(journal.leaves[-1].replace(b'"seq":12', b'"seq":13'))
    return {"leaves": [x.decode() for x in other.leaves], "checkpoint": other.checkpoint(13)}


def signed_by_another(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    text = notes.parse(batch.checkpoint).text
    return {"checkpoint": Journal(TERMINAL, label="other").signer.sign(text).encode()}


def of_another_size(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    return {"checkpoint": journal.checkpoint(5)}


def of_another_root(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    wrong = Checkpoint(journal.origin, journal.size, bytes(32))
    return {"checkpoint": journal.signer.sign(wrong.text()).encode()}


def without_payload(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    return {"payloads": {key: one for key, one in batch.payloads.items() if key != "1"}}


def with_another_payload(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    return {"payloads": {**batch.payloads, "1": batch.payloads["2"]}}


def with_no_base64(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    return {"payloads": {**batch.payloads, "1": "*"}}


def with_a_long_payload(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    return {"payloads": {**batch.payloads, "1": wire.encode_payload(bytes(2049))}}


def certified_by_another(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    return {"certificate": certify(twins.enrolled("hall-9"), journal.signer.verifier())}


def certified_for_another(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    return {"certificate": Journal(TERMINAL, "0123456789abcdef").certificate}


def of_another_terminal(journal: Journal, batch: wire.Batch) -> dict[str, Any]:
    other = Journal("hall-9")
    other.heartbeat()
    whole = other.batch()
    return {name: getattr(whole, name) for name in whole.__struct_fields__}


BROKEN: list[tuple[str, Callable[[Journal, wire.Batch], dict[str, Any]], str]] = [
    ("a leaf altered", altered(0, '"reader":true', '"reader":false'), "root"),
    ("a tap turned around", altered(1, '"direction":"in"', '"direction":"out"'), "root"),
    ("spaces in a leaf", altered(0, '"v":1', '"v": 1'), "malformed"),
    ("a leaf that is no JSON", altered(0, "{", "["), "malformed"),
    ("a wrong number in a leaf", renumbered, "malformed"),
    ("a checkpoint by another key", signed_by_another, "signature"),
    ("a checkpoint that is none", lambda j, b: {"checkpoint": "x"}, "signature"),
    ("a checkpoint of another size", of_another_size, "malformed"),
    ("a checkpoint of another root", of_another_root, "root"),
    ("a payload missing", without_payload, "malformed"),
    ("a payload exchanged", with_another_payload, "malformed"),
    ("a payload that is no base64", with_no_base64, "malformed"),
    ("a payload too long", with_a_long_payload, "oversized"),
    ("a certificate by another terminal", certified_by_another, "certificate"),
    ("a certificate of another segment", certified_for_another, "certificate"),
    ("a certificate that is none", lambda j, b: {"certificate": ""}, "certificate"),
    ("another terminal's log", of_another_terminal, "certificate"),
    ("an origin that is none", lambda j, b: {"origin": "x"}, "certificate"),
]


@pytest.mark.parametrize(("alter", "reason"), [x[1:] for x in BROKEN], ids=[x[0] for x in BROKEN])
def test_a_broken_batch_is_refused_with_the_reason_and_nothing_is_stored(
    world: World, alter: Callable[[Journal, wire.Batch], dict[str, Any]], reason: str
) -> None:
    journal = journal_of_all_sorts()
    batch = journal.batch()
    message = twins.differently(journal, batch, **alter(journal, batch))
    world.step(message)
    sent = wire.decode(wire.Batch, message.payload)
    digest = hashlib.sha256(sent.checkpoint.encode()).hexdigest()
    assert world.on("hint") == [wire.Hint(refused=wire.Refusal(reason, digest))]  # type: ignore[arg-type]
    assert not world.on("receipt") and not world.query("SELECT 1 FROM entry")
    assert world.query("SELECT terminal, reason, count FROM refused") == [(TERMINAL, reason, 1)]
    world.step(journal.message())
    assert world.on("receipt")


def forked(size: int) -> Journal:
    """The same segment, with another history from entry 1 on."""
    journal = Journal(TERMINAL)
    journal.heartbeat()
    for second in range(100, 100 + size - 1):
        journal.heartbeat(second)
    return journal


@pytest.mark.parametrize(("start", "end"), [(0, 13), (0, 5), (2, 5), (0, 20), (5, 20)])
def test_a_fork_is_refused_with_our_largest_receipt(world: World, start: int, end: int) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message())
    world.published.clear()
    world.step(forked(20).message(start, end))
    (hint,) = world.on("hint")
    assert hint.refused.reason == "fork"
    assert world.on("receipt")[0].checkpoint.startswith(f"{journal.origin}\n{journal.size}\n")
    assert len(world.query("SELECT 1 FROM entry")) == journal.size


def test_leaves_altered_on_the_way_are_not_called_a_fork(world: World) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message(0, 9))
    batch = journal.batch(0, 9)
    leaves = [leaf.replace('"reader":true', '"reader":false') for leaf in batch.leaves]
    world.step(twins.differently(journal, batch, leaves=leaves))
    assert world.on("hint")[-1].refused.reason == "root"


def test_a_second_certificate_for_the_same_key_is_taken(world: World) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message(0, 9))
    also = twins.signer("somebody").sign("else\n").signatures[0]
    again = notes.parse(journal.certificate).plus(also).encode()
    world.step(journal.message(9, certificate=again))
    assert world.on("receipt")[-1].checkpoint.startswith(f"{journal.origin}\n{journal.size}\n")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed"),
        (b"{}", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 200_000, "malformed"),
        (bytes(wire.BATCH_SIZE_MAX + 1), "oversized"),
    ],
)
def test_bad_bytes_are_counted_and_answered_and_stop_nothing(
    world: World, payload: bytes, reason: str
) -> None:
    world.step(Message(topic(TERMINAL, "journal"), payload), morning().message())
    assert world.on("hint") == [wire.Hint(refused=wire.Refusal(reason, ""))]  # type: ignore[arg-type]
    assert world.on("receipt")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_batch_with_any_byte_changed_is_refused_or_brings_the_same_leaves(
    data: st.DataObject,
) -> None:
    payload = ALL_SORTS.message().payload
    position = data.draw(st.integers(0, len(payload) - 1))
    byte = data.draw(st.integers(0, 255))
    broken = payload[:position] + bytes([byte]) + payload[position + 1 :]
    try:
        batch = wire.decode(wire.Batch, broken)
    except wire.WireBroken:
        return
    verdict = judge(batch, TERMINAL, twins.enrolled(TERMINAL).verifier(), None)
    if isinstance(verdict, Accepted):
        assert [held.leaf for held in verdict.held] == ALL_SORTS.leaves
    else:
        assert isinstance(verdict, Turned | Gap)


def test_messages_of_unknown_terminals_and_topics_are_counted(world: World) -> None:
    stranger = Journal("hall-9")
    stranger.heartbeat()
    world.step(stranger.message(), Message("ciao/1/NOT AN ID/journal", b"{}"))
    world.step(Message(topic(TERMINAL, "online"), b"["), Message("ciao/1/x/receipt", b"["))
    assert dict(world.query("SELECT reason, count FROM refused")) == {
        "unknown_terminal": 1,
        "topic": 1,
        "malformed": 1,
        "receipt": 1,
    }
    assert world.on("hint", "hall-9")[0].refused.reason == "unknown_terminal"


def test_history_cannot_be_rewritten_even_by_sql(world: World) -> None:
    journal = journal_of_all_sorts()
    world.run(journal.message())
    for statement in (
        "UPDATE entry SET leaf = x'00'",
        "DELETE FROM entry",
        "UPDATE transition SET after = 'accepted'",
        "DELETE FROM attempt_begun",
        "UPDATE attempt_ended SET what = '200'",
    ):
        with pytest.raises(Exception, match="append-only"):
            world.query(statement)


def test_leaf_hashes_are_those_of_the_leaves(world: World) -> None:
    journal = journal_of_all_sorts()
    world.step(journal.message())
    assert world.ledger.custody.leaf_hashes(1, 3, 6) == [
        leaf_hash(leaf) for leaf in journal.leaves[3:6]
    ]


def test_a_known_log_is_not_taken_from_another_terminals_topic(world: World) -> None:
    world.people.add_terminal("hall-4")
    journal = journal_of_all_sorts()
    world.step(journal.message(0, 3))
    own = journal.message(3, 6)
    world.step(Message(own.topic.replace(journal.terminal, "hall-4"), own.payload))
    (hint,) = world.on("hint", "hall-4")
    assert hint.refused is not None and hint.refused.reason == "certificate"
    assert world.query("SELECT size FROM log") == [(3,)]


def test_a_receipt_is_given_again_by_the_present_key_and_then_byte_for_byte(
    tmp_path: Path,
) -> None:
    world = World(tmp_path).online()
    world.settle(morning().message(0))
    (first,) = world.on("receipt")
    old, new = world.cosigner, Signer(world.cosigner.name, twins.signer("a successor").private)
    world.cosigner, world.retired = new, [old.verifier(COSIGNATURE_V1)]
    for _ in range(2):
        world.restart()
        world.online()
    _, again, once_more = world.on("receipt")
    assert again == once_more
    note, before = notes.parse(again.checkpoint), notes.parse(first.checkpoint)
    assert note.text == before.text
    assert cosignature_time(note, new.verifier(COSIGNATURE_V1))
    # Since when it is held stays what it was, and the policy of before goes on to hold for it.
    (log,) = logs_of(world.ledger._connection, TERMINAL)
    for kept in (log.note_from(1), log.note_upto(log.size)):
        assert kept is not None and kept.note == first.checkpoint
    assert world.ledger.deletions.note_from(log.origin, 1) == (log.size, first.checkpoint)
