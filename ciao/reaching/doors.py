"""Edge: who answers? Many TCP connections at once, in one thread, within one time limit.

An answer is a connection; a refusal is an answer too, but not the one that was asked for.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import ssl
import time
from collections.abc import Sequence

from ciao.reaching.endpoint import Endpoint

_REFUSED = {errno.ECONNREFUSED, errno.ECONNRESET}


def knock(doors: Sequence[Endpoint], limit_s: float) -> list[str]:
    """Say of each door `ok`, `refused`, `unreachable` or `timeout`; hosts are literal addresses."""
    said = ["timeout"] * len(doors)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for number, door in enumerate(doors):
            family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
            try:
                knocking = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                knocking.setblocking(False)
                error = knocking.connect_ex((door.host, door.port))
            except OSError as failed:
                error = failed.errno or errno.EIO
            if error == errno.EINPROGRESS:
                waiting.register(knocking, selectors.EVENT_WRITE, number)
            else:
                said[number] = word(error)
        until_s = time.monotonic() + limit_s
        while waiting.get_map() and (left_s := until_s - time.monotonic()) > 0:
            for key, _ in waiting.select(left_s):
                assert isinstance(key.fileobj, socket.socket)
                waiting.unregister(key.fileobj)
                error = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                said[key.data] = word(error)
    return said


def handshake(door: Endpoint, name: str, tls: ssl.SSLContext, limit_s: float) -> str:
    """Say how a TLS handshake with `name` goes: `ok`, `tls`, or how the connection failed."""
    try:
        with (
            socket.create_connection((door.host, door.port), limit_s) as plain,
            tls.wrap_socket(plain, server_hostname=name),
        ):
            return "ok"
    except ssl.SSLError:
        return "tls"
    except OSError as error:
        return word_of(error)


def word(error: int) -> str:
    """Say what an error number means, 0 for none."""
    if not error:
        return "ok"
    if error == errno.ETIMEDOUT:
        return "timeout"
    return "refused" if error in _REFUSED else "unreachable"


def word_of(failed: OSError) -> str:
    """Say what a connection that failed means."""
    return "timeout" if isinstance(failed, TimeoutError) else word(failed.errno or errno.EIO)
