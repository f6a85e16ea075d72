"""Edge: an employer's access token as the watch sees it: the one that calls are made with.

It is kept fresh by asking for it at every round, which costs its server one request a token's
life, and shown to the service with the rounds that are made anyway (decision 36). What is refused
is asked for again after a while, not at every round.
"""

from __future__ import annotations

from collections.abc import Callable

from ciao.causes import OK
from gateway.onss.answers import NoAnswer, Silence
from gateway.onss.tokens import Token, Tokens
from gateway.watch.pace import ask_again_s

DENIED = "denied"


class Shown:
    """One employer's token: `ask` for it, show its `bearer`, and tell where it was turned away.

    Several threads use it, one at a time.
    """

    def __init__(self, tokens: Tokens, monotonic: Callable[[], float]) -> None:
        self._tokens = tokens
        self._monotonic = monotonic
        self._held: Token | None = None
        # The one that came after another was turned away: its being turned away says no more.
        self._after = ""
        self._word = OK
        self._failing_since_s: float | None = None
        self._again_s = 0.0

    @property
    def bearer(self) -> str:
        """The token that was held when last asked; "" where there was none."""
        return "" if self._held is None else self._held.text

    def ask(self) -> str:
        """Say `ok`, `denied` or `unreachable`: whether a call could be made with a token now."""
        now_s = self._monotonic()
        if now_s < self._again_s:
            return self._word
        found = self._tokens.get()
        if isinstance(found, NoAnswer):
            self._held, self._word = None, _word(found.reason)
            since_s = self._failing_since_s = self._failing_since_s or now_s
            wait_s = ask_again_s(now_s - since_s, found.retry_after_s or 0.0)
            self._again_s = self._monotonic() + wait_s
        else:
            self._held, self._word, self._failing_since_s = found, OK, None
        return self._word

    def turned_away(self, bearer: str) -> str | None:
        """The service took this token for none (401): ask for another; None where that was done.

        Whether the credential is refused is then its issuer's word. Where a fresh token is turned
        away as well, only a call can tell why.
        """
        held = self._held
        if held is None or held.text != bearer or bearer == self._after:
            return None
        self._tokens.forget(held)
        word = self.ask()
        self._after = self.bearer
        return word


def _word(reason: Silence) -> str:
    return DENIED if reason is Silence.TOKEN_DENIED else "unreachable"
