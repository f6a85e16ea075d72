"""What this machine is, and what a process of it costs: read from /proc."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def described(folder: Path) -> str:
    """Name cores, memory, Python and the disk of a folder in one line."""
    memory = next(_fields(Path("/proc/meminfo"), "MemTotal")) / 1024 / 1024
    device, kind = _mounted(folder.resolve())
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GB memory,"
        f" Python {sys.version.split()[0]}, {device} ({kind})"
    )


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in MB: resident, and what of that is its own alone."""

    resident_mb: float
    private_mb: float


def memory(pid: int) -> Memory:
    """Measure a process's memory."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    return Memory(
        next(_fields(rollup, "Rss")) / 1024,
        (sum(_fields(rollup, "Private_Clean")) + sum(_fields(rollup, "Private_Dirty"))) / 1024,
    )


def _fields(path: Path, name: str) -> Iterator[int]:
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            yield int(line.split()[1])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return os.uname().machine


def _mounted(folder: Path) -> tuple[str, str]:
    best = ("", "?", "?")
    for line in Path("/proc/mounts").read_text().splitlines():
        device, where, kind = line.split()[:3]
        if folder.is_relative_to(where) and len(where) >= len(best[0]):
            best = (where, device, kind)
    return best[1], best[2]
