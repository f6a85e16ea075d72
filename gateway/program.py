"""Edge: the loop that turns events into steps and effects into calls.

One thread steps; paho's thread and the workers that call the ONSS only put events into the inbox.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from ciao import running
from ciao.link import Message, Publish
from ciao.mqtt import Link
from ciao.reading import ReadClock
from gateway.consulting import SEARCHES_MAX
from gateway.core import Gateway
from gateway.events import Answered, Consult, Consulted, Effect, Event, Report, Submit, Tick
from gateway.onss.answers import NoAnswer, Outcome, Silence

TICK_S = 0.25
# Beyond this, batches are dropped: they are sent again, since no receipt went out for them.
WAITING_MAX = 4096
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

    def put(self, event: Event | Crashed) -> None:
        """Hand an event in; a message too many is dropped, since it will be sent again."""
        if isinstance(event, Message) and self.waiting() >= WAITING_MAX:
            return
        super().put(event)


def without_crashes(found: Sequence[Event | Crashed]) -> list[Event]:
    """Return the events; raise the error of a worker that crashed."""
    events: list[Event] = []
    for event in found:
        if isinstance(event, Crashed):
            raise event.error
        events.append(event)
    return events


class Program:
    """One gateway, its session with the broker, and its workers."""

    def __init__(
        self,
        gateway: Gateway,
        inbox: Inbox,
        link: Link,
        services: Mapping[str, Service],
        calls_max: int,
    ) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._link = link
        self._services = services
        self._workers = ThreadPoolExecutor(calls_max + SEARCHES_MAX, "onss")
        self._under_way: set[Future[None]] = set()

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
                self._step(read_clock, events)
            self._say_goodbye(read_clock)
        finally:
            self._workers.shutdown(wait=False, cancel_futures=True)

    def _say_goodbye(self, read_clock: ReadClock) -> None:
        self._gateway.drain()
        self._link.stop(self._gateway.presence(read_clock(), online=False))
        deadline = time.monotonic() + GOODBYE_S
        while self._under_way and time.monotonic() < deadline:
            self._step(read_clock, without_crashes(self._inbox.take(TICK_S)))
            self._under_way = {future for future in self._under_way if not future.done()}
        self._step(read_clock, without_crashes(self._inbox.take(0.0)))

    def _step(self, read_clock: ReadClock, events: Sequence[Event]) -> None:
        """One step, and only then, when it is committed, its effects."""
        for effect in self._gateway.step(read_clock(), events):
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Publish():
                self._link.publish(effect)
            case Report(event, fields):
                log.info(event, **fields)
            case Submit() | Consult():
                self._under_way = {one for one in self._under_way if not one.done()}
                future = self._workers.submit(self._call, effect)
                self._under_way.add(future)
                future.add_done_callback(self._ended)

    def _call(self, effect: Submit | Consult) -> None:
        """Make a call, in a worker's thread."""
        service = self._services.get(effect.employer)
        if service is None:
            # Mended by a person; nothing was sent, so it is tried again.
            log.error("no_credential", employer=effect.employer)
            answer: Outcome = NoAnswer(Silence.TOKEN_DENIED, False, effect.trace_id)
        elif isinstance(effect, Submit):
            answer = service.register(effect.items, effect.trace_id)
        else:
            answer = service.search(effect.query, effect.trace_id)
        if isinstance(effect, Submit):
            self._inbox.put(Answered(effect.attempt, answer))
        else:
            self._inbox.put(Consulted(effect.tap, answer))

    def _ended(self, future: Future[None]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._inbox.put(Crashed(error))
