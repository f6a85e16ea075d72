"""What a bundle claims of times, of what came before and after, and of what was deleted."""

from __future__ import annotations

from pathlib import Path

from tests.evidence.second.bundle import Bundle, Log
from tests.evidence.second.signed import Policy, Said, consistent, decoded, included, ms, sha


class Verifier(Bundle):
    """The checks that rest on trees that hold."""

    def judge(self) -> None:
        """Make all of them."""
        for terminal in self.stretches:
            self.complete(terminal, [o for o in self.logs.values() if o.terminal == terminal])
        for log in self.logs.values():
            self.carried(log)
        self.must(self.stretches, "asked")
        self.disclosed()
        self.deletions()
        self.gateways()

    def named(self, log: Log, before: Log | None) -> None:
        """**Named checkpoints**, and **Bracket**."""
        head = log.said[0] if log.said and log.head["first"] == 0 else {}
        previous = head.get("previous", {}).get("note")
        floor = before.moments.get(previous, (0, None))[1] if before else None
        least = 0
        for said in log.own():
            if said["kind"] == "heartbeat" and "note" in said:
                size, moment = log.moments.get(said["note"], (-1, None))
                self.must(least <= size <= said["seq"], "note_missing")
                least, floor = max(least, size), max(floor or 0, moment or 0) or None
            if not believed(said):
                continue
            at, slack = ms(said["at"]), said["clock"]["error_ms"] + 2000
            after = next((m for size, _, m, _ in log.notes if size > said["seq"]), None)
            self.must(after is None or at <= after + slack, "too_late")
            slack += 12_000 if said["kind"] in ("tap", "refused") else 0
            self.must(floor is None or at >= floor - slack, "too_early")
            if said["kind"] == "tap" and floor is not None:
                bound = self.bindings.get(said.get("binding", ""))
                begun = not bound or ms(bound["effective_from"]) <= at
                self.must(begun, "binding_not_in_force")

    def stamps(self, log: Log, inherited: str | None) -> str | None:
        """**Stamps.** Return the binding that the last entry of its kind names."""
        for said in log.said:
            if said["kind"] not in ("binding", "tap") or "binding" not in said:
                continue
            if said["kind"] == "binding":
                inherited = said["binding"]
            elif "carried" not in said:
                self.must(inherited in (None, said["binding"]), "binding_not_in_force")
            if self.must(said["binding"] in self.bindings, "binding_missing"):
                bound = self.bindings[said["binding"]]
                number = bound["declaration"]["number"]
                right = bound["terminal"] == log.terminal
                self.must(right and said.get("declaration", number) == number, "binding_other")
        return inherited

    def complete(self, terminal: str, logs: list[Log]) -> None:
        """**Complete from** and **up to**."""
        stretch, inherited = self.stretches[terminal], None
        for number, log in enumerate(logs):
            self.named(log, logs[number - 1] if number else None)
            head = log.said[0] if log.said else {}
            inherited = self.stamps(log, inherited if head.get("why") == "yearly" else None)
            moments = [moment for _, _, moment, _ in log.notes if moment is not None]
            if number == 0 and moments and min(moments) <= ms(stretch["start"]):
                continue
            if self.must(log.head["first"] == 0, "start") and head.get("kind") == "segment":
                self.begins(log, head, logs[:number])
        self.must(logs, "fresh")
        if "end" in stretch:
            below = [s for log in logs for s in log.own() if s["seq"] < log.head["end"]]
            latest = max((ms(said["at"]) for said in below if believed(said)), default=0)
            self.must(ms(stretch["end"]) <= latest, "fresh")

    def begins(self, log: Log, head: Said, before: list[Log]) -> None:
        """A log begins as the first, behind one that is here, or as one that was damaged."""
        why, previous = head["why"], head.get("previous", {})
        old = next((one for one in before if one.origin == previous.get("origin")), None)
        if why == "damaged" and (old is None or (old.head["end"] and "note" not in previous)):
            self.must(self.covered(log.terminal), "predecessor")
        elif not previous:
            self.must(why == "new" and not before, "begins_anew")
        elif old is None:
            self.must(False, "predecessor")
        if old is None:
            return
        loose = why in ("damaged", "rolled_back")
        self.must(loose or old is before[-1], "branch")
        least = max((old.moments[s["note"]][0] for s in old.own() if names(s, old)), default=0)
        known: set[str | None] = {note for note, (size, _) in old.moments.items() if size >= least}
        if why == "damaged":
            known = {None, *(note for one in self.logs.values() for note in one.moments)}
        self.must(previous.get("note") in known, "predecessor")
        size, end = previous["size"], old.head["end"]
        free = why == "rolled_back" or (why == "damaged" and size == 0)
        self.must(why not in ("new", "yearly") or size >= end, "predecessor_root")
        if size <= end and not free:
            proof = [bytes.fromhex(one) for one in log.head.get("previous", [])]
            root = bytes.fromhex(previous["root"])
            # Behind a tree that does not hold nothing is known; that was said.
            holds = end not in old.roots or consistent(size, end, root, old.roots[end], proof)
            self.must(holds, "predecessor_root")
        self.handed_over(log, old, range(end, size))

    def covered(self, terminal: str) -> bool:
        """Whether journals of gateways that name its checkpoints reach over its stretch."""
        stretch = self.stretches[terminal]
        if "end" not in stretch or terminal.startswith("gateway-"):
            return True
        here = {
            note for log in self.logs.values() if log.terminal == terminal for note in log.moments
        }
        by = {
            log.terminal
            for log in self.logs.values()
            for said in log.own()
            if believed(said) and said.get("notes", {}).get(terminal) in here
        }
        spans = [self.stretches[one] for one in by if "end" in self.stretches[one]]
        at = ms(stretch["start"])
        for start, end in sorted((ms(one["start"]), ms(one["end"])) for one in spans):
            at = max(at, end) if start <= at else at
        return bool(spans) and at >= ms(stretch["end"]) - 300_000

    def handed_over(self, log: Log, old: Log, owed: range) -> None:
        """What stood behind the end of the log before is carried, or named as unreadable."""
        here: set[int] = set()
        others = 0
        for said in log.said[1 : handed(log)]:
            pair = said.get("carried")
            ranges = (
                [{**pair, "first": pair["seq"], "last": pair["seq"]}] if pair else said["ranges"]
            )
            for one in ranges:
                numbers = range(one["first"], one["last"] + 1)
                others += len(numbers) if one["origin"] != old.origin else 0
                here |= set(numbers) if one["origin"] == old.origin else set()
        self.must(sum(seq not in here for seq in owed) <= others, "handed_over")

    def carried(self, log: Log) -> None:
        """What is carried stands behind entry 0, and says what stands at its first place."""
        why = log.said[0].get("why") if log.said and log.head["first"] == 0 else None
        for at, said in enumerate(log.said):
            if "carried" not in said:
                continue
            early = log.head["first"] > 0 or (
                at < handed(log) and why in ("damaged", "rolled_back")
            )
            self.must(early, "carried")
            first = self.logs.get(said["carried"]["origin"])
            seq = said["carried"]["seq"] - first.head["first"] if first else -1
            if first and 0 <= seq < len(first.said):
                there = first.said[seq]
                other = why == "rolled_back" and there.get("payload", 0) != said.get("payload", 1)
                self.must(bare(there) == bare(said) or other, "carried")

    def disclosed(self) -> None:
        """**Disclosure.**"""
        for log in self.logs.values():
            for row, said in zip(log.rows, log.said, strict=True):
                if "opening" in row:
                    hashed = sha(row["opening"].encode()).hex()
                    self.must(hashed == said.get("opening") and self.manifest["full"], "opening")
                if "gone" in row:
                    sealed = "opening" in said and "opening" not in row
                    self.must(sealed and self.manifest["full"], "gone")

    def deletions(self) -> None:
        """**Deletions**, and that what was deleted isn't here."""
        for line in self.lines("deletions.jsonl", "deletion"):
            self.tried("deletion", self.deletion, line)

    def deletion(self, line: Said) -> None:
        """One entry of a gateway's own journal, with its proof."""
        origin = line["note"].split("\n", 1)[0]
        gateway = origin.split("/")[2]
        key = self.certified(line["certificate"], origin)
        size, root, _ = self.checkpoint(line["note"], origin, key)
        leaf, proof = line["leaf"].encode(), [bytes.fromhex(one) for one in line["proof"]]
        said = decoded(leaf, 4096)
        right = said["kind"] == "deletion" and said["seq"] == line["seq"]
        right = right and included(line["seq"], size, leaf, root, proof)
        self.must(key and right and gateway.startswith("gateway-"), "deletion")
        for one in said["ranges"]:
            of = [b for b in self.bindings.values() if b["terminal"] == one["origin"].split("/")[2]]
            ids = {f"gateway-{pair['id']}" for bound in of for pair in bound["gateways"]}
            self.must(not of or gateway in ids, "deletion")
        self.gone(said)

    def gone(self, said: Said) -> None:
        """What is disclosed was not deleted, nor is a log here that was deleted whole."""
        for one in said["ranges"]:
            rows = self.logs[one["origin"]].rows if one["origin"] in self.logs else []
            of = [row for row in rows if one["first"] <= row["seq"] <= one["last"]]
            shown = said["why"] == "retention" and any("opening" in row for row in of)
            whole = said["why"] == "segment" and one["origin"] in self.logs
            self.must(not shown and not whole, "not_deleted")

    def gateways(self) -> None:
        """**What gateways say**: each checkpoint that their journals name is here."""
        for said in (one for log in self.logs.values() for one in log.own()):
            for terminal, note in said.get("notes", {}).items() if believed(said) else ():
                stretch = self.stretches.get(terminal)
                if not stretch or "end" not in stretch:
                    continue
                if ms(stretch["start"]) <= ms(said["at"]) <= ms(stretch["end"]):
                    here = (log for log in self.logs.values() if log.terminal == terminal)
                    self.must(any(note in log.moments for log in here), "note_hidden")


