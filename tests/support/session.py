"""A client of the broker for tests: the product's own link, with its events in a list."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ciao.link import Connected, LinkEvent, Message, Publish
from ciao.mqtt import BrokerSettings, Link, tls_context
from tests.support.waiting import wait_for


class Session:
    """A connected link; `messages` is what has arrived so far."""

    def __init__(self, link: Link, events: list[LinkEvent]) -> None:
        self.link = link
        self.events = events

    @property
    def messages(self) -> list[Message]:
        """What has arrived, in order."""
        return [event for event in self.events if isinstance(event, Message)]

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Send at QoS 1."""
        self.link.publish(Publish(topic, payload, retain))

    def cut(self) -> None:
        """Break the connection without a goodbye, as a pulled cable would; the link comes back."""
        broken = self.link._client.socket()
        assert isinstance(broken, socket.socket)
        broken.shutdown(socket.SHUT_RDWR)

    def wait_for(self, topic: str, payload: bytes) -> None:
        """Wait until this message has arrived."""
        wait_for(lambda: Message(topic, payload) in self.messages, f"{topic} {payload!r}")


@contextmanager
def session(
    settings: BrokerSettings,
    name: str,
    subscriptions: Sequence[str] = (),
    will: Publish | None = None,
) -> Iterator[Session]:
    """Connect, and stay connected for as long as the block lasts."""
    events: list[LinkEvent] = []
    farewell = will or Publish(f"ciao/1/{name}/online", b"", retain=False)
    link = Link(
        settings, tls_context(settings, Path("/")), name, farewell, subscriptions, events.append
    )
    link.start()
    try:
        wait_for(lambda: Connected() in events, f"{name} to connect")
        yield Session(link, events)
    finally:
        link.stop()
