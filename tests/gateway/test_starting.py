"""What a gateway loads to serve, and that every command is found all the same."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from gateway.cli import LATER, main

# What prints, signs and typesets: tens of megabytes and a second, for commands that people type.
NOT_TO_SERVE = {"pyhanko", "typst", "babel", "aiohttp", "segno", "lxml"}


def test_a_gateway_serves_without_what_only_its_reports_need() -> None:
    code = "import sys, gateway.cli; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not NOT_TO_SERVE & set(done.stdout.split())


@pytest.mark.parametrize("name", LATER)
def test_each_command_that_is_imported_late_is_one(name: str) -> None:
    found = main.get_command(click.Context(main), name)
    assert found is not None and found.name == name
    assert name in main.list_commands(click.Context(main))
