"""Days and moments as people type them, in a time zone. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ciao.errors import BadInput


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
