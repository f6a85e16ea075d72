"""A hunt: a process for one reader, its limits, and what libFuzzer said in the end."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.security.readers.reader import Reader

RSS_MAX_MB = 1024
INPUT_MAX_S = 10
# As long as a leaf may be, and longer where a reader takes more.
SIZE_MIN = 4096
SAID_MAX = 2000
_EXECUTIONS = re.compile(r"^stat::number_of_executed_units:\s+(\d+)", re.MULTILINE)
_EDGES = re.compile(r" cov: (\d+) ")


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a hunt: inputs tried, edges of code reached, files that crash or hang.

    `failed` is why there was no hunt at all, or "".
    """

    executions: int
    edges: int
    crashes: tuple[Path, ...]
    failed: str


def hunt(name: str, reader: Reader, corpus: Path, seconds: int) -> Found:
    """Hunt in one reader; inputs that reach new code stay in `corpus`, for the next time."""
    known = corpus / slug(name)
    known.mkdir(parents=True, exist_ok=True)
    (known / hashlib.sha1(reader.good, usedforsecurity=False).hexdigest()).write_bytes(reader.good)
    artifacts = f"{corpus}/crashes/{slug(name)}-"
    (corpus / "crashes").mkdir(exist_ok=True)
    before = set(corpus.glob(f"crashes/{slug(name)}-*"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.security.coverage_guided.target", name),
            f"-max_total_time={seconds}",
            f"-rss_limit_mb={RSS_MAX_MB}",
            f"-timeout={INPUT_MAX_S}",
            f"-max_len={max(SIZE_MIN, 2 * len(reader.good))}",
            f"-artifact_prefix={artifacts}",
            "-print_final_stats=1",
            str(known),
        ],
        capture_output=True,
        check=False,
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    crashes = sorted(set(corpus.glob(f"crashes/{slug(name)}-*")) - before)
    failed = said[-SAID_MAX:].strip() if done.returncode and not crashes else ""
    return Found(last(_EXECUTIONS, said), last(_EDGES, said), tuple(crashes), failed)


def slug(name: str) -> str:
    """Write a reader's name as a file's."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower())


def last(pattern: re.Pattern[str], text: str) -> int:
    """Return the last number that a pattern finds, or 0."""
    return int(([0, *pattern.findall(text)])[-1])
