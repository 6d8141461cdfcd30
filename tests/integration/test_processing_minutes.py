"""The minutes that a tier allows in a month: used, reserved and left, whoever asks at whatever moment."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.rigs.refusals import LIMIT_REACHED, NOT_FOUND, refused_with
from tests.rigs.shows import add_episode, make_show
from tests.rigs.together import together

TEXT = "A lighthouse is a promise made of light. " * 20


@pytest.fixture
def show(owner, sign_up):
    """A show whose organization has 10 minutes a month, with one episode of 4 minutes."""
    owner.execute("update public.tier_limits set processing_minutes_monthly = 10 where tier = 'pro'")
    return make_show(owner, sign_up("ada"), TEXT, minutes=4)


@pytest.fixture
def minutes(as_user, show):
    """minutes(): (used, reserved, remaining), as a member sees them."""
    connection = as_user(show.user)
    query = (
        "select used_minutes, reserved_minutes, remaining_minutes from processing_minutes where organization_id = %s"
    )
    return lambda: connection.execute(query, [show.organization]).fetchone()


def request(connection, episode):
    """The production, or None when no minutes are left."""
    try:
        return connection.execute("select request_production('episode', %s, %s)", [episode, str(episode)]).fetchone()[0]
    except psycopg.DatabaseError as error:
        assert error.sqlstate == LIMIT_REACHED
        assert "minutes are left this month" in str(error)
        return None


def finish(owner, production, minutes):
    """As the engine does when the last stage is done."""
    owner.execute("update episodes set duration_seconds = %s where generation_job_id = %s", [minutes * 60, production])
    end(owner, production, "completed")


def end(owner, production, status, error=None):
    owner.execute(
        "update productions set status = %s, error = %s, finished_at = now() where id = %s", [status, error, production]
    )


def test_what_is_being_made_is_reserved_and_what_is_finished_is_used(show, as_user, owner, minutes):
    before = minutes()
    production = request(as_user(show.user), show.episode)
    during = minutes()
    finish(owner, production, 4.5)

    assert (before, during, minutes()) == ((0, 0, 10), (0, 4, 6), (4.5, 0, 5.5))


def test_requests_at_the_same_moment_cannot_all_pass(show, as_user, owner, minutes):
    episodes = [add_episode(owner, show.organization, show.project, number, 4) for number in range(2, 9)]
    people = [as_user(show.user) for _ in episodes]

    made = together(
        [lambda one=one, episode=episode: request(one, episode) for one, episode in zip(people, episodes, strict=True)]
    )

    assert len([production for production in made if production]) == 2
    assert minutes() == (0, 8, 2)


def test_what_fails_gives_its_minutes_back_and_a_retry_asks_for_them_again(show, as_user, owner, minutes):
    person = as_user(show.user)
    failed = request(person, show.episode)
    end(owner, failed, "failed", "It broke.")
    others = [add_episode(owner, show.organization, show.project, number, 4) for number in (2, 3)]
    assert all(request(person, episode) for episode in others)

    with refused_with(LIMIT_REACHED, match=r"target_minutes: 4.00 asked, 2.0 of 10"):
        person.execute("select retry_production(%s)", [failed])

    status = owner.execute("select status::text, build from productions where id = %s", [failed]).fetchone()
    assert (status, minutes()) == (("failed", 1), (0, 8, 2))


def test_a_rebuild_of_what_was_finished_this_month_asks_for_nothing_new(show, as_user, owner, minutes):
    person = as_user(show.user)
    first = request(person, show.episode)
    finish(owner, first, 4.5)
    second = request(person, add_episode(owner, show.organization, show.project, 2, 5))
    finish(owner, second, 5.5)
    assert minutes() == (10, 0, 0)

    person.execute("select rebuild_production(%s)", [first])
    during = minutes()
    finish(owner, first, 4.4)

    assert during == minutes() == (10, 0, 0)


def test_minutes_stay_used_when_a_rebuild_is_cancelled_or_the_episode_deleted(show, as_user, owner, minutes):
    person = as_user(show.user)
    production = request(person, show.episode)
    finish(owner, production, 4)

    person.execute("select rebuild_production(%s)", [production])
    person.execute("select cancel_production(%s)", [production])
    after_cancel = minutes()
    owner.execute("delete from episodes where id = %s", [show.episode])

    assert after_cancel == minutes() == (4, 0, 6)


def test_an_episode_under_way_grows_no_further_than_the_month_allows(show, as_user, owner, minutes):
    person = as_user(show.user)
    request(person, show.episode)
    lengthen = "update episodes set target_minutes = %s where id = %s"

    person.execute(lengthen, [9, show.episode])
    with refused_with(LIMIT_REACHED, match="target_minutes"):
        person.execute(lengthen, [11, show.episode])

    assert minutes() == (0, 9, 1)


def test_what_is_not_being_made_may_be_planned_at_any_length(show, as_user):
    changed = as_user(show.user).execute("update episodes set target_minutes = 100 where id = %s", [show.episode])

    assert changed.rowcount == 1


def test_minutes_of_another_month_do_not_count(show, as_user, owner, minutes):
    production = request(as_user(show.user), show.episode)
    finish(owner, production, 4)

    owner.execute("update processed_minutes set month = month - interval '1 month'")

    assert minutes() == (0, 0, 10)


def test_months_are_those_of_utc(owner, show):
    owner.execute("set time zone 'Pacific/Auckland'")
    owner.execute(
        "update episodes set generation_completed_at = '2026-03-31T23:59:59Z', duration_seconds = 60 where id = %s",
        [show.episode],
    )
    owner.execute("update episodes set generation_completed_at = '2026-04-01T00:00:00Z' where id = %s", [show.episode])

    months = owner.execute("select month::text, minutes from processed_minutes order by month").fetchall()
    assert months == [("2026-03-01", 1), ("2026-04-01", 1)]


def test_others_see_nothing_of_an_organizations_minutes(show, as_user, sign_up, owner):
    finish(owner, request(as_user(show.user), show.episode), 4)
    stranger = as_user(sign_up("sam"))

    seen = stranger.execute("select organization_id from processing_minutes").fetchall()

    assert show.organization not in {organization for (organization,) in seen}
    assert stranger.execute("select count(*) from processed_minutes").fetchone() == (0,)


def test_schedules_at_the_same_moment_keep_to_the_months_minutes(show, owner, connect):
    cadence = {"days": ["mon"], "time": "07:30", "time_zone": "UTC", "catch_up": "all"}
    for _ in range(2):
        make_show(owner, show.user, TEXT, minutes=4)
    owner.execute("update projects set cadence_config = %s", [Jsonb(cadence)])
    owner.execute(
        "insert into episode_schedule_queue (organization_id, project_id, scheduled_for) "
        "select organization_id, id, now() - make_interval(mins => minute) "
        "from projects cross join generate_series(1, 2) as minute"
    )
    tickers = [connect() for _ in range(3)]

    together([lambda ticker=ticker: ticker.execute("select engine.drain_schedule(2)") for ticker in tickers])

    states = dict(owner.execute("select status::text, count(*) from episode_schedule_queue group by status").fetchall())
    assert states == {"processing": 2, "pending": 4}


@pytest.mark.parametrize(
    ("table", "message"), [("episodes", "its episode is deleted"), ("projects", "the show of its episode is deleted")]
)
def test_what_is_deleted_is_not_rebuilt(show, as_user, owner, table, message):
    person = as_user(show.user)
    production = request(person, show.episode)
    finish(owner, production, 4)
    person.execute(f"update {table} set deleted_at = now()")

    with refused_with(NOT_FOUND, match=message) as refused:
        person.execute("select rebuild_production(%s)", [production])

    assert "Restore" in refused.value.diag.message_hint
