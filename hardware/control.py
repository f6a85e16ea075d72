"""Edge: a Unix socket that takes one-line orders and answers each with one line.

The twins of badges and buttons are worked this way. Not a network service: the socket file
is for its owner only.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from ciao.errors import BadInput

LINE_MAX = 512
ANSWER_MAX = 64 * 1024
CONNECTIONS_MAX = 8
# sun_path holds 108 bytes, the last a zero (unix(7)).
_PATH_MAX = 107
_OK = b"ok\n"


class ControlServer:
    """Serves `path` from a thread of its own until closed; a context manager.

    `obey(line)` is called in that thread, one line at a time; the line it returns is the answer
    (`ok` where it returns none), and a BadInput it raises becomes `error: …`.
    A line over 512 bytes or that is not UTF-8 is answered with an error and its connection
    ended; so is a ninth connection.
    Raises BadInput where the socket can't be made, or another process serves it.
    """

    def __init__(self, path: Path, obey: Callable[[str], str | None]) -> None:
        self._path = path
        self._obey = obey
        self._lines: dict[socket.socket, bytearray] = {}
        self._listener = _listen(path)
        self._selector = selectors.DefaultSelector()
        self._stop_out, self._stop_in = os.pipe()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._stop_out, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name=f"control {path.name}")
        self._thread.daemon = True
        self._thread.start()

    def __enter__(self) -> ControlServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and remove the socket file."""
        os.write(self._stop_in, b"\x00")
        self._thread.join()
        for connection in list(self._lines):
            self._drop(connection)
        self._selector.close()
        self._listener.close()
        os.close(self._stop_in)
        os.close(self._stop_out)
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == self._stop_out:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._read(key.fileobj)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            # The client has left again, or descriptors have run out: it may come back.
            return
        connection.setblocking(False)
        if len(self._lines) >= CONNECTIONS_MAX:
            _send(connection, b"error: too many connections\n")
            connection.close()
            return
        self._lines[connection] = bytearray()
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        held = self._lines[connection]
        held += data
        while (end := held.find(b"\n")) >= 0 and end <= LINE_MAX:
            line = bytes(held[:end])
            del held[: end + 1]
            if not _send(connection, self._answer(line)):
                self._drop(connection)
                return
        if len(held) > LINE_MAX:
            _send(connection, f"error: a line has at most {LINE_MAX} bytes\n".encode())
            self._drop(connection)

    def _answer(self, line: bytes) -> bytes:
        try:
            said = self._obey(line.decode())
        except UnicodeDecodeError:
            return b"error: not UTF-8\n"
        except BadInput as error:
            return (" ".join(f"error: {error.what}; {error.hint}".split()) + "\n").encode()
        return _OK if said is None else said.encode() + b"\n"

    def _drop(self, connection: socket.socket) -> None:
        self._lines.pop(connection, None)
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection)
        connection.close()


def ask(path: Path | str, line: str, timeout_s: float = 5.0) -> str:
    """Say one line to a control socket and return its answer, `ok` or `error: …`.

    Raises BadInput where nobody answers within the time.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout_s)
        try:
            client.connect(_checked(Path(path)))
            # Who is refused at the door may find it closed already; why is there to be read.
            with contextlib.suppress(ConnectionError):
                client.sendall(line.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = client.recv(4096)
                if not part:
                    raise BadInput(f"{path} hung up without an answer", "try again")
                answer += part
                if len(answer) > ANSWER_MAX:
                    raise BadInput(f"{path} answers without an end", "is it a control socket?")
        except OSError as error:
            hint = "start the program that serves it, or check the path"
            raise BadInput(f"nobody answers at {path}: {error.strerror or error}", hint) from error
    return answer.decode("utf-8", "replace").rstrip("\n")


def _send(connection: socket.socket, answer: bytes) -> bool:
    """Send a whole short line without waiting; False for a client that doesn't read."""
    try:
        return connection.send(answer) == len(answer)
    except OSError:
        return False


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        _clear(path)
        # The file must never be there for others, not even before a chmod.
        umask = os.umask(0o177)
        try:
            listener.bind(_checked(path))
        finally:
            os.umask(umask)
        listener.listen(CONNECTIONS_MAX)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise BadInput(
            f"can't make the socket {path}: {error.strerror or error}",
            "choose a path in a folder that exists and is yours",
        ) from error
    except BadInput:
        listener.close()
        raise
    return listener


def _clear(path: Path) -> None:
    """Remove a socket that a killed process left behind; never one that is served."""
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_socket():
        raise BadInput(f"{path} exists and is no socket", "choose another path")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(_checked(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise BadInput(f"another process serves {path}", "stop it, or choose another path")


def _checked(path: Path) -> str:
    if len(os.fsencode(path)) > _PATH_MAX:
        raise BadInput(f"{path} is too long for a socket", f"at most {_PATH_MAX} bytes")
    return str(path)
