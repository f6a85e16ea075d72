"""Every attack of EVIDENCE.md and some more, each with the code of the sentence that must be said.

The attacker owns the terminal: its enrolled key, its logs' keys, and whatever makes a bundle; not
the gateway's key, nor the employer's. What a gateway cosigns is what it was shown at the time. The
manifest and the table are made again to fit, as anybody can.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from ciao import binding, canonical, certificate
from ciao.evidence.lines import CheckpointLine, NoteLine, Row, SegmentLine
from ciao.notes import Signature, parse
from ciao.tree import Frontier, leaf_hash
from ciao.verifier.verify import Demand
from tests.ciao import examples
from tests.ciao.examples import signer
from tests.evidence.altering import (
    cut,
    edited,
    of_log,
    origin_of,
    renumbered,
    resigned,
    size_of,
    sizes,
)
from tests.evidence.bundles import Memory
from tests.evidence.making import STRANGER

Attack = Callable[[Memory], Memory]


def _rows_changed(change: Callable[[list[Row]], list[Row]]) -> Attack:
    def attack(memory: Memory) -> Memory:
        changed = memory.copy()
        changed.entries = change(changed.entries)
        return changed

    return attack


def _first(rows: list[Row], kind: str) -> int:
    return next(i for i, row in enumerate(rows) if f'"kind":"{kind}"' in row.leaf)


def _inserted(rows: list[Row]) -> list[Row]:
    at = _first(rows, "tap")
    return renumbered([*rows[: at + 1], edited(rows[at], direction="out"), *rows[at + 1 :]])


def _swapped(rows: list[Row]) -> list[Row]:
    at = _first(rows, "tap")
    return renumbered([*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]])


def _replaced(kind: str, **changes: Any) -> Attack:
    def change(rows: list[Row]) -> list[Row]:
        at = _first(rows, kind)
        return [*rows[:at], edited(rows[at], **changes), *rows[at + 1 :]]

    return _rows_changed(change)


def _said(memory: Memory, change: Callable[[CheckpointLine], list[CheckpointLine]]) -> Memory:
    changed = memory.copy()
    changed.said = [new for line in memory.said for new in change(line)]
    return changed


def _lines_changed(
    kind: type[CheckpointLine], change: Callable[[Any], list[CheckpointLine]], nth: int = 0
) -> Attack:
    """Change the nth line of a kind."""

    def attack(memory: Memory) -> Memory:
        seen = [0]

        def one(line: CheckpointLine) -> list[CheckpointLine]:
            if not isinstance(line, kind):
                return [line]
            seen[0] += 1
            return change(line) if seen[0] == nth + 1 else [line]

        return _said(memory, one)

    return attack


def shorter(memory: Memory, number: int = -1) -> Memory:
    return cut(memory, number, sizes(memory, number)[-2])


def claimed_shorter(memory: Memory) -> Memory:
    """The tail is dropped, and the manifest says no more than what is left."""
    changed = shorter(memory)
    stretch = msgspec.structs.replace(
        changed.manifest.stretches[0], end="2026-03-02T06:47:00.000+01:00"
    )
    changed.manifest = msgspec.structs.replace(changed.manifest, stretches=[stretch])
    return changed


def _stranger(line: NoteLine) -> list[CheckpointLine]:
    own = parse(line.note)
    alone = type(own)(own.text, own.signatures[:1])
    return [NoteLine(STRANGER.cosign(alone, 1772427732).encode())]


def _forged(line: NoteLine) -> list[CheckpointLine]:
    own = parse(line.note)
    last = own.signatures[-1]
    blob = last.blob[:7] + bytes([last.blob[7] ^ 1]) + last.blob[8:]
    forged = Signature(last.name, last.key_id, blob)
    return [NoteLine(type(own)(own.text, (*own.signatures[:-1], forged)).encode())]


def _other_tree(line: NoteLine) -> list[CheckpointLine]:
    """The same size, another root, signed by the terminal and cosigned by a gateway it fooled."""
    origin, size, _ = parse(line.note).text.split("\n", 2)
    other = examples.Checkpoint(origin, int(size), hashlib.sha256(b"another").digest())
    note = examples.COSIGNER.cosign(signer(origin).sign(other.text()), 1772427732)
    return [line, NoteLine(note.encode())]


def _named_hidden(memory: Memory) -> Memory:
    named = {
        said["note"]
        for row in memory.entries
        if "note" in (said := canonical.decode(row.leaf.encode(), 4096)) and "carried" not in said
    }

    def one(line: CheckpointLine) -> list[CheckpointLine]:
        hidden = isinstance(line, NoteLine) and hashlib.sha256(line.note.encode()).hexdigest()
        return [] if hidden == sorted(named)[0] else [line]

    return _said(memory, one)


def _without_log(number: int) -> Attack:
    def attack(memory: Memory) -> Memory:
        origin, changed = of_log(memory, number), memory.copy()
        changed.entries = [row for row in memory.entries if row.origin != origin]
        changed.said, inside = [], False
        for line in memory.said:
            if isinstance(line, SegmentLine):
                inside = line.origin == origin
            if not inside:
                changed.said.append(line)
        return changed

    return attack


def _certified_by_another(line: SegmentLine) -> list[CheckpointLine]:
    enrolled = type(examples.ENROLLED)(examples.ENROLLED.name, STRANGER.private)
    made = certificate.certify(enrolled, signer(line.origin).verifier())
    return [msgspec.structs.replace(line, certificate=made)]


def _binding_replaced(**changes: Any) -> Attack:
    """The terminal's owner writes a binding; only the employer can sign one."""

    def attack(memory: Memory) -> Memory:
        changed = memory.copy()
        made = binding.sign(
            msgspec.structs.replace(examples.BINDING, **changes),
            type(examples.PROVISIONING)(examples.PROVISIONING.name, STRANGER.private),
        )
        old = f"{examples.BINDING_SHA256}.note"
        others = [one for one in memory.notes if one[0] != old]
        changed.notes = [*others, (f"{binding.digest(made)}.note", made)]
        return changed

    return attack


