"""How a language writes moments, lengths of time, numbers, shares: by CLDR, through Babel. Pure."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit


class Shapes:
    """One language's shapes; moments are shown in a zone, with its offset (decision 27)."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self._locale = Locale.parse(f"{language}_BE" if language != "en" else "en_GB")
        self._zone = zone

    def moment(self, moment: datetime) -> str:
        """Write a moment: `26 March 2026, 06:02 (+01:00)`."""
        local = self._local(moment)
        return f"{self._date(local)}, {_time(local)} ({_offset(local)})"

    def between(self, begin: datetime, end: datetime) -> str:
        """Write two moments, without saying twice what they have in common."""
        first, last = self._local(begin), self._local(end)
        if first.date() != last.date():
            return f"{self.moment(begin)} – {self.moment(end)}"
        if first.utcoffset() != last.utcoffset():
            ends = (f"{_time(one)} ({_offset(one)})" for one in (first, last))
            return f"{self._date(first)}, {' – '.join(ends)}"
        return f"{self._date(first)}, {_time(first)} – {_time(last)} ({_offset(first)})"

    def day(self, day: date) -> str:
        """Write a day of the week and of the month, short."""
        return format_skeleton("MMMEd", day, locale=self._locale)

    def month(self, month: date) -> str:
        """Write a month of a year, short."""
        return format_skeleton("yMMM", month, locale=self._locale)

    def duration(self, minutes: int) -> str:
        """Write a length of time in days, hours and minutes: `1 day 3 hrs 5 mins`."""
        hours, left = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = {"day": days, "hour": hours, "minute": left}
        said = [
            format_unit(count, f"duration-{unit}", "short", locale=self._locale)
            for unit, count in parts.items()
            if count or (unit == "minute" and not minutes)
        ]
        return " ".join(said)

    def number(self, value: int) -> str:
        """Write a number."""
        return format_decimal(value, locale=self._locale)

    def share(self, part: int, whole: int) -> str:
        """Write a share; never 100 % of what is not all of it, nor 0 % of what is something."""
        share = part / whole if whole else 0.0
        if part < whole:
            share = min(share, 0.9999)
        if part:
            share = max(share, 0.0001)
        return format_percent(share, "#,##0.00 %", locale=self._locale)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def _date(self, day: date) -> str:
        return format_date(day, "long", locale=self._locale)


def _time(local: datetime) -> str:
    return f"{local:%H:%M}"


def _offset(local: datetime) -> str:
    return local.isoformat()[-len("+01:00") :]
