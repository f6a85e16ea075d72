"""Edge: `python -m terminal.enrolment --config FILE`: renew the certificate where it is due.

It also asks which servers were revoked. A process of its own, a second long, once a day: the tap
process needs none of what it imports. Exit status 0: there is something new; 3: there is not; 2: it
could not be looked up, and why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ciao.errors import BadInput, report
from hardware.clock import system_clock
from terminal import config as configuration
from terminal.enrolment.renew import look_up_revoked, renew

NOT_DUE = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Renew; return the exit status."""
    parser = argparse.ArgumentParser(prog="ciao-terminal renew", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("terminal.toml"), metavar="FILE")
    parser.add_argument("--force", action="store_true", help="also where it is not due")
    options = parser.parse_args(arguments)
    try:
        config = configuration.load(options.config)
        now = system_clock(config.zone, config.settings.clock.assured_error_ms)()
        ends = renew(config, now, force=options.force)
    except BadInput as error:
        return report(error)
    print("not due" if ends is None else f"renewed until {ends:%Y-%m-%d}")
    try:
        listed = look_up_revoked(config)
    except BadInput as error:
        # What was renewed is to be taken all the same; the list is asked for again tomorrow.
        status = report(error)
        return 0 if ends is not None else status
    if listed:
        print("the list of revoked servers is a new one")
    return NOT_DUE if ends is None and not listed else 0


if __name__ == "__main__":
    sys.exit(main())
