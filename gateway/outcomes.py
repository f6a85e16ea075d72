"""What terminals are told became of their taps: after the commit, and again when they ask."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from ciao import wire
from ciao.link import Publish
from ciao.names import topic
from ciao.registration import State
from ciao.wire import OUTCOMES_MAX, Outcome
from gateway.ledger.rows import Tap

AGAIN_MS = 48 * 3_600_000
# A receipt says that a tap was recorded, and that it is on its way is nothing to show.
UNTOLD = frozenset({State.RECORDED, State.SUBMITTED})


class Outcomes:
    """Collects what changed in one step; a tap that changed twice is told as it is at the end."""

    def __init__(self) -> None:
        self._changed: dict[int, Tap] = {}
        self._moves: list[Tap] = []

    def changed(self, tap: Tap) -> Tap:
        """Note that a tap is in a new state."""
        self._changed[tap.id] = tap
        self._moves.append(tap)
        return tap

    def moves(self) -> list[Tap]:
        """Return each change of the step, a tap as it was after it, and forget them."""
        moves, self._moves = self._moves, []
        return moves

    def take(self) -> list[Publish]:
        """Return the messages for what changed, and forget it."""
        changed, self._changed = self._changed, {}
        return messages(changed.values())


def messages(taps: Iterable[Tap]) -> list[Publish]:
    """Write outcomes, in the order given for each terminal, as few messages as the limit allows.

    A tap is named by its first origin and sequence number, wherever it was carried since.
    """
    told = sorted((tap for tap in taps if tap.state not in UNTOLD), key=attrgetter("terminal"))
    made = []
    for terminal, of_it in groupby(told, key=attrgetter("terminal")):
        outcomes = [_outcome(tap) for tap in of_it]
        for start in range(0, len(outcomes), OUTCOMES_MAX):
            some = wire.Outcomes(outcomes[start : start + OUTCOMES_MAX])
            made.append(Publish(topic(terminal, "outcome"), wire.encode(some)))
    return made


def _outcome(tap: Tap) -> Outcome:
    return Outcome(tap.first_origin, tap.first_seq, tap.state.value, tap.reason)
