"""Edge: the loop that turns events into steps and effects into calls.

One thread steps; paho's thread and the workers that call the ONSS only put events into the inbox.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from ciao import running
from ciao.link import Connected, Disconnected, Message, Publish
from ciao.mqtt import Link
from ciao.reading import ReadClock, Reading
from gateway.core import Gateway
from gateway.events import (
    Answered,
    Consult,
    Consulted,
    Effect,
    Event,
    Report,
    ServiceTrouble,
    Submit,
    Tick,
)
from gateway.forwarding import answers
from gateway.forwarding.consulting import SEARCHES_MAX
from gateway.intake import epoch_ms
from gateway.ledger import LedgerFailed
from gateway.metrics import Metrics
from gateway.onss.answers import NoAnswer, Outcome, Silence
from gateway.status import DISK_LOW_BYTES
from gateway.watch.watcher import Watcher

TICK_S = 0.25
# Beyond these, messages are dropped: batches are sent again, since no receipt went out for them.
# A terminal has four batches in flight; one topic that floods leaves the others their place.
WAITING_MAX = 4096
WAITING_BYTES_MAX = 64 * 1024 * 1024
WAITING_OF_TOPIC_MAX = 64
# After a failed write; terminals are told not to send meanwhile.
LEDGER_AGAIN_S = 1.0
DISK_LOOK_S = 60.0
GOODBYE_S = 35.0

log = structlog.get_logger("gateway")


class Service(Protocol):
    """The ONSS as one employer's credential reaches it: `gateway.onss.client.OnssClient`."""

    def register(self, items: Sequence[Mapping[str, Any]], trace_id: str) -> Outcome:
        """Register items in one call."""

    def search(self, query: Mapping[str, str], trace_id: str) -> Outcome:
        """Search for one registration."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """A worker raised, which is a mistake of ours: the loop raises it again and the program ends.

    What was under way is then unknown, and is consulted after the restart.
    """

    error: BaseException


class Inbox(running.Inbox[Event | Crashed]):
    """The gateway's inbox: bounded, and the place where a worker's mistake comes out."""

    def __init__(self) -> None:
        super().__init__()
        self._counting = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._bytes = 0

    def put(self, event: Event | Crashed) -> None:
        """Hand an event in; a message too many is dropped, since it will be sent again."""
        if isinstance(event, Message):
            with self._counting:
                if (
                    self._waiting.total() >= WAITING_MAX
                    or self._waiting[event.topic] >= WAITING_OF_TOPIC_MAX
                    or self._bytes + len(event.payload) > WAITING_BYTES_MAX
                ):
                    return
                self._waiting[event.topic] += 1
                self._bytes += len(event.payload)
        super().put(event)

    def take(self, timeout_s: float) -> list[Event | Crashed]:
        """Wait for an event; return it with those that are there already, at most a step's."""
        events = super().take(timeout_s)
        with self._counting:
            for event in events:
                if isinstance(event, Message):
                    self._waiting[event.topic] -= 1
                    self._bytes -= len(event.payload)
            self._waiting = +self._waiting
        return events


def without_crashes(found: Sequence[Event | Crashed]) -> list[Event]:
    """Return the events; raise the error of a worker that crashed."""
    events: list[Event] = []
    for event in found:
        if isinstance(event, Crashed):
            raise event.error
        events.append(event)
    return events


