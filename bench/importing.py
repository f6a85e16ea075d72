"""A spreadsheet of people into the registry, against bare SQLite inserts of the same rows.

Each person is three rows, with NISS, name and UID encrypted and found by keyed hashes; a line is
looked up before it is added, and taken back alone where it is wrong. The bare side writes the very
rows that came of it into the same tables, with their indices, in one transaction. Times are CPU
times, since machines are shared; both sides wait for the disk once.
"""

from __future__ import annotations

import csv
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from bench.figures import Figure, Options

PEOPLE = 20_000
QUICK = 5_000
TIMES = 10
BORN_A_DAY = 400
TABLES = ("people", "employments", "badges")


def run(options: Options) -> Iterator[Figure]:
    """Import people, and ten times as many; again, where all are there already."""
    many = QUICK if options.quick else PEOPLE
    few = many // TIMES
    with tempfile.TemporaryDirectory() as folder:
        few_s, _, _ = _measured(Path(folder) / "few", few)
        many_s, again_s, bare_s = _measured(Path(folder) / "many", many)
    name = f"import of {many:,} people"
    against = f"bare inserts of the same rows in one transaction, {bare_s:.2f} s"
    yield Figure(f"{name} with a badge each", many_s / bare_s, "times", None, against)
    yield Figure(f"{name}, each", many_s / many * 1e6, "µs", None, "of CPU, start-up left out")
    linear = many_s / few_s / TIMES
    yield Figure(f"{name}, against {few:,}", linear, "times linear", 1.1, "start-up left out")
    yield Figure(f"{name} who are there", again_s / many_s, "times", 1, "the first time")


def _measured(folder: Path, number: int) -> tuple[float, float, float]:
    """Return seconds: to import so many, to do it again, and to insert the same rows barely."""
    office = folder / "office"
    folder.mkdir()
    _provision_s("init", office, "--domain", "bench.example.be", "--broker-host", "127.0.0.1")
    _provision_s("employer", office, "add", "a", "--name", "A", "--company", "0123456749")
    first, rest = folder / "first.csv", folder / "rest.csv"
    _write(first, range(1))
    _write(rest, range(1, number + 1))
    _provision_s("import", office, str(first))
    startup_s = _provision_s("import", office, str(first))
    once_s = _provision_s("import", office, str(rest)) - startup_s
    again_s = _provision_s("import", office, str(rest)) - startup_s
    return once_s, again_s, _bare_s(office / "registry.db", folder / "bare.db")


def _provision_s(command: str, office: Path, *words: str) -> float:
    """Run a command as people do; return the seconds of CPU it took."""
    program = [sys.executable, "-m", "provisioning.cli", command, *words, "--dir", str(office)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(program, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _bare_s(registry: Path, path: Path) -> float:
    """Insert every row of these tables into the same tables elsewhere, durably."""
    with closing(sqlite3.connect(registry)) as full, closing(sqlite3.connect(path)) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        wanted = f"tbl_name IN {TABLES} AND type IN ('table', 'index') AND sql IS NOT NULL"
        for (sql,) in full.execute(
            f"SELECT sql FROM sqlite_master WHERE {wanted} ORDER BY type DESC"
        ):
            bare.execute(sql)
        held = {table: full.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}

        began_s = time.process_time()
        with bare:
            for table, rows in held.items():
                into = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
                for row in rows:
                    bare.execute(into, row)
        return time.process_time() - began_s


def _write(path: Path, numbers: range) -> None:
    """Write a spreadsheet of made-up people, each of whom has a badge."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["niss", "name", "language", "from", "badge"])
        for n in numbers:
            writer.writerow([_niss(n), f"Made Up {n}", "nl", "2026-01-05", f"04{n:012X}"])


def _niss(number: int) -> str:
    """The NISS of somebody made up, right in its check digits alone."""
    born = date(1960, 1, 1) + timedelta(days=number // BORN_A_DAY)
    nine = f"{born:%y%m%d}{number % BORN_A_DAY + 1:03}"
    return f"{nine}{97 - int(nine) % 97:02}"
