"""A wire that can be cut: a small TCP relay on the loopback between two of our programs."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

CHUNK = 65_536


class Wire:
    """Relays 127.0.0.1:`port` to `target`; `cut()` breaks it as an unplugged cable would.

    While cut, what is sent goes nowhere and new connections are closed at once. Each end runs in
    threads of its own; `close()` ends them.
    """

    def __init__(self, target: Callable[[], int]) -> None:
        """`target` tells the port to relay to, asked at each connection."""
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True, name="wire").start()

    @property
    def whole(self) -> bool:
        """Whether the wire is not cut."""
        return not self._cut

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._cut = True
        self._drop_all()

    def mend(self) -> None:
        """Let connections through again."""
        self._cut = False

    def close(self) -> None:
        """End the relay."""
        self._listener.close()
        self._drop_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._cut or not self._join(client):
                    client.close()

    def _join(self, client: socket.socket) -> bool:
        try:
            server = socket.create_connection(("127.0.0.1", self._target()), timeout=5)
        except OSError:
            return False
        server.settimeout(None)
        with self._lock:
            self._open |= {client, server}
        # Both before the first thread: who only looks whether somebody listens is gone at once,
        # and its thread closes both ends.
        for end in (client, server):
            # Without it the relay itself would cost 40 ms a message (Nagle and delayed ACK).
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for ends in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=ends, daemon=True, name="wire").start()
        return True

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                sink.sendall(data)
        self._drop(source)
        self._drop(sink)

    def _drop_all(self) -> None:
        with self._lock:
            ends = list(self._open)
        for end in ends:
            self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        with self._lock:
            self._open.discard(end)
        # Shutting down first wakes the thread that waits in recv.
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
