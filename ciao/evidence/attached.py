"""What lies inside `report.pdf` and ties it to the rows that it was made of. Pure."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ciao import canonical
from ciao.entries import Sha256

# The name in the PDF of what follows.
ATTACHED = "made-of.json"
# The rows themselves lie in the PDF up to here: it is set in memory, and must open everywhere.
ROWS_SIZE_MAX = 8 * 1024 * 1024


class Attached(Struct, frozen=True):
    """The SHA-256 of the `rows.jsonl` and of the `checkpoints.jsonl` that a report was made of."""

    rows: Sha256
    checkpoints: Sha256


_decoder = msgspec.json.Decoder(Attached)


def encode(attached: Attached) -> bytes:
    """Write it as it lies in the PDF."""
    return canonical.encode(attached)


def decode(data: bytes) -> Attached:
    """Read it; raise ValueError."""
    try:
        return _decoder.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
