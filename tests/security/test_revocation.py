"""A stolen terminal: revoked, it is out at once, and stays out.

Shown at a real broker by what does not arrive, and by what arrives after it by the same way.
"""

from __future__ import annotations

import os
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ciao.link import Disconnected
from ciao.names import topic
from provisioning import ca
from provisioning.identities import load_identity
from tests.provisioning.test_broker_conf import connect
from tests.security.operator import Operator, bodies, connections
from tests.support.certificates import Authority
from tests.support.waiting import wait_for


def test_a_revoked_terminals_live_session_ends_at_once_and_nothing_of_it_arrives(
    office: Operator,
) -> None:
    office.add("door-2")
    with office.gateway() as gateway, office.door("door-1") as stolen, office.door("door-2") as ok:
        stolen.publish(topic("door-1", "journal"), b"before")
        gateway.wait_for(topic("door-1", "journal"), b"before")
        said = office.world.run("terminal", "revoke", "door-1", "--why", "stolen").stdout
        assert "its session has ended" in said
        # When the command has returned, the session is over: the thief's end hears it next.
        wait_for(lambda: any(isinstance(e, Disconnected) for e in stolen.events), "the end")
        stolen.publish(topic("door-1", "journal"), b"after")
        wait_for(
            lambda: sum(isinstance(event, Disconnected) for event in stolen.events) >= 2,
            "another try to be refused",
        )
        assert connections(stolen) == 1
        ok.publish(topic("door-2", "journal"), b"another goes on")
        gateway.wait_for(topic("door-2", "journal"), b"another goes on")
        assert b"after" not in bodies(gateway)
        # Nobody else was disturbed, as a restarted broker would have.
        assert (connections(ok), connections(gateway)) == (1, 1)


def test_a_revocation_outlives_the_brokers_restart_and_its_new_files(office: Operator) -> None:
    office.world.run("terminal", "revoke", "door-1", "--why", "stolen")
    office.world.run("broker", *(("--user", "root") if os.geteuid() == 0 else ()))
    assert is_refused(office, office.folder / "door-1")
    assert not is_refused(office, office.folder / "gateway")


def test_a_broker_that_does_not_obey_is_told_of(office: Operator) -> None:
    (office.folder / "broker" / "mosquitto.pid").unlink()
    office.world.pause = lambda _: None
    said = office.world.run("terminal", "revoke", "door-1", "--why", "stolen", status=2)
    assert "the gateway takes nothing of it any more" in said.stdout
    assert "error: the broker still takes what" in said.stderr
    assert "systemctl reload mosquitto" in said.stderr
    assert not is_refused(office, office.folder / "door-1")
    # The person who is told reloads it by hand, and asks again.
    (office.folder / "broker" / "mosquitto.pid").write_text(str(office.process.pid))
    office.world.run("terminal", "revoke", "door-1", "--why", "stolen")
    assert is_refused(office, office.folder / "door-1")


def test_without_the_brokers_folder_nobody_believes_it_was_told(office: Operator) -> None:
    said = office.world.run(
        "terminal", "revoke", "door-1", "--why", "stolen", "--broker", "/nowhere", status=2
    )
    assert "nothing was told to the broker" in said.stderr


def test_an_expired_certificate_is_refused(office: Operator) -> None:
    folder = fresh(office, "door-1", now=datetime.now(UTC) - timedelta(days=91))
    assert is_refused(office, folder)
    assert not is_refused(office, fresh(office, "door-1", now=datetime.now(UTC)))


def test_a_foreign_certificate_of_the_same_name_is_refused(
    office: Operator, tmp_path: Path
) -> None:
    foreign = Authority(tmp_path / "foreign", "badges.example.be CA")
    pair = foreign.client("door-1")
    folder = tmp_path / "forged"
    folder.mkdir()
    (folder / "tls.pem").write_bytes(pair.certificate.read_bytes())
    (folder / "tls.key").write_bytes(pair.key.read_bytes())
    assert is_refused(office, folder)


def test_a_thief_of_the_gateways_issuer_is_no_gateway_and_no_server(office: Operator) -> None:
    issuer = load_identity(
        office.folder / "gateway/issuer.pem", office.folder / "gateway/issuer.key"
    )
    made: ca.Made = {"now": datetime.now(UTC), "random_bytes": os.urandom}
    as_gateway = ca.issue_client(issuer, "gateway-one", **made)
    key = ca.new_key(os.urandom)
    below = ca.issue_terminal(issuer, "gateway-one", key.public_key(), **made)
    for name, identity in (("outside", as_gateway), ("inside", ca.Identity(below, key))):
        assert is_refused(office, store(office, name, identity, issuer)), name
    server = ca.issue_server(issuer, ["127.0.0.1"], **made)
    folder = store(office, "server", server, issuer)
    (folder / "chain.pem").write_bytes((folder / "tls.pem").read_bytes())
    verify = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", str(folder / "ca.pem")]
    chain = ["-untrusted", str(folder / "chain.pem"), str(folder / "tls.pem")]
    said = subprocess.run([*verify, *chain], capture_output=True, text=True, check=False)
    assert said.returncode != 0, said.stdout


def issuer_of(office: Operator) -> ca.Identity:
    folder = office.folder / "gateway"
    return load_identity(folder / "issuer.pem", folder / "issuer.key")


def fresh(office: Operator, terminal: str, now: datetime) -> Path:
    """A certificate of the office's issuer for a terminal, issued at a moment."""
    issuer = load_identity(
        office.folder / "gateway/issuer.pem", office.folder / "gateway/issuer.key"
    )
    key = ca.new_key(os.urandom)
    certificate = ca.issue_terminal(
        issuer, terminal, key.public_key(), now=now, random_bytes=os.urandom
    )
    return store(office, f"{terminal}-{now:%Y%m%d}", ca.Identity(certificate, key), issuer)


def store(office: Operator, name: str, identity: ca.Identity, issuer: ca.Identity) -> Path:
    folder = office.folder.parent / name
    folder.mkdir()
    (folder / "tls.pem").write_bytes(identity.certificate_pem + issuer.certificate_pem)
    (folder / "tls.key").write_bytes(identity.key_pem)
    (folder / "ca.pem").write_bytes((office.folder / "gateway" / "ca.pem").read_bytes())
    return folder


def is_refused(office: Operator, folder: Path) -> bool:
    """Whether the broker refuses a certificate, with its chain."""
    context = ssl.create_default_context(cafile=office.folder / "gateway" / "ca.pem")
    context.load_cert_chain(folder / "tls.pem", folder / "tls.key")
    try:
        return connect(office.port, context) != b"\x20\x02\x00\x00"
    except (ssl.SSLError, ConnectionError):
        return True
