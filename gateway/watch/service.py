"""What is known of the ONSS's side and of our own line: the newest word of each probe. Pure.

Rounds of probes and the calls that are made anyway both say something; the newest counts. Words
grow old, since a service that nobody called for minutes is unknown, neither well nor out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ciao.causes import ANCHOR, OK
from gateway.onss.answers import Answer, Outcome, Silence

# Longer than the longest time between two rounds.
OLD_MS = 90_000
TOKEN_OLD_MS = 15 * 60_000
# A call that failed is made again within 15 minutes, and a quarter.
CALL_OLD_MS = 20 * 60_000
TOKEN = "onss-token"
DENIED = "denied"

State = Literal["up", "down", "unknown"]

# What a call that got no answer says; what lies before it on the way works.
_WAY = ("onss-dns", "onss-tcp", "onss-tls", TOKEN, "onss-http")
_SAYS: Mapping[Silence, tuple[str, str]] = {
    Silence.DNS: ("onss-dns", "failed"),
    Silence.REFUSED: ("onss-tcp", "refused"),
    Silence.UNREACHABLE: ("onss-tcp", "unreachable"),
    Silence.CONNECT_TIMEOUT: ("onss-tcp", "timeout"),
    Silence.TLS: ("onss-tls", "failed"),
    Silence.TOKEN_UNREACHABLE: (TOKEN, "unreachable"),
    Silence.TOKEN_DENIED: (TOKEN, "denied"),
    Silence.TIMEOUT: ("onss-http", "timeout"),
    Silence.DROPPED: ("onss-http", "unreachable"),
    Silence.TOO_LONG: ("onss-http", "error"),
}


def said_by(outcome: Outcome) -> dict[str, str]:
    """Return what a call says of the service; a refusal of what was sent is an answer."""
    if not isinstance(outcome, Answer):
        probe, word = _SAYS[outcome.reason]
        if probe == TOKEN:
            # The token's server is another one: nothing is known of the service behind it.
            return {TOKEN: word}
        before = _WAY[: _WAY.index(probe)]
        return {**{name: OK for name in before if name != TOKEN}, probe: word}
    words = dict.fromkeys(_WAY, OK)
    if outcome.status >= 500:
        words["onss-http"] = "error"
    elif outcome.status in (401, 403):
        words["onss-http"] = DENIED
    return words


@dataclass(slots=True)
class Service:
    """The newest words, each with when it was said; an employer's own are kept apart.

    Whether a credential is good is no word on the service: it answered.
    """

    _words: dict[str, tuple[str, int]] = field(default_factory=dict)
    _failing_call: tuple[str, int] | None = None
    _tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    _denied: dict[str, int] = field(default_factory=dict)

    def called(self, employer: str, outcome: Outcome, up_ms: int) -> None:
        """A call with an employer's credential ended."""
        words = said_by(outcome)
        self._denied.pop(employer, None)
        if words.get("onss-http") == DENIED:
            self._denied[employer] = up_ms
            words["onss-http"] = OK
        if TOKEN in words:
            self._tokens[employer] = (words.pop(TOKEN), up_ms)
        http = words.get("onss-http")
        self._failing_call = (http, up_ms) if http not in (None, OK) else None
        self.looked(words, up_ms)

    def looked(self, words: Mapping[str, str], up_ms: int) -> None:
        """A round of probes ended; `onss-token:<employer>` is about that employer's credential."""
        for name, word in words.items():
            probe, _, employer = name.partition(":")
            if probe == TOKEN:
                self._tokens[employer] = (word, up_ms)
            else:
                self._words[probe] = (word, up_ms)

    def probes(self, up_ms: int) -> dict[str, str]:
        """Return the newest words that are not old, of what all employers share."""
        said = self._words.items()
        found = {probe: word for probe, (word, at_ms) in said if up_ms - at_ms <= OLD_MS}
        if self._failing_call is not None and self._counts(self._failing_call[1], up_ms):
            # Only another call takes that back: a round asks for less than a registration does.
            found["onss-http"] = self._failing_call[0]
        return found

    def _counts(self, failed_ms: int, up_ms: int) -> bool:
        """Say whether a call that failed still speaks of the service.

        Where nobody was given a token since, no call can be made that might take it back.
        """
        known = [one for one in self._tokens.values() if up_ms - one[1] <= TOKEN_OLD_MS]
        stuck = known and all(word != OK and at_ms > failed_ms for word, at_ms in known)
        return up_ms - failed_ms <= CALL_OLD_MS and not stuck

    def credentials(self, up_ms: int) -> dict[str, dict[str, str]]:
        """Return each employer's own words, of whom anything is known."""
        found: dict[str, dict[str, str]] = {}
        for employer, (word, at_ms) in self._tokens.items():
            if up_ms - at_ms <= TOKEN_OLD_MS:
                found[employer] = {TOKEN: word}
        for employer, at_ms in self._denied.items():
            if up_ms - at_ms <= TOKEN_OLD_MS:
                found.setdefault(employer, {})["onss-http"] = DENIED
        return found


def line(probes: Mapping[str, str]) -> dict[str, str]:
    """Return what the anchors say."""
    return {probe: word for probe, word in probes.items() if probe.startswith(ANCHOR)}


def state(probes: Mapping[str, str]) -> State:
    """Say whether the ONSS's side works, as far as the probes tell."""
    seen = {name: probes[name] for name in _WAY if name in probes}
    if any(word != OK for word in seen.values()):
        return "down"
    return "up" if "onss-http" in seen else "unknown"
