"""A national morning, ten times over: 60,000 INs in 15 minutes make 67 a second, so 667 a second.

Each tap comes fresh, in a batch of its own, from one of many terminals; the ONSS answers in 20 ms
and takes many items a call. The gateway's whole program runs in this process, on a real ledger,
a real registry and the production client; the stand-in for the ONSS is a process of its own. There
is no broker in between, and what terminals do is made beforehand.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from bench.figures import Figure, Options
from bench.forward import rate, slow_world
from bench.wall import TIMEOUT_S
from ciao import wire
from ciao.binding import digest, sign
from ciao.clock import system_clock
from ciao.link import Connected, Message, Publish
from gateway import config as gateway_config
from gateway.core import Edges, Gateway, Settings
from gateway.forwarding.submitting import Limits
from gateway.ledger import Ledger, migrate
from gateway.metrics import Metrics
from gateway.onss.client import OnssClient
from gateway.onss.tokens import Sources
from gateway.program import Inbox, Program
from gateway.sealing import AnswerKey
from provisioning.registry.records import Resolution
from provisioning.registry.registry import Registry
from tests.demo.world import World
from tests.fire.people import enrol
from tests.gateway import twins
from tests.support.ports import listens

INS = 60_000
IN_S = 15 * 60
TIMES = 10
TAPS = 12_000
TAPS_QUICK = 3_000
TERMINALS = 200
PEOPLE = 400
# As somebody would set it who expects this: the answers' order is confirmed.
CALLS = 4
ITEMS = 100
# Taps under way: what comes in 0.6 s at the rate that is asked for.
OUTSTANDING_MAX = 400


def run(options: Options) -> Iterator[Figure]:
    """Give the gateway taps as fast as it gets rid of them; how many a second is its limit."""
    taps = TAPS_QUICK if options.quick else TAPS
    with tempfile.TemporaryDirectory(prefix="ciao-") as name:
        world = slow_world(Path(name))
        try:
            served = _serve(world, taps)
        finally:
            world.close()
    asked = INS / IN_S * TIMES
    yield Figure(
        "a national morning ten times over",
        served.rate / asked,
        "times",
        1.0,
        f"{asked:.0f} fresh taps a second, each a batch, from {TERMINALS} terminals; {CALLS} calls"
        f" of up to {ITEMS} at once for each of 2 employers: {served.rate:.0f}/s",
        at_least=True,
    )
    under_way = f"{OUTSTANDING_MAX} taps under way all the time"
    yield Figure("tap to accepted then, median", served.wait_ms, "ms", None, under_way)
    parts = "custody, receipt, identifying, forwarding, outcome; of one process"
    yield Figure("CPU a tap, gateway", served.cpu_s / taps * 1e6, "µs", None, parts)


@dataclass(frozen=True, slots=True)
class _Served:
    rate: float
    cpu_s: float
    wait_ms: float


class _People(twins.TwinPeople):
    """Many terminals that were never provisioned one by one, and the real registry's badges."""

    registry: Registry

    def version(self) -> int:
        return self.registry.version()

    def badge_hmac(self, uid: bytes) -> bytes:
        return self.registry.badge_hmac(uid)

    def resolve(self, badge_hmac: bytes, at: datetime) -> Resolution | None:
        return self.registry.resolve(badge_hmac, at)


