"""What is imported is declared, what is declared is used, and everything is pinned exactly."""

from __future__ import annotations

import configparser
import re
import sys
from importlib.metadata import packages_distributions, requires

import pytest

from tests.house.source import PACKAGES, ROOT, modules

# Which of setup.cfg's lists a package may draw on; "" is install_requires.
MAY_USE = {
    "ciao": ("", "gateway"),  # ciao.identifiers: check digits, for provisioning and gateway
    "hardware": ("",),
    "terminal": ("",),
    "provisioning": ("", "gateway"),
    "gateway": ("", "gateway"),
}
# Declared, and used without an import: data, tools that ./dev runs, types.
NOT_IMPORTED = {"tzdata", "mypy", "ruff", "types-requests"}


def declared() -> dict[str, set[str]]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg")
    lists = {"": parser["options"]["install_requires"], **parser["options.extras_require"]}
    return {
        extra: {name_of(line) for line in text.split("\n") if line} for extra, text in lists.items()
    }


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return canonical(found[0])


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(*packages: str) -> dict[str, str]:
    """Map each distribution that these packages import to a place where they do."""
    distributions = packages_distributions()
    found = {}
    for module in modules(*packages):
        for line, name in module.imports():
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top in (*PACKAGES, "tests", "bench"):
                continue
            owners = distributions.get(top, [top])
            found[canonical(owners[0])] = f"{module.path}:{line}"
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_imports_is_declared_for_it(package: str) -> None:
    lists = declared()
    allowed = set().union(*(lists[extra] for extra in MAY_USE[package]))
    undeclared = {name: place for name, place in imported(package).items() if name not in allowed}
    assert not undeclared, f"declare it in setup.cfg, or do without: {undeclared}"


def test_what_tests_and_bench_import_is_declared() -> None:
    everything = set().union(*declared().values())
    undeclared = {
        n: place for n, place in imported("tests", "bench").items() if n not in everything
    }
    assert not undeclared, f"declare it in setup.cfg's dev list: {undeclared}"


def test_what_is_declared_is_used() -> None:
    used = {*imported(*PACKAGES, "tests", "bench"), *NOT_IMPORTED}
    unused = set().union(*declared().values()) - used
    assert not unused, f"take it out of setup.cfg and constraints.txt: {sorted(unused)}"


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonical(name): version for name, version in found.items()}


def test_everything_installed_is_pinned() -> None:
    waiting = set().union(*declared().values())
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        for requirement in requires(name) or []:
            if ";" not in requirement and name_of(requirement) not in {*reached, "pip"}:
                waiting.add(name_of(requirement))
    missing = reached - pins().keys()
    assert not missing, f"add the exact version to constraints.txt: {sorted(missing)}"


def test_imports_are_found_at_all() -> None:
    assert imported("tests")["pytest"].startswith("tests/")
