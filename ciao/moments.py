"""Days and moments as people type and read them, in a time zone (decision 27). Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ciao.errors import BadInput
from ciao.reading import parse_rfc3339

# Where the works are (Q2), wherever the machine is that tells of them.
BELGIUM = ZoneInfo("Europe/Brussels")


def zone(name: str) -> ZoneInfo:
    """Return a time zone; raise BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # OSError: a zone's name is looked up as a file's, and may be a folder's or too long.
        raise BadInput(f"{name!r} is no time zone", "such as Europe/Brussels") from error


def milliseconds(moment: datetime) -> datetime:
    """Cut a moment to whole milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def moment(text: str, where: ZoneInfo, *, last: bool = False) -> datetime:
    """Read a day or a moment; a day is its first moment, or with `last` the first after it."""
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text) + timedelta(days=1 if last else 0)
            return datetime(day.year, day.month, day.day, tzinfo=where)
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            read = read.astimezone(where)
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"{text!r} is no day and no moment", "such as 2026-01-31 or 2026-01-31T18:00"
        ) from error
    return milliseconds(read if read.tzinfo else read.replace(tzinfo=where))


def shown(moment: datetime, where: tzinfo = BELGIUM, *, exact: bool = False) -> str:
    """Write a moment for people: `2026-10-25 02:30:00+01:00`; with `exact`, its milliseconds.

    The offset says which of October's two hours it is, and `moment` reads it back. A moment at
    the end of all time, which only a liar's clock tells, keeps the offset it came with.
    """
    try:
        local = moment.astimezone(where)
    except OverflowError:
        local = moment
    return local.isoformat(" ", "milliseconds" if exact else "seconds")


def shown_text(text: str, where: tzinfo = BELGIUM, *, exact: bool = False) -> str:
    """The same of a moment in RFC 3339, as entries have it; anything else stays as it is."""
    try:
        return shown(parse_rfc3339(text), where, exact=exact)
    except ValueError:
        return text


def shown_ms(ms: int, where: tzinfo = BELGIUM, *, exact: bool = False) -> str:
    """The same of milliseconds since 1970."""
    return shown(datetime.fromtimestamp(ms / 1000, UTC), where, exact=exact)
