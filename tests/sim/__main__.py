"""`./dev simulate`: run seeds, show how far and how fast, and print what a failure needs."""

from __future__ import annotations

import sys

from tests.sim.command import main

if __name__ == "__main__":
    sys.exit(main())
