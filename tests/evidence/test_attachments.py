"""What lies beside the rows: the report, and what an outside authority stamped, each attacked."""

from __future__ import annotations

import hashlib
import shutil
import tracemalloc
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from ciao import notes, printing
from ciao.checkpoint import Checkpoint
from ciao.evidence import attached, lines, stamped, writer
from ciao.evidence.lines import NoteLine, Stretch
from ciao.evidence.stamped import Checkpointed
from ciao.reading import rfc3339
from ciao.verifier.attachments import look_at
from ciao.verifier.findings import Findings, Stamped
from ciao.verifier.policy import parse as parse_policy
from ciao.verifier.report import STREAM_SIZE_MAX
from ciao.verifier.report import look as look_at_report
from ciao.verifier.timestamps import Timestamps
from gateway.evidence.attaching import add_report, add_stamps
from gateway.report.making import Told
from gateway.report.signing import Seal, load_seal
from tests.ciao import examples
from tests.evidence.bundles import asked, rebuilt
from tests.evidence.making import POLICY_TEXT, Twin, honest
from tests.evidence.test_files import run
from tests.report.making import pages, report
from tests.report.test_pages import TEMPLATE
from tests.support.authority import Authority
from tests.support.sealing import write_pair


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture(scope="module")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Seal:
    folder = tmp_path_factory.mktemp("office")
    write_pair(folder)
    return load_seal(folder / "report.pem", folder / "report.key")


def stamp_of(authority: Authority, document: bytes) -> bytes:
    request = TimestampRequestBuilder().data(document).hash_algorithm(HashAlgorithm.SHA256)
    return authority.reply(request.build().as_bytes())


def document_of(twin: Twin) -> bytes:
    """What a gateway would have had stamped: the newest checkpoint of each log."""
    newest = [log.kept[-1] for log in twin.logs]
    return stamped.encode(
        rfc3339(twin.now),
        [
            Checkpointed(one.origin, hashlib.sha256(one.note.encode()).hexdigest(), one.size)
            for one in newest
        ],
    )


def written(folder: Path, authority: Authority, seal: Seal | None) -> list[str]:
    """Write an honest bundle with everything in it; return what was said to be missing."""
    twin, said = honest(), list[str]()
    bundle = writer.begin(folder, asked(twin))
    bundle.add_terminals([twin.terminal])
    document = document_of(twin)
    assert add_stamps(bundle, [(twin.now, document, stamp_of(authority, document))]) == 1
    add_report(bundle, Told(), seal, said.append)
    bundle.finish()
    return said


