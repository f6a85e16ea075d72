"""Edge: the newest outages of a terminal's journal, read beside it, running or not."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from ciao.journal.spoken import lately
from ciao.listing import Outage, outages
from ciao.moments import shown_text
from ciao.texts import N_
from terminal.watch.diagnosis import Say, words_of

SHOWN_MAX = 5
AGO_MAX = timedelta(days=7)
_ENDED = {
    "register": N_("registering, {cause} from {begun} to {ended}: {said}"),
    "submit": N_("submitting, {cause} from {begun} to {ended}: {said}"),
}
_LASTS = {
    "register": N_(
        "registering, {cause} since {begun}, and it had not ended when the terminal stopped: {said}"
    ),
    "submit": N_(
        "submitting, {cause} since {begun}, and it had not ended when the terminal stopped: {said}"
    ),
}


def newest(journal: Path, now: datetime) -> list[Outage]:
    """List the newest outages of a week, the newest last."""
    told = (("", origin, entry) for origin, entry in lately(journal, "outage_"))
    since_ms = (now - AGO_MAX).timestamp() * 1000
    found = [one for one in outages(told) if one.ended_ms is None or one.ended_ms >= since_ms]
    return found[-SHOWN_MAX:]


def said(one: Outage, zone: tzinfo, say: Say) -> str:
    """Write one in words."""
    text = (_LASTS if one.ended is None else _ENDED)[one.affected]
    return say(text).format(
        cause=one.cause,
        begun=shown_text(one.begun, zone),
        ended=shown_text(one.ended or "", zone),
        said=say(words_of(one.cause)[0]),
    )
