"""Edge: the watch beside the gateway's loop: reports logged, rounds in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from ciao.errors import BadInput
from ciao.reading import Reading
from ciao.timestamps import NotStamped
from gateway.events import Announced, Effect, Event
from gateway.timestamping.authority import Authority
from gateway.timestamping.shelf import Shelf
from gateway.watch.events import Look, Looked, Stamp, Stamped, Witnessed
from gateway.watch.probes import Rounds
from gateway.watch.watch import Known, Told, Watch
from gateway.witness.client import Client, WitnessFailed, WitnessUnaware
from gateway.witness.protocol import AddCheckpoint

log = structlog.get_logger("gateway")


class Watcher:
    """Runs after each step of the gateway; `put` hands what a round saw to the next one.

    `stamps`: whom to ask for time stamps and where they are kept; `witness`: who outside cosigns
    our journal. None where nobody is configured.
    """

    def __init__(
        self,
        watch: Watch,
        rounds: Rounds,
        put: Callable[[Event], None],
        stamps: tuple[Authority, Shelf] | None = None,
        witness: Client | None = None,
    ) -> None:
        self._watch = watch
        self._rounds = rounds
        self._put = put
        self._stamps = stamps
        self._witness = witness
        self._looking = ThreadPoolExecutor(1, "watch")
        self._asking = ThreadPoolExecutor(1, "timestamps")
        self._witnessing = ThreadPoolExecutor(1, "witness")
        self._failing = threading.Event()

    def start(self, now: Reading, known: Sequence[Known]) -> None:
        """Open the journal and say that we are back."""
        self._tell(self._watch.start(now, known))

    def step(
        self,
        now: Reading,
        events: Sequence[Event],
        effects: Sequence[Effect],
        *,
        ledger_works: bool,
    ) -> None:
        """Write what is to be written of a step whose effects are out; never raises for a disk."""
        self._watch.ledger_works = ledger_works
        self._tell(self._watch.step(now, events, effects))
        self._to_witness()

    def stop(self, now: Reading) -> None:
        """Say that we were asked to stop, and let go of everything."""
        self._watch.stop(now)
        for workers in (self._looking, self._asking, self._witnessing):
            workers.shutdown(wait=False, cancel_futures=True)
        self._rounds.close()
        self._watch.diary.close()

    def _tell(self, told: Sequence[Told]) -> None:
        for one in told:
            if isinstance(one, Look):
                self._looking.submit(self._look)
            elif isinstance(one, Stamp):
                self._asking.submit(self._stamp, one)
            elif isinstance(one, Announced):
                self._put(one)
            else:
                log.warning(one.event, **one.fields)
        works = self._watch.diary.works
        if works == self._failing.is_set():
            if works:
                self._failing.clear()
                log.warning("journal_works_again")
            else:
                self._failing.set()
                log.error("journal_failed", evidence="none is written until its disk takes it")

    def _to_witness(self) -> None:
        """Take a checkpoint that was just cosigned to the outside witness, if there is one."""
        if self._witness is None:
            return
        try:
            asked = self._watch.diary.to_witness(self._witness.request)
        except WitnessFailed as error:
            log.error("witness_refused", why=str(error))
            return
        if asked is not None:
            key = self._watch.diary.log_key
            self._witnessing.submit(self._have_witnessed, self._witness, asked, key)

    def _have_witnessed(self, witness: Client, asked: AddCheckpoint, key: str) -> None:
        """Have it cosigned; a witness that is down, or elsewhere, is asked the next time."""
        try:
            note = witness.ask(asked)
        except WitnessUnaware as error:
            # A segment a year, and after damage: until it is told, all is grade C.
            log.error("witness_unaware", why=str(error), tell_it=f"witness serve --log {key}")
        except WitnessFailed as error:
            log.warning("witness_failed", why=str(error))
        else:
            self._put(Witnessed(note, int(note.split("\n")[1])))

    def _look(self) -> None:
        self._put(Looked(self._rounds.look()))

    def _stamp(self, asked: Stamp) -> None:
        """Have a list stamped and keep it; what stands in the way is told, not raised."""
        assert self._stamps is not None, "the watch asks for stamps only where it was given a way"
        authority, shelf = self._stamps
        try:
            digest = shelf.put(asked.document, authority.stamp(asked.document))
        except (NotStamped, OSError, BadInput) as error:
            self._put(Stamped("", asked.at, why=str(error) or type(error).__name__))
        else:
            self._put(Stamped(digest, asked.at))
