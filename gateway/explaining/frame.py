"""What `held` says around a tap's reasons, in a person's language. Pure."""

from __future__ import annotations

from ciao.moments import shown_text
from ciao.registration import State
from gateway.explaining.words import Say
from gateway.report.shapes import Shapes
from gateway.report.words import cause_names
from gateway.watch.lateness import Late


def state_names(_: Say) -> dict[State, str]:
    """Name each state of docs/protocol/states.md."""
    return {
        State.RECORDED: _("recorded"),
        State.SUBMITTED: _("submitted"),
        State.UNKNOWN: _("unknown"),
        State.UNRESOLVED: _("unresolved"),
        State.HELD: _("held"),
        State.REJECTED: _("rejected"),
        State.WITHHELD: _("withheld"),
        State.ABANDONED: _("abandoned"),
        State.ACCEPTED: _("accepted"),
        State.VALID: _("valid"),
        State.REMARKED: _("remarked"),
    }


def decision_names(_: Say) -> dict[str, str]:
    """Name what a person can decide of a tap; as `ciao-gateway acknowledge` calls it in English."""
    return {
        "release": _("release"),
        "abandon": _("abandon"),
        "found": _("found"),
        "absent": _("absent"),
    }


def direction(code: str, _: Say) -> str:
    """Say IN or OUT, as the terminal does."""
    return {"in": _("in"), "out": _("out")}.get(code, code)


def since(since_ms: int, now_ms: int, _: Say, shapes: Shapes) -> str:
    """Say for how long something has been so."""
    return _("for {time}").format(time=shapes.duration(max(0, now_ms - since_ms) // 60_000))


def late_lines(late: Late | None, _: Say) -> list[str]:
    """Say what is known of a stamp's time: what kept it, or between what moments it was made."""
    if late is None:
        return []
    lines = []
    if (one := late.explained_by) is not None:
        text = _("late because of {cause}, {begun} to {ended} (outage {outage})")
        cause = cause_names(_).get(one.cause)
        lines.append(
            text.format(
                cause=one.cause,
                begun=shown_text(one.begun),
                ended=shown_text(one.ended) if one.ended else _("now"),
                outage=one.outage[:8],
            )
            + (f": {cause}" if cause else "")
        )
    if late.interval is not None:
        after = late.interval.after
        text = _("its clock never was right: made between {after} and {before}")
        first = shown_text(after) if after else _("an unknown moment")
        lines.append(text.format(after=first, before=shown_text(late.interval.before)))
    return lines
