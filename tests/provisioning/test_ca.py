"""The authority's certificates, and that the same inputs make the same ones."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.x509 import DNSName
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from provisioning.ca import Identity, issue_client, issue_server, make_ca, new_key

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class Counted:
    """Bytes that look random enough and are the same in every run."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def __call__(self, size: int) -> bytes:
        return next(self._next).to_bytes(size, "big")


def authority() -> tuple[Identity, Counted]:
    source = Counted()
    return make_ca("operator", now=NOW, random_bytes=source), source


def verify_client(ca: Identity, client: Identity, moment: datetime) -> None:
    policy = PolicyBuilder().store(Store([ca.certificate])).time(moment)
    policy.build_client_verifier().verify(client.certificate, [])


def test_the_same_moment_and_randomness_make_the_same_certificates() -> None:
    first, source_1 = authority()
    second, source_2 = authority()
    again = [
        issue_client(ca, "door-1", now=NOW, random_bytes=source).certificate_pem
        for ca, source in ((first, source_1), (second, source_2))
    ]
    assert first.certificate_pem == second.certificate_pem
    assert again[0] == again[1]


def test_a_client_certificate_carries_the_id_as_its_common_name() -> None:
    ca, source = authority()
    client = issue_client(ca, "door-1", now=NOW, random_bytes=source)
    assert client.certificate.subject.rfc4514_string() == "CN=door-1"


def test_a_broker_certificate_stands_for_its_names_and_addresses() -> None:
    ca, source = authority()
    broker = issue_server(ca, ["broker.example.be", "127.0.0.1"], now=NOW, random_bytes=source)
    policy = PolicyBuilder().store(Store([ca.certificate])).time(NOW)
    policy.build_server_verifier(DNSName("broker.example.be")).verify(broker.certificate, [])
    with pytest.raises(VerificationError):
        policy.build_server_verifier(DNSName("other.example.be")).verify(broker.certificate, [])


def test_a_terminal_whose_clock_is_hours_behind_can_use_its_new_certificate() -> None:
    ca, _ = authority()
    assert ca.certificate.not_valid_before_utc <= NOW - timedelta(hours=12)


def test_a_client_certificate_is_no_broker_certificate() -> None:
    ca, source = authority()
    client = issue_client(ca, "door-1", now=NOW, random_bytes=source)
    verifier = PolicyBuilder().store(Store([ca.certificate])).time(NOW)
    with pytest.raises(VerificationError):
        verifier.build_server_verifier(DNSName("door-1")).verify(client.certificate, [])


def test_another_authority_of_the_same_name_vouches_for_nobody_here() -> None:
    ca, source = authority()
    client = issue_client(ca, "door-1", now=NOW, random_bytes=source)
    other = make_ca("operator", now=NOW, random_bytes=source)
    with pytest.raises(VerificationError):
        verify_client(other, client, NOW)


@pytest.mark.parametrize("raw", [b"\x00" * 40, b"\xff" * 40])
def test_every_40_bytes_are_a_key(raw: bytes) -> None:
    key = new_key(lambda size: raw[:size])
    assert key.private_numbers().private_value >= 1
