"""Evidence: exporting and verifying a log, against a bare SHA-256 of the same bytes.

Verifying can't do without the signatures either: two Ed25519 for each cosigned checkpoint.

`python -m bench.evidence SIZE` does one size and prints it; `./dev bench evidence` does two, ten
times apart (`--entries N`: N and a tenth of it). Each work runs in a process of its own, so that
its memory is its own.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.figures import Figure, Options
from ciao.checkpoint import Checkpoint
from ciao.evidence import lines, writer
from ciao.evidence.source import Terminal
from ciao.tree import leaf_hash
from ciao.verifier.bundle import Bundle
from ciao.verifier.findings import Findings
from ciao.verifier.verify import Demand, verify
from gateway.ledger import Ledger, migrate
from gateway.ledger.custody import EntryRow
from gateway.ledger.evidence import logs_of, open_to_read
from tests.ciao import examples
from tests.ciao.examples import TERMINAL
from tests.evidence.bundles import asked
from tests.evidence.making import START, Twin, TwinLog, policy

SIZE = 100_000
QUICK = 20_000
# A stamp, a heartbeat and a receipt each minute: as many checkpoints as a terminal can name.
ENTRIES_A_MINUTE = 2
ROUNDS_OF_HASHING = 5
# The log's own signature and the gateway's; so many are verified to know what one costs.
SIGNATURES_A_NOTE = 2
SIGNATURES_TRIED = 2_000


class _Kept(TwinLog):
    """A log that goes straight into a ledger, and keeps nothing else."""

    ledger: Ledger
    number: int

    def append(self, leaf: bytes, payload: bytes | None = None) -> None:
        seq = self._frontier.size
        self._frontier, hashes = self._frontier.append(leaf_hash(leaf))
        row = EntryRow(seq, leaf, hashes, None, "payload_gone" if payload else None, None)
        self.ledger.custody.add_entries(self.number, [row])

    @property
    def size(self) -> int:
        return self._frontier.size

    def checkpoint(self, size: int | None = None) -> str:
        text = Checkpoint(self.origin, self.size, self._frontier.root()).text()
        return self.signer.sign(text).encode()


def grow(path: Path, entries: int) -> Twin:
    """Make a ledger that holds a log of so many entries, as a terminal writes them."""
    migrate(path)
    twin = Twin()
    with closing(Ledger.open(path)) as ledger, ledger.transaction():
        log = _Kept(twin.log.signer)
        log.ledger = ledger
        log.number = ledger.custody.add_log(log.origin, TERMINAL, b"", log.certificate)
        log.append(twin.log.leaves[0])
        twin.log = log
        twin.bind()
        for _ in range(entries // ENTRIES_A_MINUTE):
            twin.minutes(1)
            kept = log.kept.pop()
            ledger.custody.keep_note(kept.origin, kept.size, kept.note)
        ledger.custody.extend(log.number, log.size, log.checkpoint(), 0)
    return twin


def export(ledger: Path, out: Path, end_s: float) -> None:
    """Export everything, as `ciao-gateway evidence export` does."""
    with closing(open_to_read(ledger)) as db:
        twin = Twin()
        how = asked(twin.wait(end_s), START)
        terminal = Terminal(TERMINAL, list(logs_of(db, TERMINAL)), [examples.BINDING_NOTE], [])
        bundle = writer.begin(out, how)
        bundle.add_terminals([terminal])
        bundle.finish()


def check(folder: Path) -> None:
    """Verify everything, as `ciao-verify` does."""
    findings = Findings()
    with closing(Bundle(folder, findings, lambda _: None)) as opened:
        opened.check_files()
        verify(opened, policy(), Demand(), findings)
    if not findings.whole:
        raise AssertionError(findings.failures)


def _measured(what: str, *words: str) -> tuple[float, float]:
    """Do a work in a process of its own: seconds, and MiB at most."""
    line = [sys.executable, "-m", "bench.evidence", what, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    took_s, used_mib = json.loads(done.stdout)
    return float(took_s), float(used_mib)


def _hashed(folder: Path) -> float:
    """How long a bare SHA-256 of the same bytes takes, here and now."""
    content = [(folder / name).read_bytes() for name in (lines.ROWS, lines.CHECKPOINTS)]
    return min(
        _cpu_s(lambda: [hashlib.sha256(one).digest() for one in content])
        for _ in range(ROUNDS_OF_HASHING)
    )


def _signed() -> float:
    """How long one bare Ed25519 verification takes, here and now."""
    private, message = Ed25519PrivateKey.generate(), bytes(120)
    public, signature = private.public_key(), private.sign(message)
    took_s = _cpu_s(
        lambda: [public.verify(signature, message) for _ in range(SIGNATURES_TRIED)],
    )
    return took_s / SIGNATURES_TRIED


def measure(entries: int) -> dict[str, float]:
    """Grow, export and verify one log; times and memory of each."""
    with tempfile.TemporaryDirectory() as folder:
        ledger, out = Path(folder) / "ledger.db", Path(folder) / "bundle"
        twin = grow(ledger, entries)
        end_s = (twin.now - START).total_seconds()
        export_s, export_mib = _measured("export", str(ledger), str(out), str(end_s))
        verify_s, verify_mib = _measured("verify", str(out))
        size = sum(path.stat().st_size for path in out.iterdir() if path.is_file())
        return {
            "entries": entries,
            "bytes": size,
            "hash_s": _hashed(out),
            "signatures_s": entries / ENTRIES_A_MINUTE * SIGNATURES_A_NOTE * _signed(),
            "export_s": export_s,
            "export_mib": export_mib,
            "verify_s": verify_s,
            "verify_mib": verify_mib,
        }


def run(options: Options) -> Iterator[Figure]:
    """Measure two sizes, ten times apart."""
    entries = options.entries or (QUICK if options.quick else SIZE)
    few, many = (measure(size) for size in (entries // 10, entries))
    times = many["entries"] / few["entries"]
    for work in ("export", "verify"):
        linear = many[f"{work}_s"] / (few[f"{work}_s"] * times)
        grown = many[f"{work}_mib"] - few[f"{work}_mib"]
        ratio = many[f"{work}_s"] / many["hash_s"]
        said = f"{many['entries']:,.0f} entries against {few['entries']:,.0f}"
        yield Figure(f"{work}: time, ten times the entries", linear, "times linear", 1.2, said)
        yield Figure(f"{work}: memory, ten times the entries", grown, "MiB more", 8, said)
        bare = f"bare SHA-256 of the same {many['bytes']:,.0f} bytes"
        yield Figure(f"{work}: time", ratio, "times", None, bare)
        if work == "verify":
            signed = many["verify_s"] / (many["hash_s"] + many["signatures_s"])
            bare = "the same SHA-256, and a bare Ed25519 for each signature in them"
            yield Figure("verify: time, signatures counted in", signed, "times", None, bare)
        rate = many["entries"] / many[f"{work}_s"]
        yield Figure(f"{work}: rate", rate, "entries/s", None, "")


def _work(words: list[str]) -> None:
    works: dict[str, Callable[[], None]] = {
        "export": lambda: export(Path(words[1]), Path(words[2]), float(words[3])),
        "verify": lambda: check(Path(words[1])),
    }
    took_s = _cpu_s(works[words[0]])
    print(json.dumps([took_s, _peak_mib()]))


def _cpu_s(work: Callable[[], object]) -> float:
    """How many seconds of this process a work takes: what others do beside it doesn't count."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def _peak_mib() -> float:
    """The most memory that this process had; `ru_maxrss` would count its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    if sys.argv[1] in ("export", "verify"):
        _work(sys.argv[1:])
    else:
        print(json.dumps(measure(int(sys.argv[1])), indent=2))
