"""What a program sees of its broker: values, the same from paho and from the simulation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """The session with the broker is up and the subscriptions were asked for."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The session ended; `why` is for the journal and the doctor.

    `refused`: the broker answered, and would not have us.
    """

    why: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """Something arrived. It may have been lost before, repeated or reordered."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Publish:
    """Please send, at QoS 1. That it was sent means nothing (DESIGN 1)."""

    topic: str
    payload: bytes
    retain: bool = False


LinkEvent = Connected | Disconnected | Message
