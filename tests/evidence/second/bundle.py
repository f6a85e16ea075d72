"""What a bundle is made of, and that it leads to what was signed: files, keys, trees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.evidence.second.signed import (
    Key,
    Policy,
    Refused,
    Said,
    Tree,
    consistent,
    decoded,
    opened,
    raw64,
    sha,
)

FIELDS = {
    "manifest": "format asked stretches made_at made_by lang full files site?",
    "row": "origin seq leaf opening? gone?",
    "deletion": "certificate note seq leaf proof",
    "segment": "kind origin certificate first end edge? previous?",
    "earlier": "kind note proof",
    "note": "kind note",
    "claim": "kind note",
}


@dataclass(slots=True)
class Log:
    """One log of the bundle, as far as it was read."""

    head: Said
    key: Key | None
    notes: list[tuple[int, bytes, int | None, str]] = field(default_factory=list)
    claim: tuple[int, bytes] | None = None
    earlier: list[tuple[int, bytes, list[bytes]]] = field(default_factory=list)
    moments: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    rows: list[Said] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Its name."""
        return str(self.head["origin"])

    @property
    def terminal(self) -> str:
        """Whose log it is."""
        return self.origin.split("/")[2]

    def own(self) -> Iterator[Said]:
        """Give what was first written here."""
        return (said for said in self.said if "carried" not in said)


