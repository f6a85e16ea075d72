"""Every command says what it does, and every option what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from ciao.verifier.cli import command as verify
from gateway.cli import main as gateway
from hardware.emulator.cli import main as emulator
from provisioning.cli import main as provision
from terminal.cli import main as terminal

PROGRAMS = {
    "ciao-terminal": terminal,
    "ciao-gateway": gateway,
    "ciao-provision": provision,
    "ciao-emulator": emulator,
    "ciao-verify": verify,
}


def commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(f"{path} {name}", found)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_and_every_option_teaches(program: str) -> None:
    silent = []
    for path, command in commands(program, PROGRAMS[program]):
        options = [one for one in command.params if isinstance(one, click.Option)]
        silent += [] if command.help else [path]
        silent += [f"{path} {one.opts[0]}" for one in options if not (one.help or one.hidden)]
    assert not silent, f"say what each is for, with help=…: {silent}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_is_had_by_h_too_and_a_group_says_how_words_are_completed(program: str) -> None:
    said = CliRunner().invoke(PROGRAMS[program], ["-h"], prog_name=program)
    assert said.exit_code == 0 and said.output.startswith(f"Usage: {program}")
    if isinstance(PROGRAMS[program], click.Group):
        assert f'eval "$(_{program.replace("-", "_").upper()}_COMPLETE=bash_source' in said.output
