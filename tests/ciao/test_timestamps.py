"""Stamps of an outside authority, made by `openssl ts`: what is proof, and what is refused."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from ciao import timestamps
from tests.support.authority import Authority

DOCUMENT = b"badges.example.be/ciao/gateway-one/6f1d\n12\nabc=\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture(scope="module")
def reply(authority: Authority) -> bytes:
    builder = TimestampRequestBuilder().data(DOCUMENT).hash_algorithm(HashAlgorithm.SHA256)
    return authority.reply(builder.build().as_bytes())


def test_a_reply_says_when_the_document_existed(authority: Authority, reply: bytes) -> None:
    stamp = timestamps.read(reply, DOCUMENT, [authority.root])
    assert abs(datetime.now(UTC) - stamp.at) < timedelta(minutes=5)
    assert stamp.accuracy == timedelta(seconds=1.5)


def test_openssl_agrees_about_the_same_reply(
    authority: Authority, reply: bytes, tmp_path: Path
) -> None:
    (tmp_path / "document").write_bytes(DOCUMENT)
    (tmp_path / "reply.tsr").write_bytes(reply)
    line = ["openssl", "ts", "-verify", "-data", "document", "-in", "reply.tsr"]
    line += ["-CAfile", str(authority.folder / "root.pem")]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout, done.stderr


def test_a_reply_for_another_document_is_refused(authority: Authority, reply: bytes) -> None:
    with pytest.raises(timestamps.NotStamped, match="Mismatch between messages"):
        timestamps.read(reply, DOCUMENT + b"x", [authority.root])


def test_a_reply_by_an_authority_nobody_named_is_refused(reply: bytes, tmp_path: Path) -> None:
    stranger = Authority.make(tmp_path / "stranger")
    with pytest.raises(timestamps.NotStamped, match="certificate"):
        timestamps.read(reply, DOCUMENT, [stranger.root])
    with pytest.raises(timestamps.NotStamped, match="no certificate"):
        timestamps.read(reply, DOCUMENT, [])


def test_a_reply_to_somebody_else_s_question_is_refused(authority: Authority, reply: bytes) -> None:
    ours = TimestampRequestBuilder().data(DOCUMENT).hash_algorithm(HashAlgorithm.SHA256).build()
    with pytest.raises(timestamps.NotStamped, match="Nonce"):
        timestamps.read(reply, DOCUMENT, [authority.root], ours)


def test_a_rejection_is_no_stamp(authority: Authority) -> None:
    with pytest.raises(timestamps.NotStamped):
        timestamps.read(bytes.fromhex("30053003020102"), DOCUMENT, [authority.root])


@given(data=st.data())
def test_no_changed_reply_passes_and_none_raises_anything_else(
    authority: Authority, reply: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(reply) - 1))
    changed = bytearray(reply)
    changed[place] ^= data.draw(st.integers(1, 255))
    honest = timestamps.read(reply, DOCUMENT, [authority.root])
    with suppress(timestamps.NotStamped):
        assert timestamps.read(bytes(changed), DOCUMENT, [authority.root]) == honest


@given(junk=st.binary(max_size=200))
def test_anything_else_is_refused(authority: Authority, junk: bytes) -> None:
    with pytest.raises(timestamps.NotStamped):
        timestamps.read(junk, DOCUMENT, [authority.root])