class _Terminals:
    """The other end of the session: sends taps, and hears what became of them."""

    def __init__(self, messages: Sequence[Message], inbox: Inbox) -> None:
        self._messages = messages
        self._inbox = inbox
        self._room = threading.Semaphore(OUTSTANDING_MAX)
        batches = [wire.decode(wire.Batch, message.payload) for message in messages]
        self._places = [(batch.origin, batch.start) for batch in batches]
        self._sent_s: dict[tuple[str, int], float] = {}
        self.waits_ms: list[float] = []
        self.heard_s: list[float] = []
        self.online = threading.Event()
        self.done = threading.Event()

    def start(self) -> None:
        """There is nothing to connect."""
        self._inbox.put(Connected())

    def stop(self, farewell: Publish | None = None) -> None:
        """There is nothing to close."""

    def publish(self, message: Publish) -> None:
        """Hear of outcomes: whoever is accepted makes room for another."""
        if "/_gateway/" in message.topic:
            # Only now does it take batches: what it said before is known.
            self.online.set()
        if not message.topic.endswith("/outcome"):
            return
        now_s = time.perf_counter()
        for told in wire.decode(wire.Outcomes, message.payload).outcomes:
            assert told.state == "accepted", (told.state, told.reason)
            self.waits_ms.append((now_s - self._sent_s[told.origin, told.seq]) * 1000)
            self.heard_s.append(now_s)
            self._room.release()
        if len(self.heard_s) == len(self._messages):
            self.done.set()

    def send(self) -> None:
        """Every tap in its own batch, as soon as there is room for it."""
        self.online.wait(TIMEOUT_S)
        for message, place in zip(self._messages, self._places, strict=True):
            self._room.acquire()
            self._sent_s[place] = time.perf_counter()
            self._inbox.put(message)


def _messages(uids: list[bytes], taps: int) -> list[Message]:
    """Make so many taps, round the people and round the terminals."""
    start = datetime.now(UTC)
    journals = []
    for number in range(TERMINALS):
        name = f"door-{number}"
        bundle = digest(sign(twins.bound(name), twins.signer("provisioning")))
        papers = twins.Papers(twins.enrolled(name), twins.HPKE_PUBLIC, bundle, start=start)
        journals.append(twins.Journal(name, papers=papers))
    messages = []
    for number, (journal, uid) in enumerate(islice(zip(cycle(journals), cycle(uids)), taps)):
        seq = journal.tap(uid, 10 + number / 1000)
        messages.append(journal.message(seq, seq + 1))
    return messages


def _serve(world: World, taps: int) -> _Served:
    """Let a gateway serve them all."""
    folder = world.folder
    base = f"http://127.0.0.1:{world.sandbox_port}/REST"
    world.office.open(
        broker_port=1,
        tls=False,
        base_url=f"{base}/presenceRegistration/v1",
        token_url=f"{base}/oauth/v5/token",
    )
    uids = [bytes.fromhex(one.uid) for one in enrol(folder, PEOPLE)]
    world.sandbox_db.parent.mkdir()
    world.sandbox.start(lambda: listens(world.sandbox_port))
    onss = gateway_config.load(folder / "gateway.toml").onss
    sources = Sources(time.time, time.monotonic, twins.uuids("calls"))
    services = {
        employer: OnssClient(one, sources)
        for employer, one in gateway_config.onss_configs(onss, folder).items()
    }
    people = _People()
    for number in range(TERMINALS):
        people.add_terminal(f"door-{number}")
    inbox, stopping = Inbox(), threading.Event()
    terminals = _Terminals(_messages(uids, taps), inbox)
    path = folder / "morning.db"
    migrate(path)
    limits = Limits(CALLS, ITEMS, in_order=True, ahead_max=CALLS)
    sealer = AnswerKey(os.urandom(32), os.urandom)
    edges = Edges(twins.COSIGNER, twins.OPENERS, sealer, twins.uuids("gateway"))
    registry = Registry.open(folder / "registry.db", folder / "registry.key")
    with closing(Ledger.open(path)) as ledger, registry as people.registry:
        make = partial(Gateway, ledger, people, edges, Settings(twins.GATEWAY, limits))
        program = Program(make, folder, inbox, terminals, services, CALLS, Metrics())  # type: ignore[arg-type]
        served = _time(program, terminals, inbox, stopping)
    for service in services.values():
        service.close()
    return served


def _time(
    program: Program, terminals: _Terminals, inbox: Inbox, stopping: threading.Event
) -> _Served:
    """Run the program until the last tap is accepted."""

    def play() -> None:
        terminals.send()
        terminals.done.wait(TIMEOUT_S)
        stopping.set()
        inbox.wake()

    people = threading.Thread(target=play)
    people.start()
    before_s = time.process_time()
    program.run(system_clock(UTC, 1000), stopping)
    people.join()
    assert terminals.done.is_set(), f"only {len(terminals.heard_s)} were accepted"
    wait_ms = statistics.median(terminals.waits_ms)
    return _Served(rate(terminals.heard_s), time.process_time() - before_s, wait_ms)
