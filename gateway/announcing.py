"""What a gateway keeps retained at the broker: that it is there, and each terminal's papers."""

from __future__ import annotations

import hashlib

from ciao import wire
from ciao.link import Publish
from ciao.names import gateway_online, topic
from ciao.reading import Reading, rfc3339
from ciao.wire import GatewayOnline
from gateway.people import People

# A binding may begin by the clock alone, without any change in the registry.
LOOK_AGAIN_MS = 60_000
# Like presence (decision 6): a terminal that missed its binding would stand still for ever.
SAY_AGAIN_MS = 600_000


def presence(gateway: str, online: bool, since: Reading) -> Publish:
    """Write whether a gateway is there; also its will."""
    body = GatewayOnline(online, rfc3339(since.at))
    return Publish(gateway_online(gateway), wire.encode(body), retain=True)


class Papers:
    """Publishes bindings and rosters: all in a new session and every 10 minutes, else changes."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._said: dict[str, bytes] = {}
        self._version = -1
        self._looked_ms = 0
        self._forgot_ms: int | None = None

    def forget(self) -> None:
        """Begin a new session: the broker may have forgotten everything."""
        self._said = {}
        self._version = -1

    def publish(self, now: Reading, version: int) -> list[Publish]:
        """Return the messages that are new or have changed; now and then, all of them.

        `version`: the registry's, in which nothing has changed while it is the same.
        """
        if self._forgot_ms is None or now.up_ms - self._forgot_ms >= SAY_AGAIN_MS:
            self._forgot_ms = now.up_ms
            self.forget()
        if version == self._version and now.up_ms - self._looked_ms < LOOK_AGAIN_MS:
            return []
        self._version, self._looked_ms = version, now.up_ms
        changed = []
        for message in self._current(now):
            digest = hashlib.sha256(message.payload).digest()
            if self._said.get(message.topic) != digest:
                self._said[message.topic] = digest
                changed.append(message)
        return changed

    def _current(self, now: Reading) -> list[Publish]:
        messages = []
        for terminal in self._people.terminals():
            bindings = self._people.binding_message(terminal.id, now.at)
            roster = self._people.sealed_roster(terminal.id)
            for channel, payload in (("binding", bindings), ("roster", roster)):
                if payload is not None:
                    messages.append(Publish(topic(terminal.id, channel), payload, retain=True))
        return messages
