"""One reader under atheris, in a process of its own: `READER, then libFuzzer's own arguments`.

Our code is instrumented while it is imported, so nothing of it may be imported before that.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

OURS = ["ciao", "hardware", "terminal", "provisioning", "gateway"]


def main() -> None:
    """Hunt until libFuzzer's limits end it; it ends the process itself."""
    atheris = importlib.import_module("atheris")
    name, *arguments = sys.argv[1:]
    with atheris.instrument_imports(include=OURS):
        readers = importlib.import_module("tests.security.readers").READERS
    reader = readers[name]

    def once(raw: bytes) -> None:
        with contextlib.suppress(*reader.raises):
            reader.read(raw)

    atheris.Setup([sys.argv[0], *arguments], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