class Bundle:
    """What the checks share; `fails` are the codes so far."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        self.folder, self.policy = folder, policy
        self.fails: set[str] = set()
        self.bindings: dict[str, Said] = {}
        self.logs: dict[str, Log] = {}
        self.manifest = self.fields("manifest", (folder / "manifest.json").read_bytes()[:-1])
        self.stretches = {one["terminal"]: one for one in self.manifest["stretches"]}

    def must(self, holds: object, code: str) -> bool:
        """Note a failure where something doesn't hold."""
        if not holds:
            self.fails.add(code)
        return bool(holds)

    def tried(self, code: str, do: Callable[..., Any], *given: Any) -> Any:
        """Do what may be refused."""
        try:
            return do(*given)
        except (ValueError, KeyError, IndexError, TypeError):
            self.fails.add(code)
            return None

    def fields(self, kind: str, raw: bytes) -> Said:
        """Read an object that has the fields of its table."""
        said = decoded(raw, 4 << 20)
        names = FIELDS[said["kind"] if kind == "checkpoint" else kind].split()
        known = {name.rstrip("?") for name in names}
        if not {name for name in names if name[-1] != "?"} <= set(said) <= known:
            raise Refused(kind)
        return said

    def lines(self, name: str, kind: str) -> list[Said]:
        """Read a `.jsonl` file, where it is there."""
        path = self.folder / name
        content = path.read_bytes() if path.exists() else b""
        if content and not content.endswith(b"\n"):
            raise Refused(name)
        return [self.fields(kind, line) for line in content.split(b"\n")[:-1]]

    def files(self) -> None:
        """**Files.** Each has the size and hash that the manifest says, and no other is there."""
        for name, said in self.manifest["files"].items():
            path = self.folder / name
            if self.must(path.is_file() and ".." not in path.parts, "file_missing"):
                content = path.read_bytes()
                whole = (len(content), sha(content).hex()) == (said["size"], said["sha256"])
                self.must(whole, "file_altered")
        found = (one for one in self.folder.rglob("*") if one.is_symlink() or not one.is_dir())
        names = {one.relative_to(self.folder).as_posix(): one.is_symlink() for one in found}
        listed = {*self.manifest["files"], "manifest.json"}
        self.must(set(names) <= listed and not any(names.values()), "file_unnamed")
        self.must(len(self.stretches) == len(self.manifest["stretches"]), "form")

    def keys(self) -> None:
        """**Keys.** Bindings are signed by a key that is trusted, and named by their hash."""
        trusted = list(self.policy.provisioning)
        links = self.folder / "bindings/succession.jsonl"
        for line in links.read_bytes().splitlines() if links.exists() else ():
            link = decoded(line, 3 << 19)["link"]
            head, key = opened(link)[0].splitlines()
            if head == "ciao/1 succession" and self.by(link, trusted):
                trusted.append(Key.read(key))
        for path in sorted((self.folder / "bindings").glob("*.note")):
            note = path.read_text(encoding="utf-8")
            text = self.tried("binding_form", lambda one: opened(one)[0][:-1], note)
            if text is None or not self.must(sha(text.encode()).hex() == path.stem, "binding_form"):
                continue
            if self.must(self.by(note, trusted), "binding_signature"):
                self.bindings[path.stem] = decoded(text.encode(), 16 << 10)

    @staticmethod
    def by(note: str, keys: Iterable[Key]) -> bool:
        """Whether one of some keys signed."""
        try:
            return any(key.signed(note) for key in keys)
        except Refused:
            return False

    def certified(self, note: str, origin: str) -> Key | None:
        """Return the log key that the enrolled key, or the gateway's, of a binding certified."""
        name = origin.rpartition("/")[0]
        gateways = [one for said in self.bindings.values() for one in said["gateways"]]
        cosigners = [Key.read(one["cosigner"]) for one in gateways]
        keys = [Key(one.name, 1, one.public) for one in cosigners]
        keys += [
            Key.read(one["enrolled"])
            for one in self.bindings.values()
            if one["terminal"] == origin.split("/")[2]
        ]
        head, named, public = opened(note)[0].splitlines()
        right = (head, named) == ("ciao/1 segment", origin)
        signed = self.by(note, [key for key in keys if key.name == name])
        return Key(origin, 1, raw64(public)) if right and signed else None

    def checkpoint(self, note: str, log: str, key: Key | None) -> tuple[int, bytes, int | None]:
        """Read a checkpoint and check all that signed it: its size, its root, its moment."""
        origin, size, root = opened(note)[0].splitlines()
        signed = self.tried(
            "log_signature", lambda: origin == log and (not key or key.signed(note))
        )
        self.must(signed, "log_signature")
        for witness in self.policy.witnesses.values():
            self.tried("cosignature", witness.signed, note)
        moment = self.tried("cosignature", self.policy.moment, note)
        self.must(moment is not None, "quorum")
        return int(size), raw64(root), moment

    def read(self) -> None:
        """Read checkpoints, then rows."""
        log = None
        for line in self.lines("checkpoints.jsonl", "checkpoint"):
            if line["kind"] == "segment":
                key = self.tried("certificate", self.certified, line["certificate"], line["origin"])
                self.must(key, "certificate")
                self.must(line["origin"] not in self.logs, "form")
                log = self.logs[line["origin"]] = Log(line, key)
                self.must(log.terminal in self.stretches, "unlisted")
            elif log is None:
                raise Refused("a checkpoint of no log")
            elif line["kind"] == "claim":
                origin, claimed, top = opened(line["note"])[0].splitlines()
                signed = not log.key or (origin == log.origin and log.key.signed(line["note"]))
                self.must(signed, "log_signature")
                log.claim = int(claimed), raw64(top)
            else:
                size, root, moment = self.checkpoint(line["note"], log.origin, log.key)
                log.moments[sha(line["note"].encode()).hex()] = size, moment
                if line["kind"] == "note":
                    log.notes.append((size, root, moment, line["note"]))
                else:
                    log.earlier.append((size, root, [bytes.fromhex(one) for one in line["proof"]]))
        places = list(self.logs)
        at = 0
        for row in self.lines("rows.jsonl", "row"):
            if self.must(row["origin"] in places[at:], "row_order"):
                at = places.index(row["origin"])
                self.logs[row["origin"]].rows.append(row)

    def tree(self, log: Log) -> None:
        """**Tree.** The rows lead to each root that was signed."""
        first, end = log.head["first"], log.head["end"]
        tree = Tree(first, [bytes.fromhex(one) for one in log.head.get("edge", [])])
        log.roots[first] = tree.root()
        for seq, row in enumerate(log.rows, first):
            self.must(row["seq"] == seq, "row_order")
            said = self.tried("leaf", decoded, row["leaf"].encode(), 4096) or {}
            head = said.get("kind") == "segment" and "carried" not in said
            self.must(said.get("seq") == row["seq"] and head == (row["seq"] == 0), "leaf")
            log.said.append({"kind": "", **said, "seq": seq})
            tree.append(row["leaf"].encode())
            log.roots[tree.size] = tree.root()
        sizes = [first, *(size for size, *_ in log.notes)]
        once = len({note for *_, note in log.notes}) == len(log.notes)
        self.must(sizes == sorted(sizes) and once and sizes[-1] <= max(first, end), "note_order")
        self.must(tree.size >= end and end == (sizes[-1] if log.notes else 0), "end")
        signed = [(size, root) for size, root, *_ in log.notes]
        for size, root in signed + ([log.claim] if log.claim else []):
            if self.must(log.roots.get(size) == root, "root" if size in log.roots else "end"):
                continue
            if any(one == size and other != root for one, other in signed):
                self.fails.add("fork")
        self.must(tree.size <= end or (log.claim and log.claim[0] == tree.size), "beyond")
        for size, root, proof in log.earlier:
            holds = size < first and consistent(size, first, root, log.roots[first], proof)
            self.must(holds, "proof")
