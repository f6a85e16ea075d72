"""Edge: `report.pdf`, held to the rows it was made of, and to its own signature.

What its pages say is a reading that no program can check; that it was made of *these* rows, and is
unchanged since it was signed, can be. Whose the signature is, is for the reader's own program: a
policy names no certificates of that kind.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from ciao.evidence import attached, lines
from ciao.evidence.attached import ATTACHED, ROWS_SIZE_MAX
from ciao.evidence.lines import LineBroken
from ciao.verifier.findings import Findings, at
from ciao.verifier.policy import Policy

PDF_SIZE_MAX = 256 * 1024 * 1024
# What a compressed stream may become, and all that is read of a report together.
STREAM_SIZE_MAX = ROWS_SIZE_MAX + 1024 * 1024
_READ_SIZE_MAX = 64 * 1024 * 1024
# Nothing else lies in a report: what a reader opens there must be what it was made of.
_WITHIN = frozenset({ATTACHED, lines.ROWS})
# What a file that is no sound PDF makes its reader raise.
_BROKEN = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError),
    zlib.error,
)


def look(folder: Path, name: str, _policy: Policy, findings: Findings) -> None:
    """Look at a report, and say what is found."""
    try:
        from pyhanko.pdf_utils.misc import PdfError  # noqa: PLC0415
    except ImportError:
        # A small installation reads no PDFs: then it is a file like any that can't be checked.
        findings.unknown("attachment", at("file", file=name))
        return
    try:
        with (folder / name).open("rb") as file:
            reader = _reader(file)
            files = _files(reader)
            signed = _signed(reader)
    except (PdfError, OSError, *_BROKEN):
        findings.fail("report_form", at("file", file=name))
        return
    if not _made_of_these(folder, files):
        findings.fail("report_rows", at("file", file=name))
    if signed is None:
        findings.unknown("report_unsigned", at("file", file=name))
    elif not signed:
        findings.fail("report_altered", at("file", file=name))
    findings.unknown("report", at("file", file=name))


def _reader(file: BinaryIO) -> Any:
    """Open a report that may be made to fill the memory of whoever reads it."""
    from pyhanko.pdf_utils import decode_limits  # noqa: PLC0415
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415

    size = file.seek(0, SEEK_END)
    file.seek(0)
    if size > PDF_SIZE_MAX:
        raise ValueError("too large for a report")
    limits = decode_limits.DecodeLimits(
        per_stream=decode_limits.StreamDecodeLimits(max_output_size=STREAM_SIZE_MAX),
        document_budget=decode_limits.DocumentDecodeBudget(_READ_SIZE_MAX, max_ratio=0),
    )
    return PdfFileReader(file, decode_limits=limits)


def _files(reader: Any) -> dict[str, bytes]:
    """Read the embedded files (ISO 32000-1, 7.11.4); raise ValueError for any but ours."""
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    if len(names) > 2 * len(_WITHIN):
        raise ValueError("more files than a report has")
    found: dict[str, bytes] = {}
    for index in range(0, len(names), 2):
        name, streams = str(names[index]), names[index + 1]["/EF"]
        # One file may stand there by two names (F, UF): not by two contents.
        contents = {bytes(streams[key].data) for key in streams}
        if name in found or name not in _WITHIN or len(contents) != 1:
            raise ValueError("another file than a report has, or two of a name")
        found[name] = contents.pop()
    if len(reader.root.get("/AF", ())) > len(found):
        raise ValueError("more files than their list has")
    return found


def _made_of_these(folder: Path, files: dict[str, bytes]) -> bool:
    """Say whether a report names the rows and checkpoints that lie here, and holds no others."""
    try:
        said = attached.decode(files[ATTACHED])
        named = lines.read_manifest((folder / lines.MANIFEST).read_bytes()).files
        here = (named[lines.ROWS].sha256, named[lines.CHECKPOINTS].sha256)
    except (LookupError, ValueError, LineBroken):
        return False
    rows = files.get(lines.ROWS)
    within = rows is None or hashlib.sha256(rows).hexdigest() == said.rows
    return within and (said.rows, said.checkpoints) == here


def _signed(reader: Any) -> bool | None:
    """Say whether a signature covers all of it, unchanged; None where there is none."""
    from pyhanko.sign.validation import validate_pdf_signature  # noqa: PLC0415
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415

    if not reader.embedded_signatures:
        return None
    # Both complain to the log of a certificate that nobody vouches for here.
    for name in ("pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    trusting_nobody = ValidationContext(trust_roots=[], allow_fetching=False)
    status = validate_pdf_signature(reader.embedded_signatures[-1], trusting_nobody)
    whole = status.coverage is not None and status.coverage.name == "ENTIRE_FILE"
    return bool(status.intact and status.valid and whole)
