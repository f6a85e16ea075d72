"""What may be corrected, and until when. Pure.

Source: FAQ Q35 and Q38 (a wrong company or declaration number: the employer asks the ONSS within
30 days of the registration, nothing after that), Q36 and Q40 (nothing else can be).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ciao import identifiers
from ciao.errors import BadInput
from ciao.moments import BELGIUM
from ciao.registration import State

DAYS = 30
TAPS_MAX = 200
REGISTERED = frozenset({State.ACCEPTED, State.VALID, State.REMARKED})


class Wrong(enum.StrEnum):
    """The two things that can be corrected."""

    COMPANY = "company"
    DECLARATION = "declaration"


# What people ask for besides, and what the rule says of it.
DECLINED: dict[str, tuple[str, str]] = {
    "forgotten-in": (
        "a forgotten IN can't be corrected (Q36)",
        "whoever is still at work makes it now; nobody may make it for them, or back-date it",
    ),
    "forgotten-out": (
        "a forgotten OUT can't be corrected (Q36)",
        "the next IN is simply made when work resumes",
    ),
    "time": (
        "a time can't be corrected (Q35, Q36)",
        "only a wrong company or declaration number can",
    ),
    "direction": (
        "an IN for an OUT, or an OUT for an IN, can't be corrected (Q36, Q40)",
        "only a wrong company or declaration number can",
    ),
    "person": (
        "whose stamp it is can't be corrected (Q35)",
        "only a wrong company or declaration number can",
    ),
    "place": (
        "the place can't be corrected (Q35)",
        "only a wrong company or declaration number can; is the declaration wrong too?",
    ),
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """A tap as a dossier needs it: when it was made, where it stands, what was registered.

    `company` is what the registry says now of that moment; None where it does not know any more.
    """

    tap: int
    at: datetime
    state: State
    employer: str | None
    declaration: str
    company: str | None = field(repr=False)


def last_day(at: datetime) -> date:
    """Return the last day on which a change may be asked for: the 30th after the registration's."""
    return at.astimezone(BELGIUM).date() + timedelta(days=DAYS)


def days_left(at: datetime, now: datetime) -> int:
    """Count the days left; 0 on the last one, negative after it."""
    return (last_day(at) - now.astimezone(BELGIUM).date()).days


def what_is_wrong(text: str) -> Wrong:
    """Read what somebody says is wrong; raise BadInput, with the rule, for all that can't be."""
    if text in DECLINED:
        raise BadInput(*DECLINED[text])
    try:
        return Wrong(text)
    except ValueError as error:
        raise BadInput(f"nothing called {text!r} can be corrected", HINT_WRONG) from error


HINT_WRONG = f"one of: {', '.join(Wrong)}"


def number(wrong: Wrong, text: str) -> str:
    """Read a company or declaration number; raise BadInput."""
    if wrong is Wrong.COMPANY:
        return identifiers.company(text).number
    return identifiers.declaration_number(text).number


def registered(stamp: Stamp, wrong: Wrong) -> str | None:
    """Return the number under which a stamp was registered, as far as it is known."""
    return stamp.company if wrong is Wrong.COMPANY else stamp.declaration


def judge(
    stamps: Sequence[Stamp], wrong: Wrong, correct: str, said: str | None, now: datetime
) -> str:
    """Return the number that was registered; raise BadInput where no change can be asked for.

    `said` is that number where somebody gives it: the registry may have been mended since.
    """
    for stamp in stamps:
        _correctable(stamp, now)
    if len({stamp.employer for stamp in stamps}) != 1:
        raise BadInput("the taps are of several employers", "each employer asks for its own")
    found = {said} if said else {registered(stamp, wrong) for stamp in stamps}
    if None in found:
        what = f"the {wrong} number that was registered is not known any more"
        raise BadInput(what, "give it with --registered")
    if len(found) > 1:
        shown = ", ".join(sorted(map(str, found)))
        raise BadInput(
            f"the taps were registered under several numbers: {shown}", "one dossier each"
        )
    (was,) = found
    if was == correct:
        what = f"{correct} is the number that was registered, as far as is known"
        raise BadInput(what, "if the registry was mended since, give the wrong one: --registered")
    return str(was)


def _correctable(stamp: Stamp, now: datetime) -> None:
    if stamp.state is State.REJECTED:
        hint = f"mend the number, then ciao-gateway acknowledge release {stamp.tap}"
        raise BadInput(f"tap {stamp.tap} was refused: the ONSS has nothing to change", hint)
    if stamp.state not in REGISTERED:
        what = f"tap {stamp.tap} is {stamp.state}: the ONSS does not have it"
        raise BadInput(what, "a correction is of what the ONSS accepted")
    if days_left(stamp.at, now) < 0:
        what = f"tap {stamp.tap}: the {DAYS} days ended on {last_day(stamp.at).isoformat()}"
        raise BadInput(what, "nothing can be changed any more (Q35)")
