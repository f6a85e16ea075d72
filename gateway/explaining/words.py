"""Every closed code of docs/protocol/reasons.md in plain words, in a person's language. Pure."""

from __future__ import annotations

from collections.abc import Callable

from gateway.deciding import GIVEN_UP, RELEASED
from gateway.forwarding.identifying import CLOCK_SET
from gateway.forwarding.resolution import Reason
from gateway.forwarding.submitting import INTERRUPTED
from gateway.onss import texts
from gateway.onss.texts import N_
from gateway.restoring import REASON_RESTORED

# A text of the catalogue, in a language.
Say = Callable[[str], str]

OURS: dict[str, str] = {
    Reason.PAYLOAD_GONE: N_("What the badge said was deleted before it was opened."),
    Reason.UNKNOWN_KEY: N_("It is sealed to a key that this gateway does not have."),
    Reason.UNREADABLE: N_("What the badge said does not open."),
    Reason.OPENING_DIFFERS: N_("What the badge said is not what the stamp committed to."),
    Reason.CARRIED_DIFFERS: N_("The same stamp is here already, with another time or direction."),
    Reason.UNTRUSTED_CLOCK: N_("The terminal's clock could not be trusted then."),
    Reason.ABSURD_TIME: N_("Its time can't be."),
    Reason.UNKNOWN_BINDING: N_("The terminal was bound by a bundle that was never issued."),
    Reason.FOREIGN_BINDING: N_("The terminal was bound by another terminal's bundle."),
    Reason.UNKNOWN_BADGE: N_("Nobody had this badge then: enrol it, and the stamp goes."),
    Reason.REVOKED_BADGE: N_("The badge had been withdrawn by then."),
    Reason.LATE: N_("It came too late to be sent without a person's word."),
    Reason.EVIDENCE_ONLY: N_("It came late, and late stamps are kept as evidence only."),
    GIVEN_UP: N_("A person gave it up."),
    RELEASED: N_("A person let it go."),
    CLOCK_SET: N_("Its time is known now, from a later setting of the clock."),
    INTERRUPTED: N_("The gateway stopped before the answer came; the ONSS is being asked."),
    REASON_RESTORED: N_("The gateway was restored from a backup; the ONSS is being asked."),
}

WORDS: dict[str, str] = {
    **{str(case): text for case, text in texts.CASES.items()},
    **{str(reason): text for reason, text in texts.REASONS.items()},
    **{str(code): text for code, text in OURS.items()},
}


def explain(code: str | None, say: Say) -> str:
    """Return a code in words; "" without one, and the code itself where it is newer than we are."""
    return say(WORDS[code]) if code in WORDS else code or ""
