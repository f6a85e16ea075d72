"""The minimal witness and the side that asks it, over real HTTP and a real file."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from ciao import notes
from ciao.entries import Heartbeat
from ciao.evidence import facts
from ciao.journal.archive import Archive
from ciao.journal.store import note_digest
from ciao.notes import COSIGNATURE_V1, NoteBroken, Signer, VerifierKey, parse
from ciao.tree import consistency_proof
from gateway.events import Event
from gateway.watch.events import Witnessed
from gateway.watch.probes import Rounds, Targets
from gateway.watch.watcher import Watcher
from gateway.witness import protocol
from gateway.witness.app import Witness, create_app, known_log
from gateway.witness.client import Client, WitnessElsewhere, WitnessFailed
from gateway.witness.command import witness as command
from gateway.witness.protocol import AddCheckpoint
from gateway.witness.store import Store
from tests.ciao.examples import signer
from tests.evidence.making import Twin, TwinLog
from tests.gateway.watch.world import WatchWorld

COSIGNER = signer("witness.example.org/one")
KEY = COSIGNER.verifier(COSIGNATURE_V1)
NOW_S = 1772427732


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path, log: TwinLog) -> Iterator[str]:
    """A witness of one log, on a port of its own."""
    store = Store(folder / "witness.db")
    known = dict([known_log(str(log.signer.verifier()))])
    logs = {origin: [key] for origin, key in known.items()}
    app = create_app(Witness(store, logs, COSIGNER, lambda: NOW_S))
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        store.close()


@pytest.fixture
def log() -> TwinLog:
    twin = Twin()
    twin.minutes(5)
    return twin.log


def cosigned(client: Client, note: str, log: TwinLog) -> str:
    return client.ask(client.request(note, log.subtree))


def ask(url: str, log: TwinLog, old: int, new: int, note: str | None = None) -> requests.Response:
    proof = consistency_proof(old, new, log.subtree) if 0 < old <= new else []
    body = protocol.encode(AddCheckpoint(old, tuple(proof), note or log.checkpoint(new)))
    return requests.post(url + protocol.PATH, data=body, timeout=10)


def test_it_cosigns_what_extends_what_it_has(tmp_path: Path, log: TwinLog) -> None:
    with served(tmp_path, log) as url:
        client = Client(url, KEY)
        for size in (3, 3, 7, log.size):
            note = log.checkpoint(size)
            grown = cosigned(client, note, log)
            assert notes.cosignature_time(parse(grown), KEY) == NOW_S
            assert grown.startswith(note)


def test_it_remembers_over_a_restart_and_says_how_far_it_is(tmp_path: Path, log: TwinLog) -> None:
    with served(tmp_path, log) as url:
        cosigned(Client(url, KEY), log.checkpoint(4), log)
    with served(tmp_path, log) as url:
        answer = ask(url, log, 0, 6)
        assert (answer.status_code, answer.text) == (409, "4\n")
        assert answer.headers["Content-Type"] == protocol.SIZE_TYPE
        # Who asks has forgotten as well, and learns it from the answer.
        client = Client(url, KEY)
        with pytest.raises(WitnessElsewhere):
            cosigned(client, log.checkpoint(6), log)
        assert cosigned(client, log.checkpoint(6), log)


def test_it_never_cosigns_two_histories(tmp_path: Path, log: TwinLog) -> None:
    fork = TwinLog(log.signer)
    for leaf in (*log.leaves[:4], *log.leaves[5:]):
        fork.append(leaf)
    with served(tmp_path, log) as url:
        client = Client(url, KEY)
        cosigned(client, log.checkpoint(6), log)
        assert ask(url, fork, 6, 6).status_code == 409
        assert ask(url, fork, 6, 8).status_code == 422
        assert ask(url, log, 6, 8).status_code == 200
        with pytest.raises(WitnessFailed):
            cosigned(client, fork.checkpoint(9), fork)
        assert ask(url, log, 8, 5).status_code == 400


def test_it_knows_its_logs_and_their_keys_only(tmp_path: Path, log: TwinLog) -> None:
    with served(tmp_path, log) as url:
        other = Twin().log
        other.signer = signer(log.origin[:-16] + "f" * 16)
        assert ask(url, other, 0, 1).status_code == 404
        forged = Signer(log.origin, COSIGNER.private).sign(parse(log.checkpoint(2)).text).encode()
        assert ask(url, log, 0, 2, forged).status_code == 403
        assert ask(url, log, 0, 2).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 00\n\nnote",
        b"old -1\n\nnote",
        b"new 0\n\nnote",
        b"old 1\nAAAA\n\nnote",
        b"old 1\n!\n\nnote",
        b"\xff",
        b"old 0\n" + b"A" * 43 + b"=\n" * 99,
    ],
)
def test_what_is_no_request_is_refused_without_a_trace(
    tmp_path: Path, log: TwinLog, body: bytes
) -> None:
    with served(tmp_path, log) as url:
        answer = requests.post(url + protocol.PATH, data=body, timeout=10)
        assert answer.status_code in (400, 404)
        assert ask(url, log, 0, 2).status_code == 200


def test_what_answers_in_a_witnesss_name_without_its_key_is_no_witness(
    tmp_path: Path, log: TwinLog
) -> None:
    with served(tmp_path, log) as url:
        other = Signer(KEY.name, log.signer.private).verifier(COSIGNATURE_V1)
        with pytest.raises(WitnessFailed, match="no cosignature"):
            cosigned(Client(url, other), log.checkpoint(2), log)
    with pytest.raises(WitnessFailed, match="no answer"):
        cosigned(Client("http://127.0.0.1:1", KEY), log.checkpoint(2), log)


def test_an_answer_of_anything_is_put_under_no_note(log: TwinLog) -> None:
    note = log.checkpoint(2)
    for answer in (b"", b"\xff", b"\xe2\x80\x94 x y\n", note.encode()):
        with pytest.raises(NoteBroken):
            protocol.cosignature(answer, note, KEY)


def test_a_key_is_made_once_and_never_without_its_memory(tmp_path: Path) -> None:
    folder = ["--dir", str(tmp_path / "w")]
    made = CliRunner().invoke(command, ["init", "witness.example.org/one", *folder])
    assert made.exit_code == 0
    key = VerifierKey.parse(made.output.strip())
    assert (key.name, key.kind) == ("witness.example.org/one", COSIGNATURE_V1)
    assert CliRunner().invoke(command, ["init", "another", *folder]).exit_code == 2
    (tmp_path / "w" / "witness.db").unlink()
    log = str(Twin().log.signer.verifier())
    served = CliRunner().invoke(command, ["serve", "--log", log, *folder])
    assert served.exit_code == 2
    assert CliRunner().invoke(command, ["serve", "--log", "nonsense", *folder]).exit_code == 2


def test_whoever_runs_the_gateway_is_told_which_key_a_witness_lacks(tmp_path: Path) -> None:
    world = WatchWorld(tmp_path / "journal")
    world.connect()
    put: queue.SimpleQueue[Event] = queue.SimpleQueue()
    with served(tmp_path, Twin().log) as url, capture_logs() as told:
        rounds = Rounds(Targets("http://127.0.0.1:1", None, (), ("127.0.0.1", 1), "", "", {}))
        watcher = Watcher(world.watch, rounds, put.put, witness=Client(url, KEY))
        world.clock.advance(60_000)
        watcher.step(world.clock(), [], [], ledger_works=True)
        watcher._witnessing.shutdown(wait=True)
        key, (origin, _) = world.watch.diary.log_key, world.watch.diary.place
        watcher.stop(world.clock())
    (said,) = [one for one in told if one["event"] == "witness_unaware"]
    assert said["tell_it"] == f"witness serve --log {key}"
    assert known_log(key)[0] == origin


def test_a_gateways_own_journal_is_taken_to_its_witness_each_minute(tmp_path: Path) -> None:
    world = WatchWorld(tmp_path / "journal")
    world.connect()
    origin = world.watch.diary.place[0]
    put: queue.SimpleQueue[Event] = queue.SimpleQueue()
    path = next((tmp_path / "journal").glob("*.db"))
    with closing(Archive(path)) as archive:
        own = Signer(origin, Ed25519PrivateKey.from_private_bytes(archive._seed))
    with served(tmp_path, TwinLog(own)) as url:
        client = Client(url, KEY)
        # What it asks of the network is in test_probes.py.
        rounds = Rounds(Targets("http://127.0.0.1:1", None, (), ("127.0.0.1", 1), "", "", {}))
        watcher = Watcher(world.watch, rounds, put.put, witness=client)
        for _ in range(3):
            world.clock.advance(60_000)
            watcher.step(world.clock(), [], [], ledger_works=True)
            witnessed = next(
                event
                for event in iter(lambda: put.get(timeout=30), None)
                if isinstance(event, Witnessed)
            )
            watcher.step(world.clock(), [witnessed], [], ledger_works=True)
        assert client.sizes[origin] == witnessed.size
        assert notes.cosignature_time(parse(witnessed.note), KEY) == NOW_S
        with closing(Archive(path)) as archive:
            kept = [note.note for note in archive.notes(1, archive.size)]
            beats = [facts.read(row.leaf).entry for row in archive.rows(0, archive.size)]
        watcher.stop(world.clock())
    assert kept[-1] == witnessed.note
    named = {beat.note for beat in beats if isinstance(beat, Heartbeat)} - {None}
    # The first heartbeats after a witness answered name the note that carries its cosignature.
    assert len(named & {note_digest(note) for note in kept}) == len(named)
    assert sum("witness.example.org/one" in note for note in kept) == 3