class Program:
    """One gateway, its session with the broker, and its workers.

    `make` builds the gateway on its ledger in `folder`, and again after a write that failed.
    """

    def __init__(
        self,
        make: Callable[[], Gateway],
        folder: Path,
        inbox: Inbox,
        link: Link,
        services: Mapping[str, Service],
        calls_max: int,
        metrics: Metrics,
        watcher: Watcher | None = None,
    ) -> None:
        self._make = make
        self._metrics = metrics
        self._gateway = make()
        self._folder = folder
        self._connected = False
        self._failing = False
        self._looked_s = -DISK_LOOK_S
        self._inbox = inbox
        self._link = link
        self._services = services
        self._watcher = watcher
        self._calls_max = calls_max
        self._workers: dict[tuple[str, type], ThreadPoolExecutor] = {}
        # Calls and searches whose answer has not come in yet.
        self._under_way = 0

    def run(self, read_clock: ReadClock, stopping: threading.Event) -> None:
        """Serve until `stopping` is set; then wait for the calls that are under way."""
        self._link.start()
        try:
            ticked = time.monotonic()
            while not stopping.is_set():
                events = without_crashes(self._inbox.take(0.0 if self._gateway.busy else TICK_S))
                if time.monotonic() - ticked >= TICK_S:
                    ticked = time.monotonic()
                    events.append(Tick())
                    self._look_at_disk()
                self._step(read_clock, events)
                if self._failing:
                    stopping.wait(LEDGER_AGAIN_S)
            self._say_goodbye(read_clock)
        finally:
            for workers in self._workers.values():
                workers.shutdown(wait=False, cancel_futures=True)

    def _say_goodbye(self, read_clock: ReadClock) -> None:
        self._gateway.drain()
        self._link.stop(self._gateway.presence(read_clock(), online=False))
        deadline = time.monotonic() + GOODBYE_S
        while self._under_way and time.monotonic() < deadline:
            self._step(read_clock, without_crashes(self._inbox.take(TICK_S)))
        self._step(read_clock, without_crashes(self._inbox.take(0.0)))
        if self._watcher is not None:
            self._watcher.stop(read_clock())

    def _step(self, read_clock: ReadClock, events: Sequence[Event]) -> None:
        """One step, and only then, when it is committed, its effects.

        Where the ledger can't be written, nothing happened and nothing is said: the gateway begins
        again on what is on the disk, and what was on its way counts as interrupted.
        """
        for event in events:
            if isinstance(event, Answered | Consulted):
                self._under_way -= 1
            elif isinstance(event, Connected | Disconnected):
                self._connected = isinstance(event, Connected)
                self._metrics.connected(self._connected)
        now = read_clock()
        try:
            effects = self._gateway.step(now, self._again() + list(events))
        except LedgerFailed as error:
            self._failed(read_clock, error)
            self._watched(now, events, [])
            return
        if self._failing:
            self._failing = False
            log.warning("ledger_works_again")
        self._metrics.moved(self._gateway.moves, epoch_ms(now.at))
        for effect in effects:
            self._carry_out(effect)
        self._watched(now, events, effects)

    def _watched(self, now: Reading, events: Sequence[Event], effects: Sequence[Effect]) -> None:
        """The journal comes after the ledger, and after those who wait for a receipt."""
        if self._watcher is not None:
            self._watcher.step(now, events, effects, ledger_works=not self._failing)

    def _again(self) -> list[Event]:
        """A gateway that begins again finds the session with the broker as it is."""
        return [Connected()] if self._failing and self._connected else []

    def _failed(self, read_clock: ReadClock, error: LedgerFailed) -> None:
        self._gateway = self._make()
        if not self._failing:
            self._failing = True
            log.error("ledger_failed", why=str(error), receipts="none until it can be written")
            self._link.publish(self._gateway.presence(read_clock(), online=False))

    def _look_at_disk(self) -> None:
        """Warn while there is still room for what is on its way."""
        now_s = time.monotonic()
        if now_s - self._looked_s < DISK_LOOK_S:
            return
        self._looked_s = now_s
        free = shutil.disk_usage(self._folder).free
        if free < DISK_LOW_BYTES:
            log.warning("disk_low", folder=str(self._folder), free_mb=free // 2**20)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Publish(topic=topic):
                self._link.publish(effect)
                if topic.endswith("/receipt"):
                    self._metrics.receipted()
            case Report(event, fields):
                log.info(event, **fields)
                if event == "batch_refused":
                    self._metrics.refused(str(fields["reason"]))
            case ServiceTrouble():
                say = log.warning if effect.ended_ms is None else log.info
                say("service_trouble", **asdict(effect))
                self._metrics.services(self._gateway.services.breakers)
            case Submit() | Consult():
                self._under_way += 1
                future = self._workers_for(effect).submit(self._call, effect)
                future.add_done_callback(self._ended)

    def _workers_for(self, effect: Submit | Consult) -> ThreadPoolExecutor:
        """Return an employer's own workers, so that nobody waits for another's slow service."""
        key = (effect.employer, type(effect))
        if key not in self._workers:
            at_once = self._calls_max if isinstance(effect, Submit) else SEARCHES_MAX
            self._workers[key] = ThreadPoolExecutor(at_once, f"onss-{effect.employer}")
        return self._workers[key]

    def _call(self, effect: Submit | Consult) -> None:
        """Make a call, in a worker's thread."""
        service = self._services.get(effect.employer)
        if service is None:
            # Mended by a person; nothing was sent, so it is tried again.
            log.error("no_credential", employer=effect.employer)
            answer: Outcome = NoAnswer(Silence.TOKEN_DENIED, False, effect.trace_id)
        elif isinstance(effect, Submit):
            began_s = time.monotonic()
            answer = service.register(effect.items, effect.trace_id)
            taken_s = time.monotonic() - began_s
            self._metrics.called(effect.employer, answers.in_a_word(answer), taken_s)
        else:
            answer = service.search(effect.query, effect.trace_id)
        if isinstance(effect, Submit):
            self._inbox.put(Answered(effect.attempt, answer))
        else:
            self._inbox.put(Consulted(effect.tap, answer))

    def _ended(self, future: Future[None]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._inbox.put(Crashed(error))