def _bindings(keep: Callable[[str], bool]) -> Attack:
    def attack(memory: Memory) -> Memory:
        changed = memory.copy()
        changed.notes = [one for one in memory.notes if keep(one[0])]
        return changed

    return attack


def _disclosed_other(memory: Memory) -> Memory:
    changed = memory.copy()
    at = _first(changed.entries, "tap")
    other = '{"salt":"00000000000000000000000000000000","uid":"04ffffffffffff"}'
    changed.entries[at] = msgspec.structs.replace(changed.entries[at], opening=other)
    return changed


def _gone(memory: Memory) -> Memory:
    changed = memory.copy()
    at = _first(changed.entries, "tap")
    changed.entries[at] = msgspec.structs.replace(changed.entries[at], gone="deleted")
    return changed


def _table_changed(memory: Memory) -> Memory:
    changed = memory.copy()
    changed.shown = [line.replace(";in;", ";out;") for line in memory.made_table()]
    return changed


def _table_longer(memory: Memory) -> Memory:
    changed = memory.copy()
    changed.shown = [*memory.made_table(), "a;stamp;that;nobody;made\r\n"]
    return changed


def _starts_later(memory: Memory) -> Memory:
    """The first rows go; the edge of the tree is given rightly."""
    origin, changed = of_log(memory, 0), memory.copy()
    first = sizes(memory, 0)[1]
    edge = Frontier()
    for row in memory.entries[:first]:
        edge, _ = edge.append(leaf_hash(row.leaf.encode()))
    changed.entries = memory.entries[first:]
    changed.said = []
    for line in memory.said:
        if isinstance(line, SegmentLine) and line.origin == origin:
            peaks = [peak.hex() for peak in edge.peaks]
            changed.said.append(msgspec.structs.replace(line, first=first, edge=peaks))
        elif not isinstance(line, NoteLine) or origin_of(line) != origin or size_of(line) >= first:
            changed.said.append(line)
    return changed


def _unlisted(memory: Memory) -> Memory:
    changed = memory.copy()
    stretch = msgspec.structs.replace(changed.manifest.stretches[0], terminal="hall-4")
    changed.manifest = msgspec.structs.replace(changed.manifest, stretches=[stretch])
    return changed


def _later_end(memory: Memory) -> Memory:
    changed = memory.copy()
    stretch = msgspec.structs.replace(
        changed.manifest.stretches[0], end="2026-03-02T18:00:00.000+01:00"
    )
    changed.manifest = msgspec.structs.replace(changed.manifest, stretches=[stretch])
    return changed


def _all_resigned(memory: Memory) -> Memory:
    return resigned(_replaced("tap", direction="in")(memory), cosignatures=False)


def _all_resigned_with_old_cosignatures(memory: Memory) -> Memory:
    return resigned(_replaced("tap", direction="in")(memory), cosignatures=True)


