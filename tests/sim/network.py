"""The broker and the wires to it, as one seeded twin: it loses, delays, repeats and reorders.

Retained messages, wills and clean sessions as MQTT 3.1.1 has them; a partition is a session that
ends. What a real broker would never do (lose under an open session, lie) it does too: nothing of
ours may rest on it.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ciao.link import Connected, Disconnected, LinkEvent, Message, Publish
from tests.sim.agenda import Agenda

RECONNECT_MS = 2_000


@dataclass(slots=True)
class Weather:
    """How bad the network is just now, as probabilities and ms.

    `forged`: somebody hands a terminal its own checkpoint back as if it were a receipt.
    `garbled`: a message arrives cut.
    """

    lost: float = 0.0
    repeated: float = 0.0
    forged: float = 0.0
    garbled: float = 0.0
    delay_ms_max: int = 20


@dataclass(slots=True)
class Session:
    """One client's session: where its events go, what it reads, and its will."""

    name: str
    emit: Callable[[LinkEvent], None]
    reads: Sequence[str]
    will: Publish
    up: bool = False


class Broker:
    """Everything between the programs."""

    def __init__(self, agenda: Agenda, rng: random.Random) -> None:
        self._agenda = agenda
        self._rng = rng
        self._retained: dict[str, Publish] = {}
        self._sessions: dict[str, Session] = {}
        self._cut: dict[str, int] = {}
        self._stopped = 0
        self.weather = Weather()

    def join(self, session: Session) -> None:
        """A program starts: it will be connected soon."""
        self._sessions[session.name] = session
        self._agenda.after(self._rng.randint(1, 50), lambda: self._connect(session))

    def leave(self, session: Session) -> None:
        """A program died: its will is published, and nothing reaches it any more."""
        if self._sessions.get(session.name) is session:
            del self._sessions[session.name]
        self._drop(session)

    def cut(self, name: str) -> None:
        """Unplug a host, until `mend` was called as often."""
        self._cut[name] = self._cut.get(name, 0) + 1
        session = self._sessions.get(name)
        if session is not None and self._drop(session):
            session.emit(Disconnected("unplugged"))

    def mend(self, name: str) -> None:
        """Plug a host in again."""
        self._cut[name] -= 1
        session = self._sessions.get(name)
        if session is not None:
            self._agenda.after(RECONNECT_MS, lambda: self._connect(session))

    def restart(self, forgets: bool) -> None:
        """The broker is killed and started: every session ends, and perhaps it forgot all."""
        for session in list(self._sessions.values()):
            if session.up:
                session.up = False
                session.emit(Disconnected("the broker went"))
                self._agenda.after(RECONNECT_MS, partial(self._connect, session))
        if forgets:
            self._retained.clear()

    @property
    def is_stopped(self) -> bool:
        """Whether nobody can reach it."""
        return self._stopped > 0

    def stop(self) -> None:
        """The broker is stopped, until `go_on` was called as often: every session ends."""
        self._stopped += 1
        for session in list(self._sessions.values()):
            if session.up:
                session.up = False
                session.emit(Disconnected("the broker went"))

    def go_on(self) -> None:
        """It is started again, with what it retained."""
        self._stopped -= 1
        for session in list(self._sessions.values()):
            self._agenda.after(RECONNECT_MS, partial(self._connect, session))

    def publish(self, session: Session, message: Publish) -> None:
        """A program publishes; without a session it is dropped, as the real edge does."""
        if session.up:
            self._spread(message)

    def _connect(self, session: Session) -> None:
        current = self._sessions.get(session.name) is session
        if not current or self._cut.get(session.name) or session.up or self.is_stopped:
            return
        session.up = True
        session.emit(Connected())
        for message in list(self._retained.values()):
            if session.up and _wanted(session, message.topic):
                self._deliver(session, message)

    def _drop(self, session: Session) -> bool:
        was_up, session.up = session.up, False
        if was_up:
            self._spread(session.will)
        return was_up

    def _spread(self, message: Publish) -> None:
        if message.retain:
            self._retained[message.topic] = message
        if self.weather.forged and message.topic.endswith("/journal"):
            self._forge(message)
        for session in list(self._sessions.values()):
            if session.up and _wanted(session, message.topic):
                self._deliver(session, message)

    def _forge(self, message: Publish) -> None:
        if self._rng.random() < self.weather.forged:
            batch = json.loads(message.payload)
            receipt = {key: batch[key] for key in ("checkpoint", "certificate")}
            topic = message.topic.removesuffix("journal") + "receipt"
            self._spread(Publish(topic, json.dumps(receipt).encode()))

    def _deliver(self, session: Session, message: Publish) -> None:
        weather, rng = self.weather, self._rng
        if rng.random() < weather.lost:
            return
        if weather.garbled and rng.random() < weather.garbled:
            cut = rng.randrange(len(message.payload) or 1)
            message = Publish(message.topic, message.payload[:cut])
        for _ in range(2 if rng.random() < weather.repeated else 1):
            delay_ms = rng.randint(1, weather.delay_ms_max)
            self._agenda.after(delay_ms, lambda: self._arrive(session, message))

    def _arrive(self, session: Session, message: Publish) -> None:
        if session.up and self._sessions.get(session.name) is session:
            session.emit(Message(message.topic, message.payload))


def _wanted(session: Session, topic: str) -> bool:
    return any(_matches(wanted, topic) for wanted in session.reads)


@functools.cache
def _matches(wanted: str, topic: str) -> bool:
    parts, given = wanted.split("/"), topic.split("/")
    return len(parts) == len(given) and all(
        part in ("+", word) for part, word in zip(parts, given, strict=True)
    )
