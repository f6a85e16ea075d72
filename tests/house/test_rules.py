"""Our code, held to the rules of rules.py: each message says what to do instead."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.house import rules
from tests.house.source import Module, modules, our_modules

OURS = our_modules()
TESTS = modules("tests", "bench")
assert OURS, "there is nothing to hold to the rules"


def hold(rule: rules.Rule, held: Iterable[Module]) -> None:
    broken = [message for module in held for message in rule(module)]
    if broken:
        pytest.fail("\n".join(broken), pytrace=False)


def test_each_package_imports_only_those_below_it() -> None:
    hold(rules.layers, OURS)


def test_clocks_randomness_and_the_world_are_touched_in_edges_only() -> None:
    hold(rules.edges, OURS)


def test_edges_are_constructed_in_the_programs_only() -> None:
    constructors = {name for module in OURS for name in rules.constructors_of(module)}
    hold(lambda module: rules.construction(module, constructors), OURS)


def test_the_tap_process_imports_nothing_heavy() -> None:
    known = {module.name: module for module in OURS}
    starts = [m.name for m in OURS if m.package == "terminal" and m.stem not in ("cli", "command")]
    broken = {
        message
        for start in starts
        for message in rules.tap_imports(start, known, rules.NOT_WHILE_TAPPING)
    }
    if broken:
        pytest.fail("\n".join(sorted(broken, key=len)), pytrace=False)


def test_sql_is_written_in_the_stores_only() -> None:
    hold(rules.sql, OURS)


def test_nobody_but_a_supervisor_catches_everything() -> None:
    hold(rules.exceptions, [*OURS, *TESTS])


def test_no_moment_is_in_the_zone_of_the_machine() -> None:
    hold(rules.zones, OURS)


def test_files_and_functions_can_be_read_at_once() -> None:
    hold(rules.size, [*OURS, *TESTS])


def test_most_files_and_functions_are_short() -> None:
    files = [module.text.count("\n") for module in OURS]
    functions = [
        (function.end_lineno or 0) - function.lineno + 1
        for module in OURS
        for function in module.functions()
    ]
    advice = "split the longest: one idea a file, one step a function"
    assert sum(length > 250 for length in files) <= len(files) * 0.1, advice
    assert sum(length > 40 for length in functions) <= len(functions) * 0.05, advice


def test_no_test_sleeps() -> None:
    hold(rules.sleeps, TESTS)


def test_no_test_mocks() -> None:
    hold(rules.mocks, TESTS)


def test_nothing_is_announced_and_left_out() -> None:
    hold(rules.unfinished, [*OURS, *TESTS])
