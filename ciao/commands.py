"""Click, with this house's manners: one line `error:`, one line `hint:`, exit status 2.

The tap process never imports this module (click costs it memory and start-up time).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from ciao.errors import BadInput, report

# The first sentence of a command's help, which lists show.
SENTENCE_MAX = 240


class Commands(click.Group):
    """A group of commands whose errors are reported in two lines.

    `later` names commands that are imported only when they are asked for, each `module:attribute`:
    whoever starts a service doesn't wait for what prints its reports.
    """

    def __init__(self, *args: Any, later: Mapping[str, str] | None = None, **more: Any) -> None:
        more.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **more)
        self._later = dict(later or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List all of them, imported or not."""
        return sorted({*super().list_commands(ctx), *self._later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, and import it where that was left for now."""
        place = self._later.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command), place
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with its whole first sentence, wrapped, where click would cut it."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, command.get_short_help_str(SENTENCE_MAX))
            for name, command in found
            if command is not None and not command.hidden
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say under a program's own help how its words are completed by the Tab key."""
        super().format_epilog(ctx, formatter)
        if ctx.parent is None and (name := ctx.info_name):
            variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
            with formatter.section("The Tab key completes, with this in ~/.bashrc"):
                formatter.write(f'  eval "$({variable}=bash_source {name})"\n')

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command; on bad input print what and what to do, and exit with 2."""
        found = reported_status(
            lambda: super(Commands, self).main(
                args, prog_name, complete_var, standalone_mode=False, **extra
            ),
            prog_name or self.name or "",
        )
        if not standalone_mode:
            return found
        sys.exit(found if isinstance(found, int) else 0)


def run_alone(command: click.Command, prog_name: str) -> None:
    """Run a program that is one command, with the same manners."""
    status = reported_status(
        lambda: command.main(None, prog_name, standalone_mode=False), prog_name
    )
    sys.exit(status if isinstance(status, int) else 0)


def reported_status(run: Callable[[], Any], name: str) -> Any:
    """Run; on bad input print what and what to do, and exit with 2."""
    try:
        return run()
    except BadInput as error:
        sys.exit(report(error))
    except click.Abort:
        sys.exit(130)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else name
        hint = f"see '{path} --help'"
        sys.exit(report(BadInput(error.format_message().rstrip("."), hint)))
    except click.ClickException as error:
        sys.exit(report(BadInput(error.format_message().rstrip("."), "see --help")))
