"""A figure: what was measured, against what, and whether it reaches its target."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result; `target` is the largest value that meets it, None for none."""

    name: str
    value: float
    unit: str
    target: float | None
    against: str

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else self.value <= self.target


def paired(ours: Callable[[], object], bare: Callable[[], object], rounds: int) -> float:
    """Return median time of `ours` over median time of `bare`, taken in turn, so that a machine
    that slows down slows both.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, found in zip((ours, bare), times, strict=True):
            found.append(timed(work))
    return statistics.median(times[0]) / statistics.median(times[1])


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds one call took."""
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON."""
    rows = [{**asdict(figure), "met": figure.met} for figure in figures]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def line(figure: Figure) -> str:
    """One figure for people."""
    verdict = {True: "met", False: "NOT MET", None: ""}[figure.met]
    target = "" if figure.target is None else f"target {figure.target:g}"
    value = f"{figure.value:.3g} {figure.unit}"
    return f"{figure.name:<34} {value:>12}  {target:<14} {verdict:<8} {figure.against}"
