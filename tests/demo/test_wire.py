"""The wire of demo and tests: whoever only knocks takes nothing away from those who come after."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

from tests.support.proxy import Wire


def test_a_connection_that_is_closed_at_once_leaves_the_wire_whole() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = Wire(lambda: server.getsockname()[1])

        def echo() -> None:
            while True:
                try:
                    end, _ = server.accept()
                except OSError:
                    return
                with end:
                    end.sendall(end.recv(16))

        threading.Thread(target=echo, daemon=True).start()
        with closing(wire):
            for _ in range(200):
                socket.create_connection(("127.0.0.1", wire.port)).close()
            with socket.create_connection(("127.0.0.1", wire.port), timeout=10) as end:
                end.sendall(b"still there")
                assert end.recv(16) == b"still there"
        server.shutdown(socket.SHUT_RDWR)
