"""`ciao-gateway` as a process: a real broker with mutual TLS, the sandbox, SIGKILL and SIGTERM."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ciao import names, wire
from ciao.link import Publish
from gateway.logs import masked
from tests.gateway.house import TERMINAL, House, make_house
from tests.gateway.twins import Journal
from tests.onss.peer import CLIENT_ID, RunningSandbox, start_sandbox
from tests.support.broker import Broker
from tests.support.session import Session, session
from tests.support.waiting import wait_for
from tests.support.world import SSINS, UIDS

COMMAND = "from gateway.cli import main; main()"
GATEWAY = "main"
ONLINE = wire.encode(wire.Online(True, "2026-03-02T06:00:00.000+01:00", 0, 0, "0.1.0"))


@dataclass
class Running:
    """A gateway's folder, the sandbox beside it, and its process when it runs."""

    house: House
    sandbox: RunningSandbox
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        return self.house.folder

    def run(self) -> None:
        """Start the gateway, and wait until it says that it serves."""
        seen = len(self.said())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "run", "--config", self.folder / "gateway.toml"],
                stderr=log,
            )
        ended = self.process.poll
        wait_for(lambda: '"online"' in self.said()[seen:] or ended() is not None, "it to be online")
        assert ended() is None, self.said()

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(timeout=20)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [
            sys.executable,
            "-c",
            COMMAND,
            *words,
            "--config",
            str(self.folder / "gateway.toml"),
        ]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def running(tmp_path: Path, broker: Broker) -> Iterator[Running]:
    house = make_house(
        tmp_path / "house", "--gateway", GATEWAY, now=datetime.now(UTC) - timedelta(hours=1)
    )
    public = house.folder / "gateway/onss-acme.pub.pem"
    house.world.run("employer", "onss", "acme", "--client", CLIENT_ID)
    sandbox = start_sandbox(tmp_path, public, "--search-delay", "0")
    pair = broker.authority.gateway(GATEWAY)
    text = (house.folder / "gateway.toml").read_text()
    head, _, tail = text.partition("[broker]")
    _, _, onss = tail.partition("[onss.credentials")
    (house.folder / "gateway.toml").write_text(
        f'{head}[broker]\nhost = "127.0.0.1"\nport = {broker.port}\n'
        f'ca = "{broker.authority.certificate}"\n'
        f'certificate = "{pair.certificate}"\nkey = "{pair.key}"\n'
        f'[onss]\nbase_url = "{sandbox.base_url}"\ntoken_url = "{sandbox.token_url}"\n'
        f"settling_s = 1\n[onss.credentials{onss}"
    )
    world = Running(house, sandbox, tmp_path / "gateway.log")
    yield world
    if world.process is not None and world.process.poll() is None:
        world.process.kill()
        world.process.wait()
    sandbox.kill()


@contextmanager
def door(broker: Broker) -> Iterator[Session]:
    """The terminal's session with the broker."""
    topics = [names.topic(TERMINAL, channel) for channel in ("receipt", "hint", "outcome")]
    settings = broker.settings(broker.authority.client(TERMINAL))
    with session(settings, TERMINAL, topics) as opened:
        yield opened


def send(session: Session, journal: Journal, start: int) -> None:
    message = journal.message(start)
    session.link.publish(Publish(message.topic, message.payload))


def receipted(session: Session, journal: Journal) -> bool:
    """Whether a receipt for all of a journal has come."""
    wanted = f"{journal.origin}\n{journal.size}\n"
    return any(
        wire.decode(wire.Receipt, one.payload).checkpoint.startswith(wanted)
        for one in session.messages
        if one.topic.endswith("/receipt")
    )


def accepted(session: Session) -> set[int]:
    """The taps that were told to be at the ONSS."""
    return {
        told.seq
        for one in session.messages
        if one.topic.endswith("/outcome")
        for told in wire.decode(wire.Outcomes, one.payload).outcomes
        if told.state == "accepted"
    }


def test_taps_are_receipted_registered_and_told_whatever_is_killed(
    running: Running, broker: Broker
) -> None:
    start = datetime.now(UTC).replace(microsecond=0).astimezone()
    journal = Journal(TERMINAL, papers=running.house.papers(start))
    uid = bytes.fromhex(UIDS[0])
    running.run()
    with door(broker) as session:
        journal.tap(uid, 0, "in")
        send(session, journal, 0)
        wait_for(lambda: receipted(session, journal) and accepted(session) == {0}, "the first tap")
        # The ONSS stores, its answer is lost, and the gateway is killed before it knows.
        running.sandbox.fault("drop_after_storing", count=1)
        journal.tap(uid, 20, "out")
        send(session, journal, 1)
        wait_for(lambda: len(running.sandbox.rows()) == 2, "the second tap at the ONSS")
        assert running.end(signal.SIGKILL) == -signal.SIGKILL
        journal.tap(uid, 40, "in")
        running.run()
        send(session, journal, 2)
        wait_for(lambda: receipted(session, journal), "the receipt of all")
        wait_for(lambda: accepted(session) == {0, 1, 2}, "all outcomes", timeout_s=30)
        assert [row["item"]["type"] for row in running.sandbox.rows()] == ["in", "out", "in"]
        broker.kill()
        broker.start()
        journal.tap(uid, 60, "out")
        wait_for(lambda: '"online"' in running.said().rpartition("disconnected")[2], "reconnecting")
        wait_for(
            lambda: len([e for e in session.events if type(e).__name__ == "Connected"]) > 1, ""
        )
        send(session, journal, 3)
        wait_for(lambda: accepted(session) == {0, 1, 2, 3}, "the last tap", timeout_s=30)
    status = json.loads(running.command("status", "--json").stdout)
    assert status["taps"] == {"accepted": 4} and not status["refusals"]
    assert running.end(signal.SIGTERM) == 0
    assert "4  accepted by the ONSS" in running.command("status").stdout
    written = running.said().encode() + b"".join(
        path.read_bytes() for path in running.folder.glob("ledger.db*")
    )
    assert SSINS[0].encode() not in written and uid not in written
    assert UIDS[0].lower().encode() not in written.lower()


def test_two_gateways_on_one_ledger_and_bad_settings_are_refused(running: Running) -> None:
    running.run()
    again = running.command("run")
    assert again.returncode == 2 and "another process runs on" in again.stderr
    assert running.end(signal.SIGTERM) == 0
    path = running.folder / "gateway.toml"
    path.write_text(path.read_text().replace("token_url", "tokenurl"))
    wrong = running.command("run")
    assert wrong.returncode == 2 and "unknown key 'onss.tokenurl'" in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 2 and "allowed here: " in wrong.stderr
    path.write_text(path.read_text().replace("tokenurl", "token_url"))
    (running.folder / "gateway/cosigner.pem").chmod(0o644)
    open_to_all = running.command("run")
    assert open_to_all.returncode == 2 and "others can read" in open_to_all.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ssin 00000000196 refused", "ssin [11 digits] refused"),
        ("85.07.30-033.28", "[11 digits]"),
        ("at 1772427732123 ms", "at 1772427732123 ms"),
        ("0123456749", "0123456749"),
    ],
)
def test_what_looks_like_a_niss_is_masked_in_logs(text: str, shown: str) -> None:
    assert masked(text) == shown
