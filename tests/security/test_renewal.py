"""A certificate renewed by the terminal itself, also after a year in a drawer."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509

from ciao import enrolment as wire
from ciao.enrolment import Refused, Renew
from ciao.errors import BadInput
from ciao.keys import load_p256_key, load_signing_key, new_signing_key
from ciao.link import Connected, Publish
from ciao.mqtt import Link, hold_to_dates, load_own, tls_context
from ciao.reading import ClockQuality, Reading
from provisioning import ca
from provisioning.identities import load_identity
from terminal import config
from terminal.enrolment.client import Client, Server
from terminal.enrolment.folder import signing_request
from terminal.enrolment.renew import due, renew
from terminal.enrolment.watch import Renewals
from tests.security.enrolling import Served, served
from tests.security.operator import Operator, operator
from tests.support.ports import free_port
from tests.support.waiting import wait_for
from tests.support.world import World, make_world

BRUSSELS = ZoneInfo("Europe/Brussels")
DAY = timedelta(days=1)
TODAY = datetime.now(UTC)


def made(folder: Path, at: datetime) -> World:
    return make_world(folder / "office", "--enrolment-port", str(free_port()), now=at)


def door(one: Served) -> config.Config:
    """The terminal's settings, pointed at the server of the test."""
    path = one.world.folder / "door-1" / "terminal.toml"
    lines = [
        f'server = "{one.url}"' if line.startswith("server = ") else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    return config.load(path)


def reading(at: datetime, *, synced: bool = True) -> Reading:
    quality = ClockQuality("ntp", True, 5) if synced else ClockQuality("none", False)
    return Reading(at.astimezone(BRUSSELS), "boot", 1, quality)


def certificate(held: config.Config) -> x509.Certificate:
    return x509.load_pem_x509_certificate((held.base / "tls.pem").read_bytes())


@pytest.mark.parametrize(("days", "is_due"), [(-2, True), (0, False), (59, False), (60, True)])
def test_a_certificate_of_90_days_is_due_on_its_60th(
    tmp_path: Path, days: int, is_due: bool
) -> None:
    world = made(tmp_path, TODAY)
    held = x509.load_pem_x509_certificate((world.folder / "door-1/tls.pem").read_bytes())
    assert held.not_valid_after_utc - held.not_valid_before_utc == 91 * DAY
    assert due(held, TODAY + days * DAY) is is_due


def test_it_is_renewed_for_the_same_key_and_the_file_is_replaced_whole(tmp_path: Path) -> None:
    world = made(tmp_path, TODAY - 61 * DAY)
    with served(world, TODAY) as one:
        held = door(one)
        before, key = certificate(held), (held.base / "tls.key").read_bytes()
        ends = renew(held, reading(TODAY))
        assert renew(held, reading(TODAY)) is None
    after = certificate(held)
    assert ends == after.not_valid_after_utc > before.not_valid_after_utc
    assert after.public_key() == before.public_key() and key == (held.base / "tls.key").read_bytes()
    assert [path.name for path in held.base.glob("*.new")] == []


@pytest.mark.parametrize("clock", ["right", "a year behind"])
def test_after_a_year_in_a_drawer_the_enrolled_key_is_enough(tmp_path: Path, clock: str) -> None:
    """OpenSSL goes by this machine's clock, so it is the world that is a year ahead of it."""
    ahead = timedelta(0) if clock == "right" else 400 * DAY
    now = TODAY + ahead
    world = made(tmp_path, now - 300 * DAY)
    with served(world, now) as one:
        held = door(one)
        assert certificate(held).not_valid_after_utc < now
        ends = renew(held, reading(TODAY, synced=clock == "right"))
    assert ends is not None and ends > now + 89 * DAY


def test_a_stolen_server_key_whose_certificate_ran_out_does_not_pass_for_the_server(
    tmp_path: Path,
) -> None:
    """A terminal with a wrong clock leaves the dates to the server, but not before its own."""
    world = made(tmp_path, TODAY - 10 * DAY)
    long_ago = TODAY - 900 * DAY
    with (
        served(world, long_ago, certified=long_ago) as thief,
        pytest.raises(BadInput, match="ran out before our own was made"),
    ):
        renew(door(thief), reading(TODAY, synced=False), force=True)


def test_a_server_that_lies_about_the_time_is_not_believed(tmp_path: Path) -> None:
    world = made(tmp_path, TODAY - 10 * DAY)
    # Its certificate begins in ten years; it says that today is today.
    with (
        served(world, TODAY, certified=TODAY + 3650 * DAY) as one,
        pytest.raises(BadInput, match="does not fit the time that it states"),
    ):
        renew(door(one), reading(TODAY, synced=False), force=True)


def test_with_a_wrong_clock_another_root_is_refused_all_the_same(tmp_path: Path) -> None:
    world = made(tmp_path / "ours", TODAY)
    other = made(tmp_path / "theirs", TODAY)
    with served(other, TODAY + 400 * DAY) as between:
        client = Client(Server.parse(between.url), world.folder / "door-1" / "ca.pem", TODAY - DAY)
        with pytest.raises(BadInput, match="does not answer as it should"):
            client.challenge()


def refused(one: Served, asked: Renew) -> str:
    status, body = one.service().answer("POST", wire.RENEW_PATH, wire.encode(asked), "192.0.2.1")
    return "" if status == 200 else wire.decode(Refused, body).refused


def asked_by(one: Served, *, key: object = None, challenge: str | None = None) -> Renew:
    folder = one.world.folder / "door-1"
    fresh = wire.decode(
        wire.Challenge, one.service().answer("GET", wire.CHALLENGE_PATH, b"", "")[1]
    ).challenge
    tls = load_p256_key(folder / "tls.key")
    enrolled = load_signing_key(folder / "enrolled.pem") if key is None else key
    given = challenge or fresh
    text = wire.renew_text("door-1", given, wire.key_digest(tls.public_key()))
    signature = wire.sign(enrolled, text)  # type: ignore[arg-type]
    return Renew("door-1", given, signing_request(tls, "door-1"), signature)


def test_whoever_has_the_certificate_but_not_the_enrolled_key_gets_no_other(tmp_path: Path) -> None:
    with served(made(tmp_path, TODAY)) as one:
        assert refused(one, asked_by(one)) == ""
        assert refused(one, asked_by(one, key=new_signing_key(os.urandom))) == "signature"
        assert refused(one, asked_by(one, challenge=f"{int(TODAY.timestamp())}.00.ff")) == (
            "challenge"
        )
        old = asked_by(one)
        one.now += timedelta(minutes=6)
        assert refused(one, old) == "challenge"


def test_a_revoked_terminal_is_not_renewed(tmp_path: Path) -> None:
    world = make_world(tmp_path / "office", "--no-broker-tls", now=TODAY)
    with world.registry() as registry:
        assert registry.terminal("door-1") is not None
    world.run("terminal", "revoke", "door-1", "--why", "stolen")
    with served(world) as one:
        (world.folder / "door-1" / "tls.key").write_bytes(
            ca.Identity(None, ca.new_key(os.urandom)).key_pem  # type: ignore[arg-type]
        )
        (world.folder / "door-1" / "tls.key").chmod(0o600)
        assert refused(one, asked_by(one)) == "revoked"


def test_a_flood_of_renewals_gives_one_certificate_a_day(tmp_path: Path) -> None:
    with served(made(tmp_path, TODAY - 2 * DAY), TODAY) as one:
        service = one.service()
        answers = {
            service.answer("POST", wire.RENEW_PATH, wire.encode(asked_by(one)), "192.0.2.1")[1]
            for _ in range(5)
        }
        assert len(answers) == 1


def test_the_running_link_takes_the_new_certificate(tmp_path: Path) -> None:
    """The whole way: a process of its own renews, the link begins anew, the broker sees which."""
    with operator(tmp_path, TODAY - 61 * DAY) as office, served(office.world, TODAY) as one:
        held = door(one)
        before = certificate(held).serial_number
        settings = office.settings(held.base)
        tls = tls_context(settings, held.base)
        assert tls is not None
        events: list[object] = []
        link = Link(
            settings, tls, "door-1", Publish("ciao/1/door-1/online", b""), (), events.append
        )
        link.start()
        looks: list[bool] = []

        def looked(renewed: bool) -> None:
            looks.append(renewed)
            if renewed:
                load_own(tls, settings, held.base)
                link.begin_anew()

        renewals = Renewals(held.path, looked)
        try:
            wait_for(lambda: looks == [True], "the renewal", 30)
            wait_for(lambda: events.count(Connected()) >= 2, "the link to begin anew")
            assert certificate(held).serial_number != before
        finally:
            renewals.close()
            link.stop()


def test_a_terminal_whose_clock_is_wrong_still_reaches_its_broker_and_no_other(
    tmp_path: Path,
) -> None:
    """The broker's certificate begins next year for us; its root and its name are as they are."""
    with operator(tmp_path) as office:
        root = load_identity(office.folder / "ca/ca.pem", office.folder / "ca/ca.key")
        later = ca.issue_server(root, ["127.0.0.1"], now=TODAY + 400 * DAY, random_bytes=os.urandom)
        (office.folder / "broker" / "broker.pem").write_bytes(later.certificate_pem)
        (office.folder / "broker" / "broker.key").write_bytes(later.key_pem)
        office.world.run("broker", *(("--user", "root") if os.geteuid() == 0 else ()))
        settings = office.settings(office.folder / "door-1")
        tls = tls_context(settings, office.folder)
        assert tls is not None
        # mosquitto reads its files a moment after it was told to.
        wait_for(lambda: not handshake(office, tls), "the broker to be ahead of us")
        hold_to_dates(tls, by_our_clock=False)
        assert handshake(office, tls)
        stranger = make_world(tmp_path / "stranger", now=TODAY)
        foreign = tls_context(office.settings(stranger.folder / "door-1"), stranger.folder)
        assert foreign is not None
        hold_to_dates(foreign, by_our_clock=False)
        assert not handshake(office, foreign)
        hold_to_dates(tls, by_our_clock=True)
        assert not handshake(office, tls)


def handshake(office: Operator, tls: ssl.SSLContext) -> bool:
    """Whether we take the broker for ours."""
    try:
        with (
            socket.create_connection(("127.0.0.1", office.port), timeout=5) as plain,
            tls.wrap_socket(plain, server_hostname="127.0.0.1"),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return False


def test_the_command_says_what_it_did_in_its_exit_status(tmp_path: Path) -> None:
    world = made(tmp_path, TODAY - 61 * DAY)
    with served(world, TODAY) as one:
        words = [sys.executable, "-m", "terminal.enrolment", "--config", str(door(one).path)]
        first = subprocess.run(words, capture_output=True, text=True, check=False)
        again = subprocess.run(words, capture_output=True, text=True, check=False)
    gone = subprocess.run([*words, "--force"], capture_output=True, text=True, check=False)
    assert (first.returncode, again.returncode, gone.returncode) == (0, 3, 2), first.stderr
    assert gone.stderr.startswith("error: ") and "\nhint: " in gone.stderr
