"""Cadences become slots, and slots episodes: on time in every season, once each, and late as the show wants it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.types.json import Jsonb

EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def cadence(time="07:30", time_zone="Europe/London", days=EVERY_DAY, catch_up="latest"):
    return {"days": days, "time": time, "time_zone": time_zone, "catch_up": catch_up}


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(connection, configuration, after, until):
    rows = connection.execute("select private.next_slots(%s, %s, %s)", [Jsonb(configuration), utc(after), utc(until)])
    return [f"{slot.astimezone(UTC):%Y-%m-%d %H:%M}" for (slot,) in rows]


@pytest.fixture
def show_since(sign_up, make_show, owner):
    """show_since(moment, cadence): an active show whose cadence was set at that moment."""
    organization = sign_up()

    def create(moment, configuration, with_source=True):
        show = make_show(organization, cadence_config=configuration)
        if with_source:
            owner.execute(
                "insert into sources (organization_id, project_id, kind, content) values (%s, %s, 'text', 'News.')",
                [organization, show],
            )
        owner.execute("update projects set cadence_set_at = %s where id = %s", [utc(moment), show])
        return show

    return create


def fill(connection, now, horizon=timedelta(0)):
    return connection.execute("select engine.fill_schedule(%s, %s)", [utc(now), horizon]).fetchone()[0]


def drain(connection, now, limit=100):
    """The jobs to send: of a fresh episode with one source, one."""
    return connection.execute("select engine.drain_schedule(%s, %s)", [limit, utc(now)]).fetchone()[0]


def queue(connection):
    rows = connection.execute(
        "select scheduled_for, status from episode_schedule_queue order by scheduled_for, project_id"
    )
    return [(f"{slot.astimezone(UTC):%m-%d %H:%M}", status) for slot, status in rows]


# --- the moments of a cadence ---------------------------------------------------------------------------------------


def test_slots_fall_on_the_chosen_days_at_the_local_time(owner):
    found = slots(owner, cadence(days=["mon", "thu"]), "2026-01-01 00:00", "2026-01-13 00:00")

    assert found == ["2026-01-01 07:30", "2026-01-05 07:30", "2026-01-08 07:30", "2026-01-12 07:30"]


def test_the_first_moment_is_excluded_and_the_last_included(owner):
    found = slots(owner, cadence(), "2026-01-01 07:30", "2026-01-03 07:30")

    assert found == ["2026-01-02 07:30", "2026-01-03 07:30"]


def test_the_day_is_that_of_the_shows_time_zone(owner):
    found = slots(owner, cadence("01:00", "Pacific/Auckland", ["mon"]), "2026-01-01 00:00", "2026-01-08 00:00")

    assert found == ["2026-01-04 12:00"]


@pytest.mark.parametrize(
    ("time_zone", "before_and_after_spring", "before_and_after_autumn"),
    [
        (
            "Europe/London",
            (["2026-03-28 07:30", "2026-03-29 06:30"], "2026-03-28 00:00", "2026-03-30 00:00"),
            (["2026-10-24 06:30", "2026-10-25 07:30"], "2026-10-24 00:00", "2026-10-26 00:00"),
        ),
        (
            "America/New_York",
            (["2026-03-07 12:30", "2026-03-08 11:30"], "2026-03-07 06:00", "2026-03-09 04:00"),
            (["2026-10-31 11:30", "2026-11-01 12:30"], "2026-10-31 04:00", "2026-11-02 05:00"),
        ),
    ],
)
def test_the_local_time_stays_when_clocks_change(owner, time_zone, before_and_after_spring, before_and_after_autumn):
    for expected, after, until in (before_and_after_spring, before_and_after_autumn):
        assert slots(owner, cadence(time_zone=time_zone), after, until) == expected


@pytest.mark.parametrize(
    ("time_zone", "skipped_time", "after", "until", "moved_to"),
    [
        ("Europe/London", "01:30", "2026-03-29 00:00", "2026-03-29 20:00", "2026-03-29 02:30"),
        ("America/New_York", "02:30", "2026-03-08 05:00", "2026-03-09 03:00", "2026-03-08 03:30"),
    ],
)
def test_a_time_that_the_clocks_skip_moves_forward_by_the_gap(owner, time_zone, skipped_time, after, until, moved_to):
    [slot] = slots(owner, cadence(skipped_time, time_zone), after, until)

    assert f"{utc(slot).astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M}" == moved_to


@pytest.mark.parametrize(
    ("time_zone", "repeated_time", "after", "until"),
    [
        ("Europe/London", "01:30", "2026-10-24 12:00", "2026-10-25 12:00"),
        ("America/New_York", "01:30", "2026-10-31 12:00", "2026-11-01 16:00"),
    ],
)
def test_a_time_that_occurs_twice_fires_once(owner, time_zone, repeated_time, after, until):
    assert len(slots(owner, cadence(repeated_time, time_zone), after, until)) == 1


def test_the_sessions_own_time_zone_changes_nothing(owner):
    expected = slots(owner, cadence(), "2026-03-27 00:00", "2026-04-01 00:00")

    owner.execute("set timezone = 'America/Santiago'")

    assert slots(owner, cadence(), "2026-03-27 00:00", "2026-04-01 00:00") == expected


# --- filling --------------------------------------------------------------------------------------------------------


def test_filling_plans_the_days_ahead_once(show_since, as_worker):
    show_since("2026-01-01 00:00", cadence())

    first = fill(as_worker, "2026-01-01 00:00", timedelta(days=3))
    again = fill(as_worker, "2026-01-01 00:00", timedelta(days=3))

    assert (first, again) == (3, 0)
    assert [slot for slot, _ in queue(as_worker)] == ["01-01 07:30", "01-02 07:30", "01-03 07:30"]


def test_filling_never_goes_back_before_the_cadence_was_set(show_since, as_worker):
    show_since("2026-01-03 07:30", cadence())

    fill(as_worker, "2026-01-05 00:00")

    assert [slot for slot, _ in queue(as_worker)] == ["01-04 07:30"]


def test_filling_makes_up_for_ticks_that_never_came(show_since, as_worker):
    show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-01 08:00")

    added = fill(as_worker, "2026-01-04 08:00")

    assert added == 3


@pytest.mark.parametrize("change", ["is_active = false", "deleted_at = now()", "cadence_config = null"])
def test_a_show_that_is_paused_or_deleted_is_not_planned(show_since, owner, as_worker, change):
    show_since("2026-01-01 00:00", cadence())
    owner.execute(f"update projects set {change}")

    assert fill(as_worker, "2026-01-05 00:00") == 0


def test_a_new_cadence_counts_from_now_and_clears_what_was_planned_ahead(sign_up, make_show, owner, as_worker):
    make_show(sign_up(), cadence_config=cadence())
    as_worker.execute("select engine.fill_schedule()")
    planned = len(queue(owner))

    owner.execute("update projects set cadence_config = %s", [Jsonb(cadence("19:00"))])

    assert (planned, queue(owner)) == (7, [])
    assert owner.execute("select cadence_set_at > created_at from projects").fetchone() == (True,)


# --- draining -------------------------------------------------------------------------------------------------------


def test_a_due_slot_becomes_a_numbered_episode_and_a_production(show_since, owner, as_worker):
    show = show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-01 07:30")

    [job] = drain(as_worker, "2026-01-01 07:30")

    assert owner.execute("""
        select episodes.number, episodes.scheduled_for, episodes.project_id, productions.kind, jobs.id::text, jobs.stage
        from episode_schedule_queue as queue
        join episodes on episodes.id = queue.episode_id
        join productions on productions.id = queue.production_id and productions.subject_id = episodes.id
        join jobs on jobs.production_id = productions.id
        where productions.idempotency_key = 'schedule:' || queue.id
    """).fetchall() == [(1, utc("2026-01-01 07:30"), show, "episode", job["id"], "ingest_sources")]
    assert queue(owner) == [("01-01 07:30", "processing")]


def test_a_slot_that_is_not_due_stays(show_since, owner, as_worker):
    show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-01 07:30")

    assert drain(as_worker, "2026-01-01 07:29") == []
    assert queue(owner) == [("01-01 07:30", "pending")]


def test_a_slot_fires_once_however_often_it_is_drained(show_since, owner, as_worker):
    show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-01 07:30")

    started = [len(drain(as_worker, "2026-01-01 07:31")) for _ in range(3)]

    assert started == [1, 0, 0]
    assert owner.execute("select count(*) from episodes").fetchone() == (1,)


@pytest.mark.parametrize(
    ("catch_up", "outcomes"),
    [
        ("all", ["processing", "processing", "processing"]),
        ("latest", ["skipped", "skipped", "processing"]),
        ("none", ["skipped", "skipped", "processing"]),
    ],
)
def test_after_missed_ticks_the_show_catches_up_as_it_wants(show_since, owner, as_worker, catch_up, outcomes):
    show_since("2026-01-01 00:00", cadence(catch_up=catch_up))
    fill(as_worker, "2026-01-03 08:00")

    drain(as_worker, "2026-01-03 08:00")

    assert [status for _, status in queue(owner)] == outcomes


@pytest.mark.parametrize(
    ("catch_up", "outcome"), [("all", "processing"), ("latest", "processing"), ("none", "skipped")]
)
def test_a_slot_missed_by_two_hours_fires_unless_the_show_never_catches_up(
    show_since, owner, as_worker, catch_up, outcome
):
    show_since("2026-01-01 00:00", cadence(catch_up=catch_up))
    fill(as_worker, "2026-01-01 09:30")

    drain(as_worker, "2026-01-01 09:30")

    assert queue(owner) == [("01-01 07:30", outcome)]


def test_a_skipped_slot_says_why(show_since, owner, as_worker):
    show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-02 08:00")

    drain(as_worker, "2026-01-02 08:00")

    reasons = owner.execute("select error from episode_schedule_queue where status = 'skipped'").fetchall()
    assert reasons == [("It was missed, and a newer slot is due.",)]


def test_a_show_that_was_paused_after_planning_does_not_fire(show_since, owner, as_worker):
    show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-01 07:30")
    owner.execute("update projects set is_active = false")

    assert drain(as_worker, "2026-01-01 07:30") == []
    assert queue(owner) == [("01-01 07:30", "skipped")]


def test_a_second_ticker_passes_over_what_the_first_has_locked(show_since, connect, database, owner):
    show_since("2026-01-01 00:00", cadence())
    first, second = (connect(database.login_url, role="showrunner_worker") for _ in range(2))
    fill(first, "2026-01-01 07:30")

    with first.transaction():
        started = drain(first, "2026-01-01 07:30")
        meanwhile = drain(second, "2026-01-01 07:30")
    afterwards = drain(second, "2026-01-01 07:30")

    assert (len(started), meanwhile, afterwards) == (1, [], [])
    assert owner.execute("select count(*) from episodes").fetchone() == (1,)


def test_two_tickers_at_once_start_each_slot_once(show_since, connect, database, owner):
    for _ in range(4):
        show_since("2026-01-01 00:00", cadence(catch_up="all"))
    started, failures = [], []

    def tick(connection):
        try:
            fill(connection, "2026-01-05 08:00")
            while batch := drain(connection, "2026-01-05 08:00", limit=3):
                started.extend(job["id"] for job in batch)
        except psycopg.Error as error:
            failures.append(error)

    connections = [connect(database.login_url, role="showrunner_worker") for _ in range(2)]
    tickers = [threading.Thread(target=tick, args=[connection]) for connection in connections]
    for ticker in tickers:
        ticker.start()
    for ticker in tickers:
        ticker.join()
    tick(connections[0])

    assert failures == []
    assert len(started) == len(set(started)) == 20
    assert owner.execute("select count(*), count(distinct (project_id, number)) from episodes").fetchone() == (20, 20)


def test_what_cannot_start_is_retried_then_given_up_and_holds_nobody_up(show_since, owner, as_worker):
    broken = show_since("2026-01-01 00:00", cadence())
    show_since("2026-01-01 00:00", cadence())
    owner.execute("""
        create function private.refuse() returns trigger language plpgsql
        as $$ begin raise exception 'The show cannot start.'; end $$
    """)
    owner.execute(
        f"create trigger a_refusal before insert on episodes for each row when (new.project_id = '{broken}') "
        "execute function private.refuse()"
    )
    fill(as_worker, "2026-01-01 07:30")

    started = [len(drain(as_worker, "2026-01-01 07:30")) for _ in range(4)]

    assert started == [1, 0, 0, 0]
    assert owner.execute(
        "select status, attempts, error from episode_schedule_queue where project_id = %s", [broken]
    ).fetchone() == ("failed", 3, "The show cannot start.")


@pytest.mark.parametrize(
    ("status", "outcome"), [("completed", "completed"), ("failed", "failed"), ("cancelled", "skipped")]
)
def test_a_slot_ends_as_its_production_does(show_since, owner, as_worker, status, outcome):
    show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-01 07:30")
    drain(as_worker, "2026-01-01 07:30")

    owner.execute(
        "update productions set status = %s, waiting_for = null, error = 'It broke.', finished_at = now()", [status]
    )

    assert queue(owner) == [("01-01 07:30", outcome)]


def test_a_show_without_sources_is_refused_as_a_request_would_be(show_since, owner, as_worker):
    show_since("2026-01-01 00:00", cadence(), with_source=False)
    fill(as_worker, "2026-01-01 07:30")

    for _ in range(3):
        drain(as_worker, "2026-01-01 07:30")

    [(status, error)] = owner.execute("select status, error from episode_schedule_queue").fetchall()
    assert (status, error) == ("failed", "sources: the show has no active source")
    assert owner.execute("select count(*) from episodes").fetchone() == (0,)


def test_a_tick_locks_the_shows_that_lack_slots_and_no_other(show_since, owner, as_worker):
    show_since("2026-01-01 00:00", cadence())
    fill(as_worker, "2026-01-01 07:30")
    lacking = show_since("2026-01-01 00:00", cadence("06:00"))

    with owner.transaction():
        fill(owner, "2026-01-01 08:00")
        locked = owner.execute("select id from projects where xmax = pg_current_xact_id()::xid").fetchall()

    assert locked == [(lacking,)]


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
@pytest.mark.parametrize("call", ["engine.fill_schedule()", "engine.drain_schedule()"])
def test_only_workers_tick(connect, role, call):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(role=role, claims={"role": role}).execute(f"select {call}")
