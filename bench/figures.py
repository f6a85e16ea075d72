"""A figure: what was measured, against what, and whether it reaches its target."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What a bench is told: fewer rounds, a journal that lived long (`bench.history`), and how
    many entries a log of evidence has.
    """

    quick: bool = False
    history: Path | None = None
    entries: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result; `target` is the largest value that meets it, None for none, or the
    smallest where `at_least`.
    """

    name: str
    value: float
    unit: str
    target: float | None
    against: str
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


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
    rows = []
    for figure in figures:
        row = {**asdict(figure), "met": figure.met}
        del row["at_least"]
        rows.append(row)
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def line(figure: Figure) -> str:
    """One figure for people."""
    verdict = {True: "met", False: "NOT MET", None: ""}[figure.met]
    value = f"{figure.value:.3g} {figure.unit}"
    return f"{figure.name:<40} {value:>14}  {target(figure):<12} {verdict:<8} {figure.against}"


def target(figure: Figure) -> str:
    """The target for people."""
    if figure.target is None:
        return ""
    return f"{'≥' if figure.at_least else '≤'} {figure.target:g}"


def results(figures: Sequence[Figure], machine: str) -> str:
    """All of it as a page."""
    said = {True: "met", False: "**not met**", None: ""}
    rows = [
        f"| {f.name} | {f.value:.3g} {f.unit} | {target(f)} | {said[f.met]} | {f.against} |"
        for f in figures
    ]
    head = ["| what | value | target | | against |", "|---|---|---|---|---|"]
    return "\n".join([machine, "", *head, *rows, ""])
