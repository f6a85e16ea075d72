"""Edge: what somebody asks of the running terminal, over a Unix socket for its owner alone.

`maintenance begin`, `maintenance end`, `state`: each is answered by one line once it is done, and
what it promises is on the disk.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ciao.errors import BadInput
from hardware.control import ControlServer

Order = Literal["maintenance begin", "maintenance end", "state"]
ORDERS: tuple[str, ...] = get_args(Order)
_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asked; `number` is for the answer."""

    order: Order
    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked is done, or why it isn't: `refused` and what to do then."""

    number: int
    text: str
    refused: str = ""
    hint: str = ""


class Orders:
    """Serves a socket; `emit` gets each order, in the socket's thread; closed like a file."""

    def __init__(self, path: Path, emit: Callable[[Asked], None]) -> None:
        self._emit = emit
        self._numbers = itertools.count()
        self._waiting: dict[int, queue.SimpleQueue[Answer]] = {}
        self._lock = threading.Lock()
        self._server = ControlServer(path, self._obey)

    def answer(self, answer: Answer) -> None:
        """Hand an answer to whoever waits for it."""
        with self._lock:
            waiting = self._waiting.get(answer.number)
        if waiting is not None:
            waiting.put(answer)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._server.close()

    def _obey(self, line: str) -> str:
        order = next((known for known in get_args(Order) if known == line.strip()), None)
        if order is None:
            raise BadInput(f"{line.strip()!r} is no order", f"one of: {', '.join(ORDERS)}")
        number = next(self._numbers)
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        with self._lock:
            self._waiting[number] = answers
        try:
            self._emit(Asked(order, number))
            answer = answers.get(timeout=_WAIT_S)
        except queue.Empty:
            raise BadInput("the terminal is busy and did not answer", "ask again") from None
        finally:
            with self._lock:
                del self._waiting[number]
        if answer.refused:
            raise BadInput(answer.refused, answer.hint)
        return answer.text
