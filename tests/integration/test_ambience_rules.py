"""Rules of the ambience line's rows: counts, lengths, prompts, pairs; who may do what; the views."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from tests.rigs.albums import make_channel, make_video, prompts
from tests.rigs.refusals import LIMIT_REACHED, refused_with
from tests.rigs.rows import insert


@pytest.fixture
def ada(sign_up):
    return sign_up("ada")


@pytest.fixture
def channel(owner, ada):
    return make_channel(owner, ada)


@pytest.fixture
def video(owner, ada, channel):
    """A video of two tracks in one minute."""
    return make_video(owner, ada, channel)


def wanted(organization, channel, **columns):
    return {
        "organization_id": organization, "channel_id": channel, "niche_label": "Rain", "mood_keywords": "calm",
        "target_duration_minutes": 60, **columns,
    }  # fmt: skip


def refusal(connection, statement, values=()):
    """(column, message) of the check that refuses it."""
    with pytest.raises(errors.CheckViolation) as caught:
        connection.execute(statement, values)
    return caught.value.diag.column_name, caught.value.diag.message_primary


# --- lengths and counts -----------------------------------------------------------------------------------------------


def test_a_video_has_sixty_to_ninety_minutes_and_twenty_tracks(owner, ada, channel):
    for minutes in (60, 75, 90):
        made = insert(owner, "video_jobs", wanted(ada, channel, target_duration_minutes=minutes))
        assert owner.execute("select track_count, status::text from video_jobs where id = %s", [made]).fetchone() == (
            20, "planned",
        )  # fmt: skip

    for column, columns in (
        ("target_duration_minutes", {"target_duration_minutes": 59}),
        ("target_duration_minutes", {"target_duration_minutes": 1, "track_count": 2}),
        ("track_count", {"track_count": 19}),
    ):
        with pytest.raises(errors.CheckViolation) as caught:
            insert(owner, "video_jobs", wanted(ada, channel, **columns))
        assert caught.value.diag.column_name == column
        assert str(caught.value).startswith(f"{column}: ")


@pytest.mark.parametrize("columns", [{"target_duration_minutes": 91}, {"track_count": 21}, {"track_count": 1}])
def test_no_setting_allows_more_than_ninety_minutes_or_another_count(owner, ada, channel, columns):
    with pytest.raises(errors.CheckViolation):
        make_video(owner, ada, channel, **{"target_duration_minutes": 60, "track_count": 20, **columns})


def test_short_videos_are_for_those_whom_an_operator_lets_and_no_others(owner, as_user, ada, sign_up, channel, video):
    ben = sign_up("ben")
    bens = make_channel(owner, ben)

    with pytest.raises(errors.CheckViolation, match="target_duration_minutes: 60 to 90 are allowed, not 3"):
        insert(as_user(ben), "video_jobs", wanted(ben, bens, target_duration_minutes=3, track_count=4))
    with pytest.raises(errors.InsufficientPrivilege):
        as_user(ben).execute("update organizations set allows_short_videos = true")
    assert insert(as_user(ada), "video_jobs", wanted(ada, channel, target_duration_minutes=3, track_count=4))


def test_a_track_has_at_least_fifteen_seconds(owner, ada, channel):
    with pytest.raises(errors.CheckViolation, match="track_count_leaves_each_track_15_seconds"):
        make_video(owner, ada, channel, target_duration_minutes=1, track_count=5)


@pytest.mark.parametrize("table", ["audio_tracks", "images"])
def test_places_are_1_to_20_each_once_and_within_the_videos_count(owner, ada, video, table):
    row = {"organization_id": ada, "video_job_id": video, "provider": "dummy", "prompt_text": "x"}
    row |= {"duration_seconds": 30} if table == "audio_tracks" else {}
    insert(owner, table, row | {"order_index": 1})

    for place in (0, 3, 21):
        with pytest.raises(errors.CheckViolation):
            insert(owner, table, row | {"order_index": place})
    with pytest.raises(errors.UniqueViolation):
        insert(owner, table, row | {"order_index": 1})


def test_a_picture_may_stand_alone(owner, ada):
    assert insert(owner, "images", {"organization_id": ada, "provider": "dummy", "prompt_text": "A hill"})


def test_a_video_is_done_only_with_all_its_pairs(owner, ada, video):
    def part(table, place):
        length = {"duration_seconds": 30} if table == "audio_tracks" else {}
        insert(owner, table, {"organization_id": ada, "video_job_id": video, "provider": "dummy", "prompt_text": "x",
                              "order_index": place, **length})  # fmt: skip

    done = "update video_jobs set status = 'ready_for_export' where id = %s"
    part("audio_tracks", 1)
    part("audio_tracks", 2)
    part("images", 1)
    assert refusal(owner, done, [video]) == (
        "status", "status: ready_for_export is for a video of 2 tracks, each with its picture; it has 1.",
    )  # fmt: skip

    part("images", 2)
    assert owner.execute(done, [video]).rowcount == 1


# --- prompts ----------------------------------------------------------------------------------------------------------


def edited(change):
    made = prompts(2, 1)
    change(made)
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.update(more=[]), "prompts_json: an object with music_prompts and visual_prompts"),
        (lambda p: p["music_prompts"].pop(), "prompts_json.music_prompts: an array of 2 prompts"),
        (lambda p: p["visual_prompts"].append(p["visual_prompts"][0]), "prompts_json.visual_prompts: an array of 2"),
        (lambda p: p["music_prompts"][1].update(order_index=1), "music_prompts: order_index is 1 to 2, each once"),
        (lambda p: p["visual_prompts"][0].update(order_index=3), "visual_prompts: order_index is 1 to 2, each once"),
        (lambda p: p["music_prompts"][1].update(prompt=" waltz  NUMBER 1"), "no two prompts are the same"),
        (lambda p: p["visual_prompts"][1].update(prompt="  "), "prompt 2 has 1 to 2000 characters"),
        (lambda p: p["visual_prompts"][1].update(title="x"), 'visual_prompts: each is {"order_index"'),
        (lambda p: p["music_prompts"][0].update(title="<b>"), "title of prompt 1"),
        (lambda p: p["music_prompts"][0].update(duration_minutes="1"), "duration_minutes of prompt 1"),
        (lambda p: p["music_prompts"][0].update(duration_minutes=0.1), "duration_minutes of prompt 1"),
        (lambda p: p["music_prompts"][0].update(duration_minutes=2), "add up to 2.47 minutes; 1 are asked"),
    ],
)
def test_prompts_that_do_not_fit_are_refused_by_name(owner, video, change, said):
    column, message = refusal(
        owner, "update video_jobs set prompts_json = %s where id = %s", [Jsonb(edited(change)), video]
    )

    assert column == "prompts_json"
    assert said in message


def test_prompts_that_fit_are_found_by_their_content(owner, ada, video):
    owner.execute("update video_jobs set prompts_json = %s where id = %s", [Jsonb(prompts(2, 1)), video])

    found = owner.execute(
        "select id from video_jobs where prompts_json @> %s", [Jsonb({"music_prompts": [{"prompt": "Waltz number 2"}]})]
    ).fetchall()
    [(index,)] = owner.execute(
        "select indexdef from pg_indexes where tablename = 'video_jobs' and indexdef like '%USING gin%'"
    ).fetchall()

    assert found == [(video,)]
    assert "prompts_json" in index


def test_a_planned_video_keeps_its_length_and_its_prompts(owner, video):
    owner.execute("update video_jobs set prompts_json = %s where id = %s", [Jsonb(prompts(2, 1)), video])

    assert refusal(owner, "update video_jobs set target_duration_minutes = 2 where id = %s", [video])[0] == (
        "target_duration_minutes"
    )
    assert refusal(owner, "update video_jobs set prompts_json = null where id = %s", [video])[0] == "prompts_json"


# --- who may do what --------------------------------------------------------------------------------------------------


def test_nobody_but_a_service_reads_youtubes_token(owner, as_user, as_service, as_worker, ada, channel):
    as_service.execute(
        "insert into engine.channel_secrets (channel_id, organization_id, youtube_refresh_token) "
        "values (%s, %s, 'token')",
        [channel, ada],
    )

    for connection in (as_user(ada), as_worker):
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("select youtube_refresh_token from engine.channel_secrets")
    assert as_service.execute("select youtube_refresh_token from engine.channel_secrets").fetchone() == ("token",)
    columns = owner.execute(
        "select column_name from information_schema.columns where table_name = 'channels'"
    ).fetchall()
    assert ("youtube_refresh_token",) not in columns


def test_a_video_cannot_hang_under_another_organizations_channel(owner, sign_up, channel):
    ben = sign_up("ben")

    with pytest.raises(errors.ForeignKeyViolation):
        insert(owner, "video_jobs", wanted(ben, channel))


def test_deleting_a_channel_takes_all_that_hangs_on_it(owner, ada, channel, video):
    insert(owner, "render_tasks", {"organization_id": ada, "video_job_id": video})
    insert(owner, "images", {"organization_id": ada, "video_job_id": video, "provider": "gemini", "prompt_text": "x",
                             "order_index": 1})  # fmt: skip
    insert(owner, "video_analytics", {"organization_id": ada, "video_job_id": video, "youtube_video_id": "x",
                                      "snapshot_date": "2026-01-01"})  # fmt: skip

    owner.execute("delete from channels where id = %s", [channel])

    for table in ("video_jobs", "render_tasks", "images", "video_analytics"):
        assert owner.execute(f"select count(*) from {table}").fetchone() == (0,), table


@pytest.mark.parametrize("column", ["deleted_at", "is_active"])
def test_a_video_of_a_channel_that_is_gone_cannot_be_requested(owner, as_user, ada, channel, video, column):
    value = "now()" if column == "deleted_at" else "false"
    owner.execute(f"update channels set {column} = {value} where id = %s", [channel])

    with pytest.raises(psycopg.Error, match=r"channel: the channel of this video is (deleted|not active)"):
        as_user(ada).execute("select request_production('ambience', %s, 'key')", [video])


def test_a_video_uses_the_months_minutes(owner, as_user, ada, channel):
    owner.execute("update tier_limits set processing_minutes_monthly = 100 where tier = 'pro'")
    person = as_user(ada)
    first, second = (insert(person, "video_jobs", wanted(ada, channel)) for _ in range(2))
    person.execute("select request_production('ambience', %s, 'one')", [first])

    with refused_with(LIMIT_REACHED, match=r"60 asked, 40\.0 of 100 minutes are left"):
        person.execute("select request_production('ambience', %s, 'two')", [second])

    owner.execute(
        "update productions set status = 'failed', error = 'It broke.', finished_at = now() where subject_id = %s",
        [first],
    )
    assert person.execute("select request_production('ambience', %s, 'two')", [second]).fetchone()
    reserved = person.execute(
        "select reserved_minutes, remaining_minutes from processing_minutes where organization_id = %s", [ada]
    )
    assert reserved.fetchone() == (60, 40)


# --- views ------------------------------------------------------------------------------------------------------------


def test_active_channels_count_their_videos(owner, as_user, ada, channel, video):
    make_channel(owner, ada, is_active=False)
    other = make_channel(owner, ada, name="Other")
    gone = make_video(owner, ada, channel)
    owner.execute("update video_jobs set deleted_at = now() where id = %s", [gone])
    owner.execute("update video_jobs set status = 'failed', error_message = 'x' where id = %s", [video])

    found = (
        as_user(ada)
        .execute("select id, total_jobs, completed_jobs from active_channels order by total_jobs")
        .fetchall()
    )

    assert found == [(other, 0, 0), (channel, 1, 0)]


def test_a_video_comes_with_its_tracks_and_pictures_in_order(owner, as_user, ada, video):
    for place in (2, 1):
        row = {"organization_id": ada, "video_job_id": video, "provider": "dummy", "order_index": place}
        insert(owner, "audio_tracks", row | {"duration_seconds": 30 + place, "prompt_text": "x"})
    insert(owner, "images", row | {"prompt_text": "x"})

    tracks, images = (
        as_user(ada).execute("select audio_tracks, images from video_jobs_with_parts where id = %s", [video]).fetchone()
    )

    assert [(one["order_index"], one["duration_seconds"]) for one in tracks] == [(1, 31), (2, 32)]
    assert [one["order_index"] for one in images] == [1]


def test_the_video_that_has_waited_longest_comes_first(owner, as_user, ada, channel, video):
    later = make_video(owner, ada, channel)
    owner.execute("update video_jobs set created_at = now() - interval '1 day' where id = %s", [later])
    query = "select id from waiting_video_jobs order by created_at limit 1"

    assert as_user(ada).execute(query).fetchone() == (later,)
    owner.execute("update video_jobs set status = 'rendering' where id = %s", [later])
    assert as_user(ada).execute(query).fetchone() == (video,)


def test_views_show_nobody_elses_rows(as_user, sign_up, video):
    stranger = as_user(sign_up("ben"))

    for view in ("active_channels", "video_jobs_with_parts", "waiting_video_jobs"):
        assert stranger.execute(f"select * from {view}").fetchall() == []


def test_deleted_channels_and_videos_are_forgotten_after_their_time(owner, as_worker, ada, channel, video):
    kept = make_video(owner, ada, channel)
    owner.execute("update video_jobs set deleted_at = now() where id = %s", [video])
    # The trigger stamps the time; this is a month later.
    owner.execute("alter table video_jobs disable trigger stamp_deletion")
    owner.execute("update video_jobs set deleted_at = now() - interval '31 days' where id = %s", [video])
    purge = "select engine.purge_deleted_videos(interval '30 days', 10)"

    assert as_worker.execute(purge).fetchone() == (1,)
    assert owner.execute("select id from video_jobs").fetchall() == [(kept,)]
    assert as_worker.execute(purge).fetchone() == (0,)
