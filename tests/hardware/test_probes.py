"""The real probes on this machine: sockets, files and the kernel's own tables."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ciao.causes import PROBES
from ciao.reaching import doors
from ciao.reaching.endpoint import Endpoint
from hardware.clock import VirtualClock
from hardware.events import Probed
from hardware.probes import netlink, portal, power
from hardware.probes.settings import Portal, ProbeSettings, Ups, targets
from hardware.probes.supervisor import Prober
from hardware.probes.surroundings import Surroundings
from tests.support.ports import free_port
from tests.support.waiting import wait_for

LIMIT_S = 1.0


@contextmanager
def answering(reply: bytes | None) -> Iterator[int]:
    """A host that reads a little and answers with these bytes, or never; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                if reply is not None:
                    # Whoever asked may have left again.
                    with contextlib.suppress(OSError):
                        connection.recv(4096)
                        connection.sendall(reply)
                    connection.close()

        held: list[socket.socket] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()


def test_many_doors_are_knocked_at_together_and_each_says_how_it_is() -> None:
    with answering(None) as port:
        wanted = [Endpoint("127.0.0.1", port), Endpoint("127.0.0.1", free_port())]
        wanted.append(Endpoint("::ffff:255.255.255.255", 1))
        assert doors.knock(wanted, LIMIT_S) == ["ok", "refused", "unreachable"]
    assert doors.knock([], LIMIT_S) == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "ok"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n", "shown"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlogin", "shown"),
        (b"SSH-2.0-OpenSSH\r\n", "shown"),
        (None, "timeout"),
    ],
)
def test_a_portal_is_whatever_else_answers(reply: bytes | None, said: str) -> None:
    with answering(reply) as port:
        assert portal.look(Portal("portal.example", port, "/204"), "127.0.0.1", 0.3) == said


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b'VAR rack ups.status "OL CHRG"\n', {"mains": "ok", "battery": "ok"}),
        (b'VAR rack ups.status "OB DISCHRG"\n', {"mains": "lost", "battery": "ok"}),
        (b'VAR rack ups.status "OB LB"\n', {"mains": "lost", "battery": "empty"}),
        (b"ERR UNKNOWN-UPS\n", {}),
        (b'VAR other ups.status "OB"\n', {}),
        (b"\xff\xfe\x00 nonsense" * 500, {}),
        (b"", {}),
    ],
)
def test_a_ups_is_believed_only_in_its_own_words(reply: bytes, said: dict[str, str]) -> None:
    complaints: list[str] = []
    with answering(reply) as port:
        ups = Ups("rack", Endpoint("127.0.0.1", port))
        assert power.ups(ups, LIMIT_S, complaints.append) == said
    assert len(complaints) == (not said)
    assert all("rack" in complaint and len(complaint) < 200 for complaint in complaints)


def test_the_board_says_whether_its_supply_is_too_weak(tmp_path: Path) -> None:
    assert power.voltage(tmp_path) == {}
    board = tmp_path / "devices/platform/soc/soc:firmware"
    board.mkdir(parents=True)
    for text, said in (("0", "ok"), ("50000", "ok"), ("50005", "low"), ("1\n", "low")):
        (board / "get_throttled").write_text(text)
        assert power.voltage(tmp_path) == {"voltage": said}
    (board / "get_throttled").write_text("nonsense")
    assert power.voltage(tmp_path) == {}


def test_the_watchdog_says_whether_it_started_the_machine(tmp_path: Path) -> None:
    for text, said in (("0", {"watchdog": "ok"}), ("32", {"watchdog": "bit"}), ("x", {})):
        (tmp_path / "bootstatus").write_text(text)
        assert power.watchdog(tmp_path / "bootstatus") == said
    assert power.watchdog(tmp_path / "none") == {}


def test_the_kernel_says_the_same_by_netlink_as_to_iproute2() -> None:
    ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    assert ip, "iproute2 is missing: apt-get install iproute2"

    def told(*words: str) -> list[dict[str, object]]:
        out = subprocess.run([ip, "-j", *words], capture_output=True, text=True, check=True).stdout
        found: list[dict[str, object]] = json.loads(out or "[]")
        return found

    ours = sorted((index, str(address)) for index, address in netlink.addresses())
    theirs = sorted(
        (row["ifindex"], info["local"])
        for row in told("address")
        for info in row["addr_info"]  # type: ignore[attr-defined]
    )
    assert ours == theirs
    index = {row["ifname"]: row["ifindex"] for row in told("link")}
    routes = {(route.index, str(route.gateway)) for route in netlink.default_routes()}
    defaults = told("route", "show", "default") + told("-6", "route", "show", "default")
    assert routes == {(index[row["dev"]], str(row.get("gateway"))) for row in defaults}


class _Eyes:
    """Surroundings that are told what they see."""

    def __init__(self) -> None:
        self.sees: dict[str, str] = {"link": "ok"}
        self.rounds = self.glances = 0
        self.fails = False

    def glance(self) -> dict[str, str]:
        self.glances += 1
        if self.fails:
            raise RuntimeError("a fault of ours")
        return dict(self.sees)

    def round(self) -> dict[str, str]:
        self.rounds += 1
        return dict(self.sees)


def test_the_prober_glances_and_looks_at_everything_where_something_is_new() -> None:
    eyes, seen, said = _Eyes(), list[Probed](), list[str]()
    clock = VirtualClock(datetime(2026, 3, 2, 6, tzinfo=ZoneInfo("Europe/Brussels")))
    prober = Prober(eyes, 1, seen.append, clock, said.append)
    try:
        wait_for(lambda: eyes.glances >= 1, "a glance")
        assert eyes.rounds == 1 and seen[0].whole
        eyes.sees = {"link": "down"}
        wait_for(lambda: eyes.rounds == 2, "a round for what is new")
        prober.look()
        wait_for(lambda: eyes.rounds == 3, "a round that was asked for")
        eyes.fails = True
        wait_for(lambda: said, "a complaint")
        prober.look()
        wait_for(lambda: eyes.rounds == 4, "a round after a fault of ours")
    finally:
        prober.close()
    assert said[0] == "a look around failed: RuntimeError: a fault of ours"


def test_a_broker_on_this_machine_is_looked_at_and_nothing_else() -> None:
    with answering(None) as port:
        made, _ = targets(ProbeSettings(), Endpoint("127.0.0.1", port))
        surroundings = Surroundings(made, None, pytest.fail)
        seen = surroundings.round()
        assert seen.pop("voltage", "ok") in ("ok", "low")
        assert seen == {"broker": "ok"}
    assert surroundings.round()["broker"] == "refused"
    assert all(word in PROBES[probe] for probe, word in surroundings.round().items())


def test_wrong_settings_and_a_ups_of_nonsense_get_a_line_each_and_the_rest_is_looked_at() -> None:
    said: list[str] = []
    with answering(None) as broker, answering(b"\xff nonsense\n") as nut:
        ups = f"rack@127.0.0.1:{nut}"
        asked = ProbeSettings(("example.org:443", "127.0.0.1:1"), "resolver", ups=ups)
        made, complaints = targets(asked, Endpoint("127.0.0.1", broker))
        surroundings = Surroundings(made, None, said.append)
        rounds = [surroundings.round() for _ in range(3)]
    assert len(complaints) == 3 and len(said) == 1
    assert all("\n" not in line for line in [*complaints, *said])
    for seen in rounds:
        assert (seen["broker"], seen["anchor-1"]) == ("ok", "refused")
        assert "mains" not in seen and "battery" not in seen
