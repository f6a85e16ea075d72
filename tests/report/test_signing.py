"""The signature on a report, judged by programs that are not ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from pyhanko.sign.timestamps import TimestampRequestError

from ciao import printing
from ciao.errors import BadInput
from ciao.keys import write_secret
from ciao.timestamps import NotStamped
from gateway.report.signing import load_seal, sign
from gateway.report.stamper import Stamper
from gateway.timestamping import authority as asking
from tests.report.making import pages, report
from tests.report.test_pages import TEMPLATE
from tests.support.authority import Authority, serving
from tests.support.sealing import pem, write_pair


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with serving(Authority.make(tmp_path_factory.mktemp("authority") / "tsa")) as running:
        yield running


@pytest.fixture(autouse=True)
def well(authority: Authority) -> None:
    authority.mood = "well"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A folder with `report.pem` and `report.key`."""
    write_pair(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def pdf() -> bytes:
    made = report(2, 3)
    return printing.pdf(TEMPLATE, pages(made).data(), made.made_at)


def stamper(authority: Authority) -> Stamper:
    return Stamper(asking.Authority(authority.url, [authority.root]))


def run(folder: Path, *line: str) -> str:
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_pdfsig_calls_the_signature_valid_and_the_whole_document_signed(
    office: Path, pdf: bytes, authority: Authority
) -> None:
    seal = load_seal(office / "report.pem", office / "report.key", stamper(authority))
    (office / "signed.pdf").write_bytes(sign(pdf, seal, "evidence"))
    said = run(office, "pdfsig", "-nocert", "signed.pdf")
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
    assert "Acme Cleaning, reports" in said


def test_openssl_verifies_the_signature_and_finds_the_time_stamp_in_it(
    office: Path, pdf: bytes, authority: Authority
) -> None:
    seal = load_seal(office / "report.pem", office / "report.key", stamper(authority))
    signed = sign(pdf, seal, "evidence")
    (office / "signed.pdf").write_bytes(signed)
    run(office, "pdfsig", "-dump", "signed.pdf")
    start, length, second, rest = byte_range(signed)
    (office / "content").write_bytes(signed[start:length] + signed[second : second + rest])
    line = "openssl cms -verify -binary -inform DER -in signed.pdf.sig0 -content content"
    said = run(office, *line.split(), "-CAfile", "report.pem", "-purpose", "any", "-out", "out")
    assert "CMS Verification successful" in said or "Verification successful" in said
    shown = cms_of(office)
    assert "id-smime-aa-timeStampToken" in shown


def cms_of(folder: Path) -> str:
    line = "openssl cms -cmsout -print -inform DER -in signed.pdf.sig0"
    return run(folder, *line.split())


def byte_range(signed: bytes) -> tuple[int, int, int, int]:
    at = signed.rindex(b"/ByteRange")
    numbers = signed[signed.index(b"[", at) + 1 : signed.index(b"]", at)].split()
    first, second, third, fourth = map(int, numbers)
    return first, second, third, fourth


def test_a_changed_byte_breaks_the_signature(office: Path, pdf: bytes) -> None:
    signed = bytearray(sign(pdf, load_seal(office / "report.pem", office / "report.key"), "e"))
    signed[signed.index(b"/Producer") + 11] ^= 1
    (office / "changed.pdf").write_bytes(signed)
    assert "Signature is Valid" not in run(office, "pdfsig", "-nocert", "changed.pdf")


def test_without_an_authority_it_is_signed_and_carries_no_time_stamp(
    office: Path, pdf: bytes
) -> None:
    signed = sign(pdf, load_seal(office / "report.pem", office / "report.key"), "evidence")
    (office / "signed.pdf").write_bytes(signed)
    assert "Signature is Valid" in run(office, "pdfsig", "-nocert", "signed.pdf")
    run(office, "pdfsig", "-dump", "signed.pdf")
    shown = cms_of(office)
    assert "timeStampToken" not in shown


@pytest.mark.parametrize("mood", ["refuses", "html", "503"])
def test_an_authority_that_gives_no_stamp_is_said_so(
    office: Path, pdf: bytes, authority: Authority, mood: str
) -> None:
    authority.mood = mood
    seal = load_seal(office / "report.pem", office / "report.key", stamper(authority))
    with pytest.raises(TimestampRequestError):
        sign(pdf, seal, "evidence")


def test_a_stamp_is_checked_before_it_is_believed(authority: Authority) -> None:
    asked = asking.Authority(authority.url, [authority.root])
    assert asked.stamp(b"document")
    for mood in ("refuses", "html", "503"):
        authority.mood = mood
        with pytest.raises(NotStamped):
            asked.stamp(b"document")


def test_an_authority_that_is_not_there_is_said_so() -> None:
    with pytest.raises(NotStamped, match="can't be reached"):
        asking.Authority("http://127.0.0.1:9/tsa", []).stamp(b"document")


def test_a_key_that_readers_would_reject_is_refused(office: Path) -> None:
    write_secret(office / "ed.key", pem(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(BadInput, match="no P-256 key"):
        load_seal(office / "report.pem", office / "ed.key")
    write_secret(office / "other.key", pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(BadInput, match="is not the certificate of"):
        load_seal(office / "report.pem", office / "other.key")
    (office / "report.key").chmod(0o644)
    with pytest.raises(BadInput, match="others can read"):
        load_seal(office / "report.pem", office / "report.key")
