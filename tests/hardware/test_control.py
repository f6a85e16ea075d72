from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ciao.errors import BadInput
from hardware.control import CONNECTIONS_MAX, LINE_MAX, ControlServer, ask


class Orders:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith("bad"):
            raise BadInput("that is\nno order", "say something else")


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def served(tmp_path: Path, orders: Orders) -> Iterator[Path]:
    path = tmp_path / "control"
    with ControlServer(path, orders):
        yield path


def connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(str(path))
    return client


def answers(path: Path, sent: bytes, count: int) -> list[bytes]:
    with connect(path) as client, client.makefile("rb") as lines:
        if sent:
            client.sendall(sent)
        return [lines.readline() for _ in range(count)]


def test_each_line_is_answered_by_one_line(served: Path, orders: Orders) -> None:
    assert ask(served, "put é") == "ok"
    assert ask(served, "bad") == "error: that is no order; say something else"
    assert answers(served, b"one\ntwo\nbad\nthree\n", 4)[1:3] == [
        b"ok\n",
        b"error: that is no order; say something else\n",
    ]
    assert orders.lines == ["put é", "bad", "one", "two", "bad", "three"]


def test_a_line_in_pieces_is_one_line(served: Path, orders: Orders) -> None:
    with connect(served) as client, client.makefile("rb") as lines:
        for piece in (b"pr", b"ess", b" in\n"):
            client.sendall(piece)
        assert lines.readline() == b"ok\n"
    assert orders.lines == ["press in"]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_that_is_too_long_ends_its_connection_only(
    served: Path, orders: Orders, end: bytes
) -> None:
    long = b"x" * (LINE_MAX + 1) + end
    assert answers(served, long, 2) == [b"error: a line has at most 512 bytes\n", b""]
    assert ask(served, "x" * LINE_MAX) == "ok"
    assert orders.lines == ["x" * LINE_MAX]


def test_bytes_that_are_no_text_are_refused(served: Path, orders: Orders) -> None:
    assert answers(served, b"\xff\xfe\nok then\n", 2) == [b"error: not UTF-8\n", b"ok\n"]
    assert orders.lines == ["ok then"]


def test_there_is_room_for_a_few_at_once_and_again_when_they_have_gone(served: Path) -> None:
    clients = [connect(served) for _ in range(CONNECTIONS_MAX)]
    assert answers(served, b"", 2) == [b"error: too many connections\n", b""]
    for client in clients:
        client.sendall(b"hello\n")
        assert client.recv(10) == b"ok\n"
        client.close()
    assert ask(served, "hello") == "ok"


def test_the_socket_is_for_its_owner_only_and_goes_with_its_server(
    tmp_path: Path, orders: Orders
) -> None:
    path = tmp_path / "control"
    with ControlServer(path, orders):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
    with pytest.raises(BadInput, match="nobody answers"):
        ask(path, "hello")


def test_a_socket_left_by_a_killed_process_is_taken_over_and_a_served_one_is_not(
    tmp_path: Path, orders: Orders
) -> None:
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with ControlServer(path, orders):
        assert ask(path, "hello") == "ok"
        with pytest.raises(BadInput, match="another process serves"):
            ControlServer(path, orders)


@pytest.mark.parametrize("name", ["file", "missing/control", "x" * 120])
def test_a_path_that_can_be_no_socket_is_refused_with_a_hint(
    tmp_path: Path, orders: Orders, name: str
) -> None:
    (tmp_path / "file").touch()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(BadInput) as refused:
        ControlServer(tmp_path / name, orders)
    assert refused.value.hint
    assert len(os.listdir("/proc/self/fd")) == before
