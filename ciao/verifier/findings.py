"""What a verifier has to say, each as a plain sentence: what fails, what can't be known.

The same thing found a thousand times is said once, with a number and the first places. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ciao.verifier.sentences import FAILS, UNKNOWN

PLACES_MAX = 5


@dataclass(slots=True)
class Finding:
    """One thing that was found: which, the sentence of it, how often, and the first places."""

    code: str
    sentence: str
    count: int = 0
    places: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Findings:
    """Everything that was found; it holds whole if nothing fails.

    `confirmed`: what attachments add to what holds, in words.
    """

    failures: dict[str, Finding] = field(default_factory=dict)
    unknowns: dict[str, Finding] = field(default_factory=dict)
    confirmed: list[str] = field(default_factory=list)

    def fail(self, code: str, place: str = "") -> None:
        """Something does not hold; `code` is one of `sentences.FAILS`."""
        _note(self.failures, code, FAILS[code], place)

    def unknown(self, code: str, place: str = "") -> None:
        """Something can't be known from the bundle; `code` is one of `sentences.UNKNOWN`."""
        _note(self.unknowns, code, UNKNOWN[code], place)

    @property
    def whole(self) -> bool:
        """Whether nothing fails."""
        return not self.failures


def _note(found: dict[str, Finding], code: str, sentence: str, place: str) -> None:
    finding = found.setdefault(code, Finding(code, sentence))
    finding.count += 1
    if place and len(finding.places) < PLACES_MAX:
        finding.places.append(place)
