"""What the demo relies on from the broker in a wheel: retained messages, wills, QoS 1, no delay."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ciao.link import Publish
from ciao.mqtt import BrokerSettings
from tests.demo.embedded_broker import answer_without_delay
from tests.support.ports import free_port
from tests.support.session import Session, session

ROOT = Path(__file__).resolve().parents[2]


def start(port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.demo.embedded_broker", "--port", str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_port()
    with start(port) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield port
        process.communicate("", timeout=10)
        assert process.returncode == 0


def client(
    port: int, name: str, *topics: str, will: Publish | None = None
) -> AbstractContextManager[Session]:
    settings = BrokerSettings(host="127.0.0.1", port=port, mqtt="3.1.1")
    return session(settings, name, topics, will)


def test_a_message_as_large_as_the_largest_batch_arrives(port: int) -> None:
    body = b"x" * 500_000
    with client(port, "main", "a/journal") as reader, client(port, "door-1", "a/x") as writer:
        writer.publish("a/journal", body)
        reader.wait_for("a/journal", body)


def test_a_retained_message_waits_for_who_comes_later(port: int) -> None:
    with client(port, "main", "b/x") as writer:
        writer.publish("b/receipt", b"cosigned", retain=True)
        writer.publish("b/x", b"done")
        writer.wait_for("b/x", b"done")
    with client(port, "door-2", "b/receipt") as later:
        later.wait_for("b/receipt", b"cosigned")


def test_a_retained_message_is_replaced_and_only_the_newest_is_kept(port: int) -> None:
    with client(port, "main", "c/x") as writer:
        writer.publish("c/receipt", b"old", retain=True)
        writer.publish("c/receipt", b"new", retain=True)
        writer.publish("c/x", b"done")
        writer.wait_for("c/x", b"done")
    with client(port, "door-3", "c/receipt") as later:
        later.wait_for("c/receipt", b"new")
        assert [message.payload for message in later.messages] == [b"new"]


def test_a_will_speaks_for_who_was_cut_off(port: int) -> None:
    will = Publish("d/online", b"gone", retain=True)
    with client(port, "main", "d/online") as reader, client(port, "door-4", "d/x", will=will) as d:
        d.cut()
        reader.wait_for("d/online", b"gone")


def test_what_the_broker_accepts_answers_without_delay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert answer_without_delay(listener.getsockname()[1])
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_taken_port_is_said_in_two_lines(port: int) -> None:
    with start(port) as second:
        _, complaint = second.communicate("", timeout=10)
    assert second.returncode == 2
    lines = complaint.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"]


def test_it_says_that_it_knows_no_client_certificates() -> None:
    with start(free_port()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        _, said = process.communicate("", timeout=10)
    assert "no client certificates" in said
