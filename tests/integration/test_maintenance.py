"""What maintain forgets: rows first, files an hour later, and nothing that is still needed."""

import psycopg
import pytest

from showrunner.assets import Asset
from showrunner.media_store import media_key
from tests.rigs.line import function
from tests.rigs.shows import make_show

TEXT = "A lighthouse is a promise made of light. " * 20


@pytest.fixture
def line(make_line):
    return make_line(file_grace_seconds=0)


@pytest.fixture
def show(owner, sign_up):
    return make_show(owner, sign_up("ada"), TEXT)


@pytest.fixture
def produced(owner, show):
    """A finished production of the show's episode, as the engine would leave it."""
    return owner.execute(
        "insert into public.productions (organization_id, kind, subject_id, status, finished_at) "
        "values (%s, 'episode', %s, 'completed', now()) returning id",
        [show.organization, show.episode],
    ).fetchone()[0]


def store(line, show, production, kind, name):
    key = media_key(show.organization, kind, name * 64, "bin")
    asset = Asset(
        show.organization, production, kind, line.services.media_store.put(key, b"sound", "audio/wav"), "audio/wav"
    )
    line.database.run([asset.statement()])
    return asset


def remember(owner, show, asset, days_ago):
    owner.execute(
        "insert into public.audio_cache (organization_id, cache_key, asset_id, audio_bytes, parameters, last_used_at) "
        "values (%s, %s, %s, 5, '{}', now() - make_interval(days => %s))",
        [show.organization, asset.stored.sha256, asset.id, days_ago],
    )


def delete_show(owner, days_ago):
    # The stamp is always the present: only a test may set it back.
    owner.execute("alter table public.projects disable trigger stamp_deletion")
    owner.execute("update public.projects set deleted_at = now() - make_interval(days => %s)", [days_ago])


def maintain(line):
    return function("maintain").maintain(line.services)


def test_an_unused_spoken_line_goes_with_its_file_and_its_job_counts_as_not_done(owner, line, show, produced):
    asset = store(line, show, produced, "speech", "a")
    remember(owner, show, asset, days_ago=100)
    owner.execute(
        "insert into public.jobs "
        "(production_id, organization_id, stage, status, input, input_hash, output, output_hash) "
        "values (%s, %s, 'speak_line', 'succeeded', '{}', repeat('0', 64), %s, 'h')",
        [produced, show.organization, psycopg.types.json.Jsonb({"asset": {"id": str(asset.id)}})],
    )

    counts = maintain(line)

    assert (counts["audio"], counts["files"]) == (1, 1)
    assert line.services.media_store.head(asset.stored.key) is None
    assert owner.execute("select count(*) from public.audio_cache").fetchone() == (0,)
    assert owner.execute("select status::text, output from public.jobs").fetchone() == ("cancelled", None)


def test_a_line_used_lately_stays(owner, line, show, produced):
    asset = store(line, show, produced, "speech", "a")
    remember(owner, show, asset, days_ago=10)

    counts = maintain(line)

    assert counts == {"deleted": 0, "audio": 0, "history": 0, "uploads": 0, "files": 0}
    assert line.services.media_store.head(asset.stored.key) is not None


def test_nothing_is_evicted_from_an_organization_that_is_producing(owner, line, show, produced):
    asset = store(line, show, produced, "speech", "a")
    remember(owner, show, asset, days_ago=100)
    owner.execute("update public.productions set status = 'running', finished_at = null")

    assert maintain(line)["audio"] == 0


def test_a_soft_deleted_show_goes_after_a_month_with_its_files(owner, line, show, produced):
    asset = store(line, show, produced, "episode_audio", "a")
    delete_show(owner, days_ago=31)

    maintain(line)

    assert line.services.media_store.head(asset.stored.key) is None
    for table in ("projects", "episodes", "sources", "productions", "assets"):
        assert owner.execute(f"select count(*) from public.{table}".encode()).fetchone() == (0,), table


def test_a_deleted_show_stays_until_its_running_job_has_ended(owner, line, show, produced):
    store(line, show, produced, "episode_audio", "a")
    delete_show(owner, days_ago=31)
    owner.execute(
        "insert into public.jobs "
        "(production_id, organization_id, stage, status, input, input_hash, slot, lease_until, reserved_on) "
        "values (%s, %s, 'speak_line', 'running', '{}', repeat('0', 64), 1, now() + interval '1 hour', current_date)",
        [produced, show.organization],
    )

    while_running = maintain(line)["deleted"]
    owner.execute("update public.jobs set status = 'cancelled', slot = null, lease_until = null, reserved_on = null")
    afterwards = maintain(line)["deleted"]

    assert while_running == 0
    assert afterwards > 0


def test_a_show_deleted_yesterday_can_still_be_restored(owner, line, show, produced):
    store(line, show, produced, "episode_audio", "a")
    delete_show(owner, days_ago=1)

    assert maintain(line)["deleted"] == 0


def test_a_file_whose_key_was_taken_again_is_kept(owner, line, show, produced):
    asset = store(line, show, produced, "episode_audio", "a")
    owner.execute("delete from public.assets")
    line.database.run([asset.statement()])

    counts = maintain(line)

    assert counts["files"] == 0
    assert line.services.media_store.head(asset.stored.key) is not None
    assert owner.execute("select count(*) from engine.file_deletions").fetchone() == (0,)


def test_a_file_waits_for_its_grace(owner, make_line, line, show, produced):
    asset = store(line, show, produced, "episode_audio", "a")
    owner.execute("delete from public.assets")

    counts = maintain(make_line(file_grace_seconds=3600))

    assert counts["files"] == 0
    assert line.services.media_store.head(asset.stored.key) is not None


def test_old_history_goes_and_young_history_stays(owner, line, show):
    owner.execute(
        "insert into public.user_events (organization_id, user_id, event_type, event_data, created_at) "
        "values (%s, %s, 'old', '{}', now() - interval '500 days'), (%s, %s, 'young', '{}', now())",
        [show.organization, show.user] * 2,
    )

    assert maintain(line)["history"] == 1
    assert owner.execute("select event_type from public.user_events").fetchall() == [("young",)]