def believed(said: Said) -> bool:
    """Whether an entry's clock can be believed."""
    clock = said.get("clock", {})
    return bool(clock.get("synced")) and clock.get("error_ms", 16_001) <= 16_000


def names(said: Said, log: Log) -> bool:
    """Whether an entry names a checkpoint that is here."""
    return said["kind"] == "heartbeat" and said.get("note") in log.moments


def handed(log: Log) -> int:
    """Return where that ends which stands directly behind entry 0 and was handed over."""
    for at, said in enumerate(log.said[1:], 1):
        lost = said["kind"] == "deletion" and said.get("why") == "unreadable"
        if "carried" not in said and not lost:
            return at
    return len(log.said)


def bare(said: Said) -> Said:
    """Leave out where it stands."""
    return {name: value for name, value in said.items() if name not in ("seq", "carried")}


def verify(folder: Path, policy: str) -> set[str]:
    """Return the codes of what fails (evidence.md, "What must hold")."""
    try:
        bundle = Verifier(folder, Policy.read(policy))
        bundle.files()
        bundle.keys()
        bundle.read()
        for log in bundle.logs.values():
            bundle.tree(log)
    except (ValueError, KeyError, TypeError):
        return {"form"}
    try:
        bundle.judge()
    except (ValueError, KeyError, TypeError):
        # An entry that lacks what its kind has is flagged; but what rests on it can't be judged.
        bundle.fails.add("leaf")
    return bundle.fails
