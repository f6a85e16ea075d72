"""Click, with this house's manners: one line `error:`, one line `hint:`, exit status 2.

The tap process never imports this module (click costs it memory and start-up time).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
        try:
            status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except BadInput as error:
            sys.exit(report(error))
        except click.Abort:
            sys.exit(130)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else (prog_name or self.name or "")
            hint = f"see '{path} --help'"
            sys.exit(report(BadInput(error.format_message().rstrip("."), hint)))
        except click.ClickException as error:
            sys.exit(report(BadInput(error.format_message().rstrip("."), "see --help")))
        if not standalone_mode:
            return status
        sys.exit(status if isinstance(status, int) else 0)
