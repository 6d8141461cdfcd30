"""When schedule expressions fire, and what a scheduled function is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from local.cron import ScheduleError, parse
from local.schedules import event_of
from local.specs import Names, Schedule


def times(expression: str, start: str, zone: str = "UTC", count: int = 3) -> list[str]:
    """The next times after `start`, in UTC."""

    def following() -> object:
        moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
        schedule = parse(expression, zone)
        while (found := schedule.next_after(moment)) is not None:
            moment = found
            yield moment.strftime("%a %Y-%m-%d %H:%M")

    return list(islice(following(), count))


def test_a_rate_is_a_distance() -> None:
    assert times("rate(5 minutes)", "2026-01-01T00:01", count=2) == ["Thu 2026-01-01 00:06", "Thu 2026-01-01 00:11"]


def test_an_at_fires_once() -> None:
    assert times("at(2026-03-01T08:00:00)", "2026-01-01T00:00", "Europe/Berlin") == ["Sun 2026-03-01 07:00"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(30 7 ? * MON-FRI *)", ["Fri 2026-01-02 07:30", "Mon 2026-01-05 07:30", "Tue 2026-01-06 07:30"]),
        ("cron(0/20 23 * * ? *)", ["Thu 2026-01-01 23:00", "Thu 2026-01-01 23:20", "Thu 2026-01-01 23:40"]),
        ("cron(0 0 L * ? *)", ["Sat 2026-01-31 00:00", "Sat 2026-02-28 00:00", "Tue 2026-03-31 00:00"]),
        ("cron(0 12 29 2 ? *)", ["Tue 2028-02-29 12:00", "Sun 2032-02-29 12:00", "Fri 2036-02-29 12:00"]),
        ("cron(0 6 ? * FRI-SUN *)", ["Fri 2026-01-02 06:00", "Sat 2026-01-03 06:00", "Sun 2026-01-04 06:00"]),
        ("cron(5 4 1,15 1-2 ? 2026)", ["Thu 2026-01-15 04:05", "Sun 2026-02-01 04:05", "Sun 2026-02-15 04:05"]),
    ],
)
def test_cron_fires_at_the_times_of_its_fields(expression: str, expected: list[str]) -> None:
    assert times(expression, "2026-01-01T07:30") == expected


def test_local_time_is_kept_across_daylight_saving() -> None:
    assert times("cron(30 7 * * ? *)", "2026-03-27T12:00", "Europe/London", 2) == [
        "Sat 2026-03-28 07:30",
        "Sun 2026-03-29 06:30",
    ]


def test_an_hour_that_is_skipped_does_not_fire_and_one_that_is_repeated_fires_once() -> None:
    assert times("cron(30 1 * * ? *)", "2026-03-28T02:00", "Europe/London", 1) == ["Mon 2026-03-30 00:30"]
    assert times("cron(30 1 * * ? *)", "2026-10-24T12:00", "Europe/London", 2) == [
        "Sun 2026-10-25 00:30",
        "Mon 2026-10-26 01:30",
    ]


@pytest.mark.parametrize(
    ("expression", "zone", "sentence"),
    [
        ("every(1)", "UTC", "none of rate"),
        ("rate(0 minutes)", "UTC", "a positive number"),
        ("rate(5 fortnights)", "UTC", "a positive number"),
        ("cron(0 7 * * *)", "UTC", "six fields"),
        ("cron(0 7 * * MON *)", "UTC", "exactly one of"),
        ("cron(0 25 * * ? *)", "UTC", "25 is not within 0-23"),
        ("cron(0 7 ? * MON#1 *)", "UTC", "'MON#1' is not supported"),
        ("rate(1 day)", "Mars/Base", "not a time zone"),
    ],
)
def test_an_expression_that_is_not_understood_says_why(expression: str, zone: str, sentence: str) -> None:
    with pytest.raises(ScheduleError, match=sentence):
        parse(expression, zone)


def test_a_schedules_own_input_has_its_time_filled_in() -> None:
    schedule = Schedule("Show.Tick", "show", "rate(1 day)", input='{"at": "<aws.scheduler.scheduled-time>"}')

    event = event_of(schedule, Names(""), datetime(2026, 5, 1, 7, 30, tzinfo=UTC))

    assert event == {"at": "2026-05-01T07:30:00Z"}
