"""What speaking, mastering and publishing write, on the real tables as the role of the functions."""

import hashlib
from types import SimpleNamespace

import pytest

from showrunner.database import Database
from showrunner.media_store import StoredObject
from showrunner.podcast_feed import render_feed
from showrunner.published_show import read_published_show, read_show_to_publish
from showrunner.settings import Settings
from tests.rigs.line import function
from tests.rigs.shows import add_episode, make_show

SENTENCES = ["The old harbour was built by fishermen.", "The market opened before sunrise, every day."]


class Bucket:
    """S3 on a dictionary."""

    def __init__(self):
        self.files = {}

    def put(self, key, body, content_type):
        self.files[key] = body
        return self.head(key)

    def replace(self, key, body, content_type, seen):
        assert seen == self.head(key)
        return self.put(key, body, content_type)

    def replace_file(self, key, path, content_type, seen):
        return self.replace(key, path.read_bytes(), content_type, seen)

    def get(self, key, *, most_bytes=None):
        return self.files[key]

    def download(self, key, path):
        path.write_bytes(self.files[key])

    def head(self, key):
        body = self.files.get(key)
        return body if body is None else StoredObject(key, len(body), hashlib.sha256(body).hexdigest())


class Stages:
    """Runs a stage for one organization and writes its rows in one transaction, as finishing a job does."""

    def __init__(self, database, organization):
        self.database = database
        settings = Settings(bucket="media", public_base_url="https://media.example.org")
        self.services = SimpleNamespace(settings=settings, database=database, media_store=Bucket())
        self.organization = organization

    def run(self, stage, **value):
        module = function(stage)
        model = getattr(module, "".join(word.title() for word in stage.split("_")) + "Input").model_validate(value)
        job = SimpleNamespace(
            organization_id=self.organization,
            production_id=None,
            input=model,
            input_hash=hashlib.sha256(model.model_dump_json().encode()).hexdigest(),
            state={},
            remaining_seconds=lambda: 60.0,
            progress=lambda fraction: None,
            raise_if_cancelled=lambda: None,
            record=lambda call, *, immediately=False: None,
        )
        outcome = module.run(job, self.services)
        self.database.run(outcome.statements)
        return outcome.output.model_dump(mode="json")

    def speak(self, text, voice="espeak/ada"):
        return self.run("speak_line", text=text, voice=voice, language="en-GB")

    def master(self, episode, voice="espeak/ada"):
        spoken = [(text, self.speak(text)) for text in SENTENCES]
        lines = [
            {
                "block_id": episode,
                "section": "All",
                "speaker": "Ada",
                "text": text,
                "key": output["asset"]["key"],
                "sha256": output["asset"]["sha256"],
                "seconds": output["seconds"],
                "voice": voice,
            }
            for text, output in spoken
        ]
        show = {"name": "Small Wonders", "author": "A", "language": "en-GB", "description": ""}
        about = {"id": episode, "number": 1, "title": "Tides", "summary": ""}
        return self.run("master_episode", show=show, episode=about, target_seconds=8, lines=lines, cover_key=None)

    def publish(self, show, episode, master):
        return self.run("publish_episode", episode_id=episode, project_id=show.project, master=master)


@pytest.fixture
def database_of_worker(database_url):
    database = Database(database_url, "showrunner_worker")
    yield database
    database.close()


@pytest.fixture
def show(owner, sign_up):
    return make_show(owner, sign_up(), "A text.")


@pytest.fixture
def stages(database_of_worker, show):
    return Stages(database_of_worker, show.organization)


def one(owner, statement, *values):
    [row] = owner.execute(statement, values).fetchall()
    return row


