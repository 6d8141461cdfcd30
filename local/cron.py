"""Schedule expressions of Amazon EventBridge Scheduler: when they fire next.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = {
    **{"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6},
    **{"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12},
}
# The week of a cron expression begins with Sunday.
_WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_LAST_YEAR = 2199
# Long enough for 29 February across a century that has no leap year.
_SEARCH_DAYS = 366 * 9


class ScheduleError(ValueError):
    """An expression that is not understood; the message says what is allowed."""


@dataclass(frozen=True)
class Rate:
    seconds: int

    def next_after(self, moment: datetime) -> datetime:
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class At:
    moment: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        return self.moment if self.moment > moment else None


@dataclass(frozen=True)
class Cron:
    """The allowed values of each field; `days` or `weekdays` is None where the expression says `?`.

    Day 32 means the last day of the month.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]
    zone: tzinfo

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after `moment`, in UTC. A time that daylight saving skips is left out, one that it repeats
        counts once; None when there is no time in the coming years."""
        first = moment.astimezone(self.zone).date()
        for offset in range(_SEARCH_DAYS):
            day = first + timedelta(days=offset)
            for found in self._times(day) if self._matches(day) else ():
                if found > moment:
                    return found
        return None

    def _matches(self, day: date) -> bool:
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.days is not None:
            last = 32 in self.days and day.day == monthrange(day.year, day.month)[1]
            return day.day in self.days or last
        return self.weekdays is not None and day.isoweekday() % 7 + 1 in self.weekdays

    def _times(self, day: date) -> list[datetime]:
        local = [
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
            for hour in self.hours
            for minute in self.minutes
        ]
        moments = [(time, time.astimezone(UTC)) for time in local]
        existing = [there for here, there in moments if there.astimezone(self.zone).replace(fold=0) == here]
        return sorted(existing)


def parse(expression: str, time_zone: str = "UTC") -> Rate | At | Cron:
    """`rate(5 minutes)`, `cron(0 7 ? * MON-FRI *)` or `at(2030-01-31T07:00:00)`. Raises ScheduleError."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleError(f"{time_zone!r} is not a time zone") from error
    match = re.fullmatch(r"(rate|cron|at)\((.+)\)", expression.strip())
    if match is None:
        raise ScheduleError(f"{expression!r} is none of rate(...), cron(...) and at(...)")
    kind, argument = match.groups()
    try:
        if kind == "rate":
            return _rate(argument)
        if kind == "at":
            return At(datetime.fromisoformat(argument).replace(tzinfo=zone).astimezone(UTC))
        return _cron(argument, zone)
    except (ValueError, KeyError) as error:
        raise ScheduleError(f"{expression!r}: {error}") from error


def _rate(argument: str) -> Rate:
    match = re.fullmatch(r"(\d+) (minute|hour|day)s?", argument)
    if match is None or int(match[1]) < 1:
        raise ValueError("a rate is a positive number and minutes, hours or days")
    return Rate(int(match[1]) * _UNITS[match[2]])


def _cron(argument: str, zone: tzinfo) -> Cron:
    fields = argument.upper().split()
    if len(fields) != 6:
        raise ValueError("cron has six fields: minutes, hours, day of month, month, day of week, year")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ValueError("exactly one of day of month and day of week is ?")
    return Cron(
        minutes=tuple(sorted(_numbers(minutes, 0, 59))),
        hours=tuple(sorted(_numbers(hours, 0, 23))),
        days=None if days == "?" else _numbers(days, 1, 31, {"L": 32}),
        months=_numbers(months, 1, 12, _MONTHS),
        weekdays=None if weekdays == "?" else _numbers(weekdays, 1, 7, _WEEKDAYS),
        years=_numbers(years, 1970, _LAST_YEAR),
        zone=zone,
    )


def _numbers(text: str, lowest: int, highest: int, words: dict[str, int] | None = None) -> frozenset[int]:
    """`*`, `5`, `MON`, `1-5`, `0/15`, `10-30/5` and lists of them, as numbers."""
    names = words or {}
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start = lowest if span == "*" else _number(first, names)
        end = _number(last, names) if last else (highest if step or span == "*" else start)
        if not (lowest <= start <= highest or start in names.values()) or (end > highest and end not in names.values()):
            raise ValueError(f"{part} is not within {lowest}-{highest}")
        # FRI-MON goes around the end of the week.
        values = range(start, end + 1) if start <= end else (*range(start, highest + 1), *range(lowest, end + 1))
        found.update(list(values)[:: int(step or 1)])
    return frozenset(found)


def _number(text: str, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not supported here")
    return int(text)