@pytest.fixture(scope="module")
def whole(authority: Authority, seal: Seal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "bundle"
    assert written(folder, authority, seal) == []
    return folder


def test_where_no_terminal_wrote_anything_a_bundle_goes_without_a_report(tmp_path: Path) -> None:
    bundle, said = writer.begin(tmp_path / "bundle", asked(honest())), list[str]()
    bundle.stretches.append(Stretch("gateway-main", bundle.asked.period.start))
    add_report(bundle, Told(), None, said.append)
    assert said == ["there is no report.pdf: no terminal wrote anything in this period"]
    assert not bundle.files


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def trusting(authority: Authority | None) -> str:
    if authority is None:
        return POLICY_TEXT
    return POLICY_TEXT + f"tsa {b64encode(authority.root.public_bytes(Encoding.DER)).decode()}\n"


def found(bundle: Path, authority: Authority | None) -> tuple[set[str], set[str], Stamped | None]:
    """Look at the attachments alone: what fails, what can't be known, what is confirmed."""
    findings, stamps = Findings(), Timestamps()
    policy = parse_policy(trusting(authority), "policy")
    looks = {"report.pdf": look_at_report, stamped.FOLDER: stamps.look}
    there = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    names = sorted(name for name in there if name == "report.pdf" or name.startswith("timestamps/"))
    look_at(bundle, names, looks, policy, findings)
    return set(findings.failures), set(findings.unknowns), stamps.confirmed()


def test_a_bundle_with_report_and_stamps_holds_and_says_what_they_confirm(
    bundle: Path, authority: Authority
) -> None:
    done = run(bundle, policy=trusting(authority))
    assert done.returncode == 0, done.stdout
    assert "An outside authority stamped 1 time, from" in done.stdout
    assert "What the pages of report.pdf say is a reading" in done.stdout


def test_without_a_trusted_authority_stamps_are_not_known_to_be_any(bundle: Path) -> None:
    fails, unknown, confirmed = found(bundle, None)
    assert (fails, confirmed) == (set(), None)
    assert "stamp_untrusted" in unknown


def test_an_unsigned_report_is_said_to_be_unsigned(authority: Authority, tmp_path: Path) -> None:
    assert "not signed" in written(tmp_path / "bundle", authority, None)[0]
    fails, unknown, _ = found(tmp_path / "bundle", authority)
    assert fails == set()
    assert "report_unsigned" in unknown


def _other_rows(bundle: Path) -> None:
    rows = bundle / lines.ROWS
    rows.write_bytes(b"".join(rows.read_bytes().splitlines(keepends=True)[:-1]))
    rebuilt(bundle)


def _other_checkpoints(bundle: Path) -> None:
    path = bundle / lines.CHECKPOINTS
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    rebuilt(bundle)


def _byte_of_the_report(bundle: Path) -> None:
    path = bundle / "report.pdf"
    content = bytearray(path.read_bytes())
    content[content.index(b"/Producer") + 11] ^= 1
    path.write_bytes(content)


def _words_added_to_the_report(bundle: Path) -> None:
    path = bundle / "report.pdf"
    changed = IncrementalPdfFileWriter(BytesIO(path.read_bytes()))
    changed.root["/Lang"] = changed.root["/Lang"]
    changed.update_root()
    out = BytesIO()
    changed.write(out)
    path.write_bytes(out.getvalue())


def _no_pdf(bundle: Path) -> None:
    (bundle / "report.pdf").write_bytes(b"%PDF-1.7\n" + b"\x00" * 100)


def _pdf_with_a_broken_stream(bundle: Path) -> None:
    said = [
        "<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(made-of.json) 3 0 R]>>>>>>",
        "<</Type/Pages/Kids[]/Count 0>>",
        "<</Type/Filespec/F(made-of.json)/EF<</F 4 0 R>>>>",
        "<</Filter/FlateDecode/Length 7>>\nstream\ngarbage\nendstream",
    ]
    _pdf(bundle, [one.encode() for one in said])


def _pdf(bundle: Path, objects: list[bytes]) -> None:
    """Write a PDF of these objects, the first of which is its catalogue."""
    out, places = b"%PDF-1.7\n", b""
    for number, one in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\n"
    count = len(objects) + 1
    end = b"startxref\n%d\n%%%%EOF\n" % len(out)
    (bundle / "report.pdf").write_bytes(out + table % (count, places, count) + end)


def _pdf_with_files(bundle: Path, files: list[tuple[str, bytes]], more: bytes = b"") -> None:
    """Write one that holds files, compressed; `more` goes into the catalogue."""
    names = b"".join(b"(%s) %d 0 R " % (f[0].encode(), 3 + 2 * i) for i, f in enumerate(files))
    root = b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[%s]>>>>%s>>"
    objects = [root % (names, more), b"<</Type/Pages/Kids[]/Count 0>>"]
    for index, (_, content) in enumerate(files):
        packed = zlib.compress(content, 9)
        head = b"<</Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream"
        objects.append(b"<</Type/Filespec/EF<</F %d 0 R>>>>" % (4 + 2 * index))
        objects.append(head % (len(packed), packed))
    _pdf(bundle, objects)


def _made_of(bundle: Path) -> bytes:
    named = lines.read_manifest((bundle / lines.MANIFEST).read_bytes()).files
    digests = (named[lines.ROWS].sha256, named[lines.CHECKPOINTS].sha256)
    return attached.encode(attached.Attached(*digests))


def _a_stream_that_fills_the_memory(bundle: Path) -> None:
    _pdf_with_files(bundle, [(attached.ATTACHED, bytes(300 * 1024 * 1024))])


def _rows_of_another_name(bundle: Path) -> None:
    files = [(attached.ATTACHED, _made_of(bundle)), ("the-real-rows.jsonl", b"{}\n")]
    _pdf_with_files(bundle, files)


def _rows_twice(bundle: Path) -> None:
    rows = (bundle / lines.ROWS).read_bytes()
    files = [(lines.ROWS, b"{}\n"), (lines.ROWS, rows)]
    _pdf_with_files(bundle, files)


def _rows_behind_seventeen_others(bundle: Path) -> None:
    files = [(attached.ATTACHED, _made_of(bundle))]
    _pdf_with_files(bundle, [*files * 17, ("rows.jsonl", b"{}\n")])


def _a_file_that_no_list_names(bundle: Path) -> None:
    _pdf_with_files(bundle, [(attached.ATTACHED, _made_of(bundle))], b"/AF[3 0 R 4 0 R]")


def _pdf_of_somebody_else(bundle: Path) -> None:
    made = report(1)
    printed = printing.pdf(TEMPLATE, pages(made).data(), made.made_at)
    (bundle / "report.pdf").write_bytes(printed)


def _reply_gone(bundle: Path) -> None:
    next((bundle / "timestamps").glob("*.tsr")).unlink()


def _list_gone(bundle: Path) -> None:
    next((bundle / "timestamps").glob("*.json")).unlink()


def _list_changed(bundle: Path) -> None:
    path = next((bundle / "timestamps").glob("*.json"))
    path.write_bytes(path.read_bytes().replace(b'"size":', b'"size":1', 1))


def _list_not_canonical(bundle: Path) -> None:
    path = next((bundle / "timestamps").glob("*.json"))
    path.write_bytes(path.read_bytes() + b" ")


def _reply_cut(bundle: Path) -> None:
    path = next((bundle / "timestamps").glob("*.tsr"))
    path.write_bytes(path.read_bytes()[:-10])


def _stamped_checkpoint_kept_back(bundle: Path) -> None:
    """Hide one checkpoint in the midst of a log, as if the gateway had never made it."""
    wanted = {
        one.sha256
        for path in (bundle / "timestamps").glob("*.json")
        for one in stamped.decode(path.read_bytes()).checkpoints
    }
    path = bundle / lines.CHECKPOINTS
    kept = []
    for line in path.read_bytes().splitlines(keepends=True):
        read = lines.read_checkpoint(line)
        digest = hashlib.sha256(getattr(read, "note", "").encode()).hexdigest()
        if digest not in wanted:
            kept.append(line)
    path.write_bytes(b"".join(kept))


ATTACKS: dict[Callable[[Path], None], str] = {
    _other_rows: "report_rows",
    _other_checkpoints: "report_rows",
    _byte_of_the_report: "report_altered",
    _words_added_to_the_report: "report_altered",
    _no_pdf: "report_form",
    _pdf_with_a_broken_stream: "report_form",
    _pdf_of_somebody_else: "report_form",
    _a_stream_that_fills_the_memory: "report_form",
    _rows_of_another_name: "report_form",
    _rows_twice: "report_form",
    _rows_behind_seventeen_others: "report_form",
    _a_file_that_no_list_names: "report_form",
    _reply_gone: "stamp_form",
    _list_gone: "stamp_form",
    _list_changed: "stamp",
    _list_not_canonical: "stamp_form",
    _reply_cut: "stamp",
    _stamped_checkpoint_kept_back: "stamp_note",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__.strip("_"))
def test_each_attack_on_an_attachment_fails_by_its_own_sentence(
    attack: Callable[[Path], None], bundle: Path, authority: Authority
) -> None:
    assert found(bundle, authority)[0] == set()
    attack(bundle)
    assert ATTACKS[attack] in found(bundle, authority)[0]


def test_a_report_made_by_hand_of_these_rows_is_one(bundle: Path) -> None:
    _pdf_with_files(bundle, [(attached.ATTACHED, _made_of(bundle))])
    fails, unknown, _ = found(bundle, None)
    assert "report_unsigned" in unknown
    assert not fails & {"report_form", "report_rows"}


def test_a_report_takes_no_more_memory_than_one_may_need(bundle: Path) -> None:
    _a_stream_that_fills_the_memory(bundle)
    assert (bundle / "report.pdf").stat().st_size < 400_000
    tracemalloc.start()
    try:
        assert "report_form" in found(bundle, None)[0]
        assert tracemalloc.get_traced_memory()[1] < 4 * STREAM_SIZE_MAX
    finally:
        tracemalloc.stop()


def test_a_stamp_by_an_authority_that_nobody_trusts_fails(bundle: Path, tmp_path: Path) -> None:
    stranger = Authority.make(tmp_path / "stranger")
    assert found(bundle, stranger)[0] == {"stamp"}


def test_a_cosignature_from_after_its_stamp_shows_a_clock_that_is_wrong(
    bundle: Path, authority: Authority
) -> None:
    path = bundle / lines.CHECKPOINTS
    every = [lines.read_checkpoint(line) for line in path.read_bytes().splitlines(keepends=True)]
    (index,) = [n for n, one in enumerate(every) if isinstance(one, NoteLine)][-1:]
    last = every[index]
    assert isinstance(last, NoteLine)
    bare = notes.parse(last.note)
    own = notes.Note(bare.text, bare.signatures[:1])
    later = int(datetime.now(UTC).timestamp()) + 3600
    late = examples.COSIGNER.cosign(own, later).encode()
    every[index] = NoteLine(late)
    path.write_bytes(b"".join(map(lines.encode, every)))
    checkpoint = Checkpoint.parse(bare.text)
    digest = hashlib.sha256(late.encode()).hexdigest()
    listed = [Checkpointed(checkpoint.origin, digest, checkpoint.size)]
    document = stamped.encode(rfc3339(datetime.now(UTC)), listed)
    shutil.rmtree(bundle / "timestamps")
    name = bundle / "timestamps" / hashlib.sha256(document).hexdigest()
    name.parent.mkdir()
    name.with_suffix(".json").write_bytes(document)
    name.with_suffix(".tsr").write_bytes(stamp_of(authority, document))
    assert "stamp_time" in found(bundle, authority)[0]


def test_a_policy_with_a_certificate_that_is_none_is_refused(bundle: Path) -> None:
    done = run(bundle, policy=POLICY_TEXT + "tsa bm90IGEgY2VydGlmaWNhdGU=\n")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "hint: " in done.stderr
