"""What must hold when a run is over: one function each, which names what it finds.

The ledger and the sandbox's database are read by other code than the product's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.sandbox.store import registrations
from tests.forwarding.world import World, worker_of
from tests.sim.checks.attempts import sent_again_blindly
from tests.sim.checks.order import may_be_overtaken
from tests.sim.evidence import AT_ONSS, Attempts, gather_attempts
from tests.sim.reading import rows

ENDED = AT_ONSS | {"rejected", "held", "unresolved", "abandoned"}


class Broken(AssertionError):
    """Something doesn't hold: `check` is its name."""

    def __init__(self, check: str, words: Sequence[str]) -> None:
        super().__init__(f"{check}: " + "; ".join(words))
        self.check = check


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap as the ledger has it."""

    id: int
    terminal: str
    seq: int
    worker: str | None
    employer: str | None
    at_ms: int
    direction: str
    state: str
    reason: str | None
    onss_id: str | None
    badge: bytes | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A run that is over: what terminals made, what the ledger holds, what the ONSS has."""

    rested: bool
    made: int
    taps: Sequence[Tap]
    attempts: Attempts
    stored: Mapping[str, Mapping[str, Any]]
    first_ids: Mapping[str, str]
    corrected: Set[bytes]

    @property
    def claims(self) -> list[tuple[Tap, Mapping[str, Any] | None]]:
        """Pair each tap that has an ONSS id with the registration of that id."""
        return [(tap, self.stored.get(tap.onss_id)) for tap in self.taps if tap.onss_id]


def look(world: World, rested: bool) -> Seen:
    """Read it all."""
    every = (
        "SELECT id, terminal, seq, worker, employer, coalesce(derived_ms, at_ms), direction, state,"
        " reason, onss_id, badge FROM tap ORDER BY id"
    )
    return Seen(
        rested=rested,
        made=sum(len(journal.payloads) for journal in world.journals.values()),
        taps=[Tap(*row) for row in rows(world.ledger_path, every)],
        attempts=gather_attempts(world.ledger_path),
        stored={str(row["id"]): row for row in registrations(world.folder / "sandbox.db")},
        first_ids=world.peer.first_ids,
        corrected=world.corrected,
    )


def everything_comes_to_rest(seen: Seen) -> Iterator[str]:
    """Once everything works again, nothing stays under way for ever."""
    if not seen.rested:
        under_way = [tap for tap in seen.taps if tap.state not in ENDED]
        yield f"never came to rest: {under_way}"


def each_tap_is_there_once(seen: Seen) -> Iterator[str]:
    """The ledger has what the terminals made, neither more nor less."""
    if len(seen.taps) != seen.made:
        yield f"{seen.made} taps were made, {len(seen.taps)} are in the ledger"


def each_ends_at_the_onss_or_aside_with_a_reason(seen: Seen) -> Iterator[str]:
    """Accepted with an id; or rejected, held, nobody's, given up, with a reason and without one."""
    for tap in seen.taps:
        if tap.state in AT_ONSS:
            if tap.onss_id is None:
                yield f"{tap} has no id"
        elif tap.state not in ENDED or not tap.reason or tap.onss_id is not None:
            yield f"{tap} ended nowhere"


def the_ledger_equals_the_sandbox(seen: Seen) -> Iterator[str]:
    """Each accepted tap is one registration, with its own words, and there is no other."""
    claimed: dict[str, Tap] = {}
    for tap, row in seen.claims:
        if row is None:
            yield f"{tap} is not at the ONSS"
            continue
        if tap.onss_id in claimed:
            yield f"{tap} and {claimed[tap.onss_id]} are one registration"
        claimed[tap.onss_id or ""] = tap
        at_ms = round(datetime.fromisoformat(row["item"]["registrationDate"]).timestamp() * 1000)
        said = (worker_of(row["ssin"]), row["client"], row["type"], at_ms)
        if said != (tap.worker, tap.employer, tap.direction, tap.at_ms):
            yield f"{tap} is registered as {said}"
    for number, row in seen.stored.items():
        if number not in claimed:
            yield f"registration {number} is no tap's: {row['item']}"


def each_registration_was_begun_before(seen: Seen) -> Iterator[str]:
    """It came by a call that the ledger had begun, with that tap in it."""
    calls = {trace_id: attempt for attempt, trace_id in seen.attempts.begun.items()}
    for tap, row in seen.claims:
        if row is not None:
            trace_id = row["trace_id"]
            attempt = calls.get(seen.first_ids.get(trace_id, trace_id))
            if attempt is None or tap.id not in seen.attempts.taps.get(attempt, ()):
                yield f"{tap} was registered by a call that was never begun with it"


def what_ended_was_written_down(seen: Seen) -> Iterator[str]:
    """A tap leaves `submitted` by an answer that is kept, or because the gateway died."""
    under_way: dict[int, int | None] = {}
    for move in seen.attempts.transitions:
        if move.after == "submitted":
            under_way[move.tap] = move.attempt
            continue
        died = move.reason == "interrupted"
        known = died or under_way.get(move.tap) in seen.attempts.ended
        if move.before == "submitted" and not known:
            yield f"tap {move.tap} went on to {move.after}, and no answer is kept"


def nothing_is_sent_again_blindly(seen: Seen) -> Iterator[str]:
    """What may have been taken is searched for first, until the search has settled."""
    yield from sent_again_blindly(seen.attempts)


def each_workers_order_is_kept(seen: Seen) -> Iterator[str]:
    """One worker's stamps of one terminal arrive as they were made, but for those set aside.

    And for those by a badge that was another's before: they stood in that one's line.
    """
    overtaken = set(may_be_overtaken(seen.attempts.transitions))
    order: dict[tuple[str | None, str], list[tuple[int, int]]] = defaultdict(list)
    for tap, row in seen.claims:
        if row is not None and tap.id not in overtaken and tap.badge not in seen.corrected:
            order[tap.worker, tap.terminal].append((tap.seq, row["id"]))
    for (worker, terminal), stamps in order.items():
        arrived = [number for _, number in sorted(stamps)]
        if arrived != sorted(arrived):
            yield f"{worker} at {terminal} was registered in the order {arrived}"


CHECKS: Mapping[str, Callable[[Seen], Iterator[str]]] = {
    check.__name__: check
    for check in (
        everything_comes_to_rest,
        each_tap_is_there_once,
        each_ends_at_the_onss_or_aside_with_a_reason,
        the_ledger_equals_the_sandbox,
        each_registration_was_begun_before,
        what_ended_was_written_down,
        nothing_is_sent_again_blindly,
        each_workers_order_is_kept,
    )
}
# Looked at after every step, not at the end: what was written stays as it was written.
NEVER_CHANGED = "no_attempt_is_ever_changed"


def judge(seen: Seen) -> None:
    """Raise Broken with everything that doesn't hold, by the name of the first."""
    found = {name: list(check(seen)) for name, check in CHECKS.items()}
    broken = [name for name, words in found.items() if words]
    if broken:
        raise Broken(", ".join(broken), [words for name in broken for words in found[name]])
