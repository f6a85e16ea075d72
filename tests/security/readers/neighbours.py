"""The readers of what others say: the ONSS, a time authority, a witness, a control socket."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate

from ciao import timestamps
from ciao.errors import BadInput
from ciao.notes import COSIGNATURE_V1, NoteBroken
from gateway.onss import consult, mapping, problems
from gateway.onss.answers import Answer
from gateway.onss.checking import judging
from gateway.witness import protocol
from hardware.control import ControlServer, ask
from hardware.emulator.reader import EmulatedReader
from hardware.emulator.timing import Timing
from terminal.watch import orders
from tests.ciao import examples
from tests.security.readers.reader import Reader, text

HERE = Path(__file__).parent
ROOT = load_pem_x509_certificate((HERE / "root.pem").read_bytes())
LOG = [examples.SEGMENT.verifier()]
WITNESS = examples.COSIGNER.verifier(COSIGNATURE_V1)
NOW = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def created(body: bytes) -> None:
    """Read the answer to a call; what is read of it must be fit to be kept as text."""
    for one in mapping.item_answers(body) or ():
        if isinstance(one, mapping.Created):
            (one.onss_id + one.validity).encode()


def headers(told: str) -> None:
    """Read the headers that hold a date or a wait."""
    for answer in (
        Answer(503, {"retry-after": told, "date": told}, b"", "trace"),
        Answer(503, {"date": told}, b'{"retryAfter":"2026-03-02T05:00:00Z"}', "trace"),
    ):
        problems.retry_after_s(answer)
        judging.clock(answer, NOW)


def asked(body: bytes) -> None:
    """Read a request to a witness, as far as it goes without the log's key."""
    request = protocol.decode(body)
    if isinstance(request, protocol.AddCheckpoint):
        protocol.origin_of(request)
        protocol.judge(request, LOG, protocol.Held())


def signed(checkpoint: str) -> None:
    """Read a request that the log's own key has signed, whatever it says."""
    note = examples.SEGMENT.sign(checkpoint).encode()
    protocol.judge(protocol.AddCheckpoint(0, (), note), LOG, protocol.Held())


@contextlib.contextmanager
def socket_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "control"


def say(path: Path, raw: bytes) -> None:
    """Say anything to a control socket; each of its answers is a whole line of its own."""
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(BrokenPipeError):
        client.settimeout(5.0)
        client.connect(str(path))
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(partial(client.recv, 4096), b""))
        for line in answers.splitlines():
            assert line == b"ok" or line.startswith((b"error: ", b"state: ")), line


def emulated(raw: bytes) -> None:
    with socket_path() as path, contextlib.ExitStack() as inside:
        reader = EmulatedReader(path.parent / "link", Timing(), None, os.urandom, lambda _: None)
        inside.enter_context(reader)
        inside.enter_context(ControlServer(path, reader.obey))
        with contextlib.suppress(ConnectionResetError):
            say(path, raw)


def ordered(raw: bytes) -> None:
    with socket_path() as path:
        served = orders.Orders(path, lambda one: served.answer(orders.Answer(one.number, "ok")))
        with contextlib.closing(served), contextlib.suppress(ConnectionResetError):
            say(path, raw)


def answered(raw: bytes) -> None:
    """Ask whoever serves a control socket, and be told anything."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(raw)

    with socket_path() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            ask(path, "state")
        finally:
            thread.join()


READERS: dict[str, Reader] = {
    "ONSS answer": Reader(
        created,
        (),
        b'{"items":[{"createdPresenceRegistration":{"id":"1","validity":"VALID","remarks":[]}}]}',
    ),
    "ONSS search": Reader(
        consult.found,
        (),
        b'{"total":1,"items":[{"id":1,"registrationDate":"2026-03-02T05:02:11.480Z"}]}',
    ),
    "ONSS problem": Reader(
        lambda raw: problems.problem(Answer(400, {}, raw, "trace")),
        (),
        b'{"type":"urn:problem-type:belgif:badRequest","retryAfterSec":1,"issues":'
        b'[{"type":"urn:problem-type:belgif:input-validation:x","name":"items[3].ssin"}]}',
    ),
    "ONSS headers": Reader(text(headers), (), b"Mon, 02 Mar 2026 05:00:00 +0000"),
    "time stamp": Reader(
        lambda raw: timestamps.read(raw, b"1\n", [ROOT]),
        (timestamps.NotStamped,),
        (HERE / "reply.tsr").read_bytes(),
    ),
    "witness request": Reader(
        asked,
        (),
        protocol.encode(protocol.AddCheckpoint(1, (bytes(32),), examples.SIGNED_CHECKPOINT)),
    ),
    "signed by the log": Reader(text(signed), (NoteBroken,), examples.CHECKPOINT.text().encode()),
    "witness answer": Reader(
        lambda raw: protocol.cosignature(raw, examples.SIGNED_CHECKPOINT, WITNESS),
        (NoteBroken,),
        examples.COSIGNED_CHECKPOINT.removeprefix(examples.SIGNED_CHECKPOINT).encode(),
    ),
    "order to a reader": Reader(emulated, (), b"put uid=04A1B2C3D4E580\nnoise hex=00FF\ntake\n"),
    "order to a terminal": Reader(ordered, (), b"maintenance begin\nstate\n"),
    "answer to an order": Reader(answered, (BadInput,), b"ok\n"),
}