def test_a_line_spoken_again_is_one_asset_used_twice(owner, stages):
    first, second = stages.speak(SENTENCES[0]), stages.speak(SENTENCES[0])

    asset = one(owner, "select id::text, kind, bytes, sample_rate from public.assets")
    used = one(owner, "select asset_id::text, usage_count, audio_bytes, parameters from public.audio_cache")
    size = len(stages.services.media_store.files[first["asset"]["key"]])
    assert first == second
    assert asset == (first["asset"]["id"], "speech", size, 22_050)
    assert used == (first["asset"]["id"], 2, size, {"voice": "espeak/ada", "language": "en-GB"})


def test_a_mastered_episode_names_its_files_and_its_length(owner, stages, show):
    output = stages.master(show.episode)

    row = one(
        owner,
        "select audio_asset_id::text, transcript_asset_id::text, chapters_asset_id::text, cover_asset_id::text,"
        " duration_seconds::float from public.episodes where id = %s",
        show.episode,
    )
    assets = [output[name]["id"] for name in ("audio", "transcript", "chapters", "cover")]
    assert row == (*assets, output["duration_seconds"])


def test_loudness_is_stored_with_the_recording(owner, stages, show):
    output = stages.master(show.episode)

    query = "select integrated_lufs::float, true_peak_dbtp::float from public.assets where kind = 'episode_audio'"
    assert one(owner, query) == (output["integrated_lufs"], output["true_peak_dbtp"])


def test_the_rate_of_a_voice_is_the_sum_of_what_it_spoke(owner, stages, show):
    stages.master(show.episode)
    once = one(owner, "select voice, language, characters, seconds from public.voice_rates")
    stages.master(show.episode)

    twice = one(owner, "select voice, language, characters, seconds from public.voice_rates")

    assert once[:3] == ("espeak/ada", "en-GB", sum(map(len, SENTENCES)))
    assert twice[2:] == (2 * once[2], 2 * once[3])


def test_a_voice_that_is_in_no_list_is_no_obstacle(owner, stages, show):
    stages.master(show.episode, voice="openai/of-another-server")

    assert one(owner, "select count(*) from public.voice_rates") == (0,)


def test_an_episode_of_another_organization_is_not_touched(owner, stages, show, sign_up):
    stranger = make_show(owner, sign_up("ben"), "Another text.")

    stages.master(stranger.episode)

    assert one(owner, "select audio_asset_id from public.episodes where id = %s", stranger.episode) == (None,)


def test_a_published_episode_is_in_the_feed_that_is_served(owner, stages, show):
    output = stages.publish(show, show.episode, stages.master(show.episode))

    status, published_at = one(owner, "select status::text, published_at from public.episodes")
    [token] = one(owner, "select token from public.feeds")
    served = render_feed(read_published_show(stages.database, token), "https://media.example.org", token)
    assert (status, published_at is not None) == ("published", True)
    assert stages.services.media_store.files[output["feed"]["key"]].decode() == served


def test_the_feed_to_publish_has_earlier_episodes_and_no_other_drafts(owner, stages, show):
    stages.publish(show, show.episode, stages.master(show.episode))
    second = add_episode(owner, show.organization, show.project, 2, 1)
    third = add_episode(owner, show.organization, show.project, 3, 1)
    stages.master(second)
    stages.master(third)

    found = read_show_to_publish(stages.database, show.project, third)

    assert [episode.number for episode in found.episodes] == [3, 1]


def test_publishing_again_keeps_the_date(owner, stages, show):
    master = stages.master(show.episode)
    stages.publish(show, show.episode, master)
    owner.execute("update public.episodes set published_at = '2026-01-02T03:04:05Z'")

    stages.publish(show, show.episode, master)

    assert one(owner, "select published_at from public.episodes")[0].isoformat().startswith("2026-01-02T03:04:05")


def test_an_archived_episode_stays_archived(owner, stages, show):
    master = stages.master(show.episode)
    stages.publish(show, show.episode, master)
    owner.execute("update public.episodes set status = 'archived'")

    stages.publish(show, show.episode, master)

    assert one(owner, "select status::text from public.episodes") == ("archived",)
