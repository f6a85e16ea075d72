"""Click, with this house's manners: one line `error:`, one line `hint:`, exit status 2.

The tap process never imports this module (click costs it memory and start-up time).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from ciao.errors import BadInput, report


class Commands(click.Group):
    """A group of commands whose errors are reported in two lines."""

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
