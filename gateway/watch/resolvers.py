"""Edge: one question to resolvers over UDP, all at once, within one limit (RFC 1035).

`getaddrinfo` would hang with a dead resolver, and can't tell it from a name that isn't there.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from dnslib import RCODE, DNSError, DNSRecord

_RESOLVERS = Path("/etc/resolv.conf")
_PORT = 53
_SIZE_MAX = 4096


def system_resolver() -> str:
    """Return the first resolver of the system's configuration; "" where there is none."""
    try:
        lines = _RESOLVERS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    found = (line.split()[1:2] for line in lines if line.startswith("nameserver"))
    return next((words[0] for words in found if words), "")


def ask(resolvers: Mapping[str, str], name: str, limit_s: float) -> dict[str, str]:
    """Say of each resolver (address by key) `ok`, `timeout`, `refused` or `failed`.

    For the name `.` whether it answers at all.
    """
    said = dict.fromkeys(resolvers, "timeout")
    with ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for key, address in resolvers.items():
            question = DNSRecord.question(name, "NS" if name == "." else "A")
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                asking = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                asking.setblocking(False)
                asking.connect((address, _PORT))
                asking.send(question.pack())
            except OSError:
                said[key] = "failed"
            else:
                waiting.register(asking, selectors.EVENT_READ, (key, question.header.id))
        until_s = time.monotonic() + limit_s
        while waiting.get_map() and (left_s := until_s - time.monotonic()) > 0:
            for ready, _ in waiting.select(left_s):
                key, asked = ready.data
                assert isinstance(ready.fileobj, socket.socket)
                word = _reply(ready.fileobj, asked)
                if word is not None:
                    said[key] = word
                    waiting.unregister(ready.fileobj)
    return said


def _reply(asking: socket.socket, asked: int) -> str | None:
    """Read a reply; None for what is none to this question."""
    try:
        reply = DNSRecord.parse(asking.recv(_SIZE_MAX))
    except ConnectionRefusedError:
        return "refused"
    except (OSError, DNSError, ValueError, IndexError):
        return "failed"
    if reply.header.id != asked:
        return None
    code = RCODE.get(reply.header.rcode)
    if code == "REFUSED":
        return "refused"
    return "ok" if code in ("NOERROR", "NXDOMAIN") else "failed"
