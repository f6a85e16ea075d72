"""Edge: one question to resolvers, over UDP, both at once, within one time limit (RFC 1035).

The system's own `getaddrinfo` would do, were it to come back: with a dead resolver it takes ten
seconds and more, and can't be told apart from a name that isn't there.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnslib import QTYPE, RCODE, DNSError, DNSRecord

from ciao.reaching.endpoint import literal

_RESOLVERS = Path("/etc/resolv.conf")
_HOSTS = Path("/etc/hosts")
_PORT = 53
_SIZE_MAX = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver said: `ok`, `timeout`, `refused` or `failed`; and the addresses."""

    word: str
    addresses: tuple[str, ...] = ()


def provider() -> str:
    """Return the first resolver of the system's configuration; "" where there is none."""
    for words in _lines(_RESOLVERS):
        if len(words) > 1 and words[0] == "nameserver" and literal(words[1].partition("%")[0]):
            return words[1]
    return ""


def listed(host: str) -> str:
    """Return the address that /etc/hosts has for a name; "" where it has none."""
    for address, *names in _lines(_HOSTS):
        if host.lower() in (name.lower() for name in names) and literal(address):
            return address
    return ""


def ask(resolvers: Mapping[str, str], name: str, limit_s: float) -> dict[str, Answer]:
    """Ask each resolver (address by key) for a name's addresses; for `.` whether it answers.

    A name that isn't there is an answer, but for the resolver that says so alone.
    """
    kind = "NS" if name == "." else "A"
    answers = {key: Answer("timeout") for key in resolvers}
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for key, address in resolvers.items():
            question = DNSRecord.question(name, kind)
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                asking = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
                asking.setblocking(False)
                asking.connect((address, _PORT))
                asking.send(question.pack())
            except OSError as error:
                answers[key] = Answer(_failed(error))
            else:
                waiting.register(asking, selectors.EVENT_READ, (key, question.header.id))
        until_s = time.monotonic() + limit_s
        while waiting.get_map() and (left_s := until_s - time.monotonic()) > 0:
            for ready, _ in waiting.select(left_s):
                key, asked = ready.data
                assert isinstance(ready.fileobj, socket.socket)
                answer = _received(ready.fileobj, asked)
                if answer is not None:
                    answers[key] = answer
                    waiting.unregister(ready.fileobj)
    return _compared(answers)


def _received(asking: socket.socket, asked: int) -> Answer | None:
    """Read a reply; None for what is no reply to this question."""
    try:
        reply = DNSRecord.parse(asking.recv(_SIZE_MAX))
    except OSError as error:
        return Answer(_failed(error))
    except (DNSError, ValueError, IndexError):
        return Answer("failed")
    if reply.header.id != asked:
        return None
    code = RCODE.get(reply.header.rcode)
    if code == "REFUSED":
        return Answer("refused")
    if code not in ("NOERROR", "NXDOMAIN"):
        return Answer("failed")
    found = [str(record.rdata) for record in reply.rr if record.rtype in (QTYPE.A, QTYPE.AAAA)]
    return Answer("ok", tuple(found))


def _compared(answers: dict[str, Answer]) -> dict[str, Answer]:
    """A resolver that doesn't find what another finds has failed."""
    found = any(answer.addresses for answer in answers.values())
    return {
        key: Answer("failed") if found and answer == Answer("ok") else answer
        for key, answer in answers.items()
    }


def _failed(error: OSError) -> str:
    return "refused" if error.errno == errno.ECONNREFUSED else "timeout"


def _lines(path: Path) -> Sequence[list[str]]:
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    split = (line.partition("#")[0].split() for line in text.splitlines())
    return [words for words in split if words]