def _edge_made_up(memory: Memory) -> Memory:
    changed = _starts_later(memory)
    header = changed.said[0]
    assert isinstance(header, SegmentLine)
    edge = ["00" * 32, *header.edge[1:]]
    changed.said[0] = msgspec.structs.replace(header, edge=edge)
    return changed


def shorter_said(memory: Memory) -> Memory:
    """The last checkpoint goes; its rows stay."""
    size = sizes(memory, -1)[-2]
    changed = memory.copy()
    changed.said = shorter(memory).said
    assert size < memory.entries[-1].seq
    return changed


def _renamed(memory: Memory) -> Memory:
    changed = memory.copy()
    names = [name for name, _ in memory.notes]
    texts = [text for _, text in memory.notes]
    changed.notes = list(zip(names, reversed(texts), strict=True))
    return changed


# What is done to an honest bundle, and the code of what must be said.
ON_A_BUNDLE: dict[str, tuple[Attack, str]] = {
    "an entry is deleted": (_rows_changed(lambda rows: rows[:5] + rows[6:]), "row_order"),
    "an entry is deleted, the rest renumbered": (
        _rows_changed(lambda rows: renumbered(rows[:5] + rows[6:])),
        "root",
    ),
    "an entry is edited": (_replaced("tap", direction="in"), "root"),
    "an entry is re-timed": (_replaced("tap", at="2026-03-02T05:00:00.000+01:00"), "root"),
    "an entry is inserted": (_rows_changed(_inserted), "root"),
    "two entries are reordered": (_rows_changed(_swapped), "root"),
    "an entry says another place": (_replaced("tap", seq=40), "leaf"),
    "an entry is no entry": (
        _rows_changed(lambda rows: [msgspec.structs.replace(rows[0], leaf="{ }"), *rows[1:]]),
        "leaf",
    ),
    "the tail is dropped": (lambda m: cut(m, -1, sizes(m, -1)[-2], notes=False), "end"),
    "the tail is dropped with its checkpoints": (shorter, "fresh"),
    "the bundle claims more than it has": (_later_end, "fresh"),
    "everything is signed again by the owner": (_all_resigned, "quorum"),
    "everything is signed again under the old cosignatures": (
        _all_resigned_with_old_cosignatures,
        "cosignature",
    ),
    "a stranger cosigned": (_lines_changed(NoteLine, _stranger), "quorum"),
    "a cosignature's time is changed": (_lines_changed(NoteLine, _forged), "cosignature"),
    "a named checkpoint is hidden": (_named_hidden, "note_missing"),
    "a checkpoint of another log": (
        _lines_changed(NoteLine, lambda line: [NoteLine(examples.COSIGNED_CHECKPOINT)]),
        "log_signature",
    ),
    "a fork": (_lines_changed(NoteLine, _other_tree), "fork"),
    "checkpoints are doubled": (_lines_changed(NoteLine, lambda line: [line, line]), "note_order"),
    "rows go on behind the last checkpoint": (
        lambda m: _said(shorter_said(m), lambda line: [line]),
        "beyond",
    ),
    "a card was rolled back and its log is cut to then": (lambda m: shorter(m, 2), "predecessor"),
    "a log in between is left out": (_without_log(1), "predecessor"),
    "the last log is left out": (_without_log(3), "fresh"),
    "the first log is left out": (_without_log(0), "predecessor"),
    "the first rows are left out": (_starts_later, "start"),
    "the tree left of the rows is made up": (_edge_made_up, "root"),
    "a log's key is certified by another": (
        _lines_changed(SegmentLine, _certified_by_another),
        "certificate",
    ),
    "a binding is written by the owner": (
        _binding_replaced(declaration=binding.Declaration("1Y1000003EQCZ")),
        "binding_signature",
    ),
    "a binding is under another's name": (
        _renamed,
        "binding_form",
    ),
    "the first binding is left out": (
        _bindings(lambda name: examples.BINDING_SHA256 not in name),
        "binding_missing",
    ),
    "no binding is left": (_bindings(lambda name: False), "certificate"),
    "another badge is disclosed": (_disclosed_other, "opening"),
    "a payload is said to be gone where nothing is disclosed": (_gone, "gone"),
    "the table says something else": (_table_changed, "table"),
    "the table says more": (_table_longer, "table"),
    "a terminal that the manifest does not name": (_unlisted, "unlisted"),
}


UNTIL = Demand(end=datetime(2026, 3, 2, 6, 48, tzinfo=examples.BRUSSELS_WINTER))
