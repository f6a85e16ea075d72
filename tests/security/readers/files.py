"""The readers of files that somebody brings: evidence, a policy, keys, a spreadsheet."""

from __future__ import annotations

import csv
import io
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ciao import keys
from ciao.errors import BadInput
from ciao.evidence import attached, lines, stamped
from ciao.moments import moment
from ciao.notes import COSIGNATURE_V1
from ciao.verifier import policy
from gateway.report.signing import load_seal
from provisioning import ca
from provisioning.identities import load_identity
from provisioning.importing import columns, table
from tests.ciao import examples
from tests.security.readers.neighbours import NOW, ROOT
from tests.security.readers.reader import Reader, text

HASH = "00" * 32
BRUSSELS = ZoneInfo("Europe/Brussels")
IDENTITY = ca.make_ca("Example", now=NOW, random_bytes=lambda size: b"\x07" * size)
RSA = rsa.generate_private_key(65537, keys.RSA_BITS_MIN).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)
POLICY = f"""witness north {examples.COSIGNER.verifier(COSIGNATURE_V1)}
group both any north
quorum both
provisioning {examples.PROVISIONING.verifier()}
tsa {b64encode(ROOT.public_bytes(Encoding.DER)).decode()}
"""


def line(read: Callable[[bytes], object], good: bytes) -> Reader:
    return Reader(read, (lines.LineBroken,), good)


def key_file(load: Callable[[Path], object], good: bytes) -> Reader:
    """A reader of a path reads bytes, from a file that is ours alone."""

    def read(raw: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "one.key"
            keys.write_secret(path, raw)
            load(path)

    return Reader(read, (BadInput,), good)


def certificate_file(load: Callable[[Path, Path], object]) -> Reader:
    """A reader of a certificate, beside the key that belongs to it."""

    def read(raw: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder) / "one.pem", Path(folder) / "one.key"
            keys.write_secret(key, IDENTITY.key_pem)
            certificate.write_bytes(raw)
            load(certificate, key)

    return Reader(read, (BadInput,), IDENTITY.certificate_pem)


def imported(content: bytes) -> None:
    """Read a spreadsheet as far as the registry."""
    read = table.read(content)
    ours = columns.recognised(read.columns)
    for one in read.lines:
        cells = {name: one.cells.get(theirs, "") for name, theirs in ours.items()}
        columns.wanted(cells, ["acme"], lambda day, last: moment(day, BRUSSELS, last=last))


def spreadsheet() -> bytes:
    out = io.StringIO()
    rows = [list(columns.EXAMPLE), list(columns.EXAMPLE.values())]
    csv.writer(out, delimiter=";").writerows(rows)
    return out.getvalue().encode("utf-8-sig")


READERS: dict[str, Reader] = {
    "row of evidence": line(
        lines.read_row,
        lines.encode(lines.Row(examples.ORIGIN, 2, examples.LEAVES[2].decode(), "opening")),
    ),
    "checkpoint of evidence": line(
        lines.read_checkpoint,
        lines.encode(lines.SegmentLine(examples.ORIGIN, examples.CERTIFICATE, 1, 3, [HASH])),
    ),
    "deletion of evidence": line(
        lines.read_deletion,
        lines.encode(
            lines.DeletionLine(examples.CERTIFICATE, "note", 2, examples.LEAVES[2].decode(), [HASH])
        ),
    ),
    "link of evidence": line(lines.read_link, lines.encode(lines.LinkLine(examples.SUCCESSION))),
    "manifest": line(
        lines.read_manifest,
        lines.encode(
            lines.Manifest(
                format="ciao-evidence/1",
                asked=lines.Period("2026-03-02T06:00:00Z", "2026-03-03T06:00:00Z"),
                stretches=[lines.Stretch("hall-3", "2026-03-02T06:00:00Z")],
                made_at="2026-03-03T07:00:00Z",
                made_by="gateway",
                lang="fr",
                full=False,
                files={lines.ROWS: lines.FileName(1, HASH)},
            )
        ),
    ),
    "attached to a report": Reader(
        attached.decode, (ValueError,), attached.encode(attached.Attached(HASH, HASH))
    ),
    "stamped document": Reader(
        stamped.decode,
        (stamped.DocumentBroken,),
        stamped.encode("2026-03-02T06:00:00Z", [stamped.Checkpointed(examples.ORIGIN, HASH, 3)]),
    ),
    "policy": Reader(text(lambda one: policy.parse(one, "p")), (BadInput,), POLICY.encode()),
    "signing key": key_file(keys.load_signing_key, keys.private_pem(examples.SEGMENT.private)),
    "sealing key": key_file(keys.load_sealing_key, keys.private_pem(examples.GATEWAY_HPKE)),
    "TLS key": key_file(keys.load_p256_key, IDENTITY.key_pem),
    "key for the ONSS": key_file(keys.load_rsa_key, RSA),
    "certificate of an authority": certificate_file(load_identity),
    "certificate for reports": certificate_file(load_seal),
    "spreadsheet": Reader(imported, (BadInput,), spreadsheet()),
}
