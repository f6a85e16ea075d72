"""Edge: asking an outside witness over HTTP; it may be down, slow, or say anything at all."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from ciao import notes
from ciao.checkpoint import Checkpoint
from ciao.notes import NoteBroken, VerifierKey
from ciao.tree import Subtree, consistency_proof
from gateway.witness import protocol
from gateway.witness.protocol import AddCheckpoint

CONNECT_S = 5.0
READ_S = 10.0
ANSWER_SIZE_MAX = 16 * 1024


class WitnessFailed(Exception):
    """No cosignature came, and why; to be tried again with the next checkpoint."""


class WitnessElsewhere(WitnessFailed):
    """It is at another size than was thought; the client knows that now."""


class WitnessUnaware(WitnessFailed):
    """It was not told of this log: each segment has a key of its own, which a person gives it."""


@dataclass(slots=True)
class Client:
    """Asks one witness, and remembers how far it is: it says so itself where that is wrong."""

    url: str
    key: VerifierKey
    sizes: dict[str, int] = field(default_factory=dict)

    def request(self, note: str, subtree: Subtree) -> AddCheckpoint:
        """Make the request for a checkpoint; `subtree` reads the log's tree, for the proof."""
        checkpoint = Checkpoint.parse(notes.parse(note).text)
        old = self.sizes.get(checkpoint.origin, 0)
        if old > checkpoint.size:
            raise WitnessFailed(f"it has {old} entries, more than our {checkpoint.size}")
        proof = consistency_proof(old, checkpoint.size, subtree) if old else []
        return AddCheckpoint(old, tuple(proof), note)

    def ask(self, request: AddCheckpoint) -> str:
        """Ask once; return the checkpoint with the cosignature, or raise WitnessFailed."""
        checkpoint = Checkpoint.parse(notes.parse(request.note).text)
        answer = self._ask(request)
        held = _size(answer)
        if answer.status_code == 409 and held is not None and held != request.old:
            self.sizes[checkpoint.origin] = held
            raise WitnessElsewhere(f"it has {held} entries, not {request.old}")
        if answer.status_code == 404:
            raise WitnessUnaware("it does not know this log")
        if answer.status_code != 200:
            raise WitnessFailed(f"it answered {answer.status_code}")
        try:
            grown = protocol.cosignature(answer.content, request.note, self.key)
        except NoteBroken as error:
            raise WitnessFailed(f"its answer is no cosignature: {error}") from error
        self.sizes[checkpoint.origin] = checkpoint.size
        return grown

    def _ask(self, request: AddCheckpoint) -> requests.Response:
        try:
            answer = requests.post(
                self.url.rstrip("/") + protocol.PATH,
                data=protocol.encode(request),
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise WitnessFailed(f"no answer: {type(error).__name__}") from error
        if len(answer.content) > ANSWER_SIZE_MAX:
            raise WitnessFailed("an answer that is too long")
        return answer


def _size(answer: requests.Response) -> int | None:
    """Read how far a witness says it is."""
    kind = answer.headers.get("Content-Type", "")
    text = answer.text.strip() if kind.startswith(protocol.SIZE_TYPE) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else None
