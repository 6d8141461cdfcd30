import re

import pytest
from pydantic import SecretStr

import compose_track
from compose_track import AAC, GIVE_UP_SECONDS, KEEP_TRACK, ComposeTrackInput, run
from showrunner.errors import BadOutput, ContentRefused, InvalidInput, Transient
from showrunner.media.album import adts
from showrunner.media.album.format import AAC_FRAME, SAMPLE_RATE
from showrunner.media_store import StoredMeanwhile
from showrunner.providers.music import Licence, MusicResult, Pending
from showrunner.settings import Settings
from showrunner.stage import Deferral, StopWork
from showrunner.usage import ProviderCall
from tests import music_replies
from tests.provider_server import Answer

CALL = ProviderCall("mubert", "low", seconds=8, measured=False)


def track(provider="mubert/low", prompt="Calm pads in C major", seconds=8.0, order=3):
    return ComposeTrackInput(
        order=order, prompt=prompt, seconds=seconds, provider=provider, mood="calm", niche="forest"
    )


class ScriptedMusic:
    """Does what `script` says, one step a call: raises, is pending, or writes a track of so many seconds."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []
        self.polled = []

    def start(self, wish, out, remaining):
        self.asked.append(wish)
        return self._step(out, CALL)

    def poll(self, state, out, remaining):
        self.polled.append(state)
        return self._step(out, None)

    def _step(self, out, call):
        step = self.script.pop(0) if self.script else 8.0
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Pending):
            return Pending(step.state, step.poll_seconds, call)
        if isinstance(step, bytes):
            out.write_bytes(step)
        else:
            out.write_bytes(music_replies.track(step))
        return MusicResult("track-7", None, call)


@pytest.fixture
def provider(monkeypatch):
    def use(*script):
        music = ScriptedMusic(*script)
        monkeypatch.setattr(
            compose_track, "open_music", lambda reference, settings: (music, reference.partition("/")[0])
        )
        return music

    return use


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """Where temporary folders are made; it must be empty afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def seconds_of(media_store, output):
    return (len(adts.read_frames(media_store.files[output.audio.key])) - 1) * AAC_FRAME / SAMPLE_RATE


def test_a_prompt_becomes_a_track_at_the_albums_loudness(make_job, services, media_store, folders):
    job = make_job(track("dummy/ambient"))

    output = run(job, services).output

    assert output.audio.key == f"organizations/{job.organization_id}/track_audio/{job.input_hash}.aac"
    assert media_store.content_types[output.audio.key] == AAC
    assert output.seconds == pytest.approx(8.0, abs=AAC_FRAME / SAMPLE_RATE)
    assert output.samples == round(output.seconds * SAMPLE_RATE)
    assert seconds_of(media_store, output) == pytest.approx(output.seconds, abs=0.001)
    assert output.integrated_lufs == pytest.approx(-14, abs=0.5)
    assert output.true_peak_dbtp <= -1
    assert (output.order, output.provider, output.provider_track_id) == (3, "dummy/ambient", None)
    assert [(call.provider, call.seconds) for call in job.calls] == [("dummy", 8.0)]
    assert list(media_store.files) == [output.audio.key], "what costs nothing is not kept twice"
    assert list(folders.iterdir()) == []


def test_a_retry_makes_the_same_and_another_order_or_tenant_another(make_job, services, media_store):
    first = run(make_job(track("dummy/ambient")), services).output
    second = run(make_job(track("dummy/ambient"), attempt=2), services).output
    third = run(make_job(track("dummy/ambient", order=4)), services).output

    assert first == second
    assert third.audio.sha256 != first.audio.sha256


def test_the_track_and_its_asset_are_written_down(make_job, services, provider):
    provider()
    job = make_job(track())

    outcome = run(job, services)

    asset, row = outcome.statements
    assert asset.params["kind"] == "track_audio"
    assert asset.params["sample_rate"] == SAMPLE_RATE
    assert row.params == {
        "organization_id": job.organization_id,
        "video_job_id": job.subject_id,
        "order_index": 3,
        "provider": "mubert",
        "provider_track_id": "track-7",
        "duration_seconds": outcome.output.seconds,
        "asset_id": asset.params["id"],
        "license_document_url": None,
        "license_asset_id": None,
        "prompt_text": "Calm pads in C major",
    }


def test_the_statement_names_each_value_once_and_writes_all_of_them_again():
    columns = re.search(r"audio_tracks \((.*?)\) values", KEEP_TRACK, re.DOTALL)[1].replace("\n", "").split(",")
    values = re.findall(r"%\((\w+)\)s", KEEP_TRACK)
    again = re.findall(r"(\w+) = excluded\.\1", KEEP_TRACK)

    assert [column.strip() for column in columns] == values
    assert set(values) - set(again) == {"organization_id", "video_job_id", "order_index"}
    assert "on conflict (video_job_id, order_index)" in KEEP_TRACK


def test_a_long_composition_is_waited_for_without_holding_anything(make_job, services, media_store, provider):
    music = provider(Pending({"task": "t"}, 15.0), Pending({"task": "t"}, 15.0), 8.0)

    first = run(make_job(track()), services)
    second = run(make_job(track(), state=first.state, attempt=2), services)
    last = run(make_job(track(), state=second.state, attempt=3), services)

    assert isinstance(first, Deferral)
    assert (first.seconds, first.state["waited"], second.state["waited"]) == (15.0, 15.0, 30.0)
    assert len(music.asked) == 1
    assert music.polled == [{"task": "t"}, {"task": "t"}]
    assert last.output.provider_track_id == "track-7"


def test_a_task_that_was_asked_for_is_found_again_after_a_crash(make_job, services, provider):
    music = provider(Pending({"task": "t"}), 8.0)
    run(make_job(track()), services)

    outcome = run(make_job(track(), attempt=2), services)

    assert len(music.asked) == 1
    assert outcome.output.provider_track_id == "track-7"


def test_a_provider_that_never_finishes_is_given_up_and_not_paid_again(make_job, services, provider):
    music = provider(*[Pending({"task": "t"}, 300.0)] * 20)
    result, attempt = run(make_job(track()), services), 1
    while isinstance(result, Deferral) and attempt < 20:
        attempt += 1
        state = result.state
        try:
            result = run(make_job(track(), state=state, attempt=attempt), services)
        except BadOutput as error:
            result = error

    assert isinstance(result, BadOutput)
    assert result.message.startswith("mubert has not finished the track within 30 minutes")
    assert attempt == 1 + GIVE_UP_SECONDS / 300
    assert len(music.asked) == 1

    music.script = []
    assert run(make_job(track(), state=state, attempt=attempt + 1), services).output.seconds > 7, "it came late"
    assert len(music.asked) == 1


@pytest.mark.parametrize("error", [BadOutput("It failed there."), ContentRefused("No.")])
def test_a_task_that_failed_there_is_asked_for_anew(make_job, services, provider, error):
    music = provider(Pending({"task": "t"}), error, 8.0)
    state = run(make_job(track()), services).state
    with pytest.raises(type(error)):
        run(make_job(track(), state=state, attempt=2), services)

    run(make_job(track(), state=state, attempt=3), services)

    assert len(music.asked) == 2


def test_a_failing_look_keeps_the_task(make_job, services, provider):
    music = provider(Pending({"task": "t"}), Transient("Soon."), 8.0)
    state = run(make_job(track()), services).state
    with pytest.raises(Transient):
        run(make_job(track(), state=state, attempt=2), services)

    run(make_job(track(), state=state, attempt=3), services)

    assert len(music.asked) == 1


def test_a_track_that_came_is_used_after_a_crash(make_job, services, media_store, provider, monkeypatch, folders):
    music = provider()

    def crash(*arguments, **options):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(compose_track, "encode_track", crash)
        run(make_job(track()), services)
    job = make_job(track(), attempt=2)
    output = run(job, services).output

    assert len(music.asked) == 1
    assert job.calls == []
    assert output.provider_track_id == "track-7"
    assert list(folders.iterdir()) == []


def test_what_was_paid_for_is_counted_before_anything_else_is_done(make_job, services, provider):
    provider(Pending({"task": "t"}))
    job = make_job(track())
    counted = []
    job.engine.record_usage = lambda job_id, attempt, calls: counted.append(len(calls))

    run(job, services)

    assert counted == [1]


SILENCE = music_replies.track(8.0, level=0.0)


@pytest.mark.parametrize(
    ("came", "phrase"),
    [
        (SILENCE, "silent"),
        (20.0, "lasts 20"),
        (3.0, "lasts 3"),
        (b"", "."),
        (b"<html>not here</html>", "."),
        (b"#EXTM3U\nfile:///etc/passwd\n", "."),
        (music_replies.track(8.0)[:5000], "."),
    ],
    ids=["silent", "too long", "too short", "empty", "a page", "a playlist", "cut off"],
)
def test_what_is_no_track_is_refused_and_another_is_asked_for(
    make_job, services, media_store, provider, folders, came, phrase
):
    music = provider(came, 8.0)

    with pytest.raises(BadOutput, match=phrase):
        run(make_job(track()), services)
    assert not any("track_audio" in key for key in media_store.files)
    run(make_job(track(), attempt=2), services)

    assert len(music.asked) == 2
    assert list(folders.iterdir()) == []


def test_a_refused_prompt_is_asked_again_in_plain_words(make_job, services, provider):
    music = provider(ContentRefused("No."))
    with pytest.raises(ContentRefused):
        run(make_job(track(prompt="In the style of somebody famous")), services)

    run(make_job(track(prompt="In the style of somebody famous"), state={"rewrite": True}, attempt=2), services)

    assert [wish.prompt for wish in music.asked] == ["In the style of somebody famous", "calm, forest"]


def test_a_licence_is_kept_as_an_asset_of_its_own(make_job, services, media_store, provider, monkeypatch):
    music = provider()
    plain = music.start

    def with_licence(wish, out, remaining):
        result = plain(wish, out, remaining)
        path = out.with_name("licence")
        path.write_bytes(music_replies.LICENCE)
        return MusicResult(result.track_id, Licence("https://example.org/l.pdf", path, "application/pdf"), result.call)

    music.start = with_licence

    for attempt in (1, 2):
        outcome = run(make_job(track(), attempt=attempt), services)
        _, licence, row = outcome.statements
        assert licence.params["kind"] == "track_licence"
        assert licence.params["content_type"] == "application/pdf"
        assert licence.params["key"].endswith(".pdf")
        assert media_store.files[licence.params["key"]] == music_replies.LICENCE
        assert row.params["license_asset_id"] == licence.params["id"]
        assert row.params["license_document_url"] == outcome.output.license_url == "https://example.org/l.pdf"
    assert len(music.asked) == 1


def test_an_attempt_that_lost_its_job_cannot_change_the_track(make_job, services, media_store, provider, monkeypatch):
    provider()
    job = make_job(track())
    key = f"organizations/{job.organization_id}/track_audio/{job.input_hash}.aac"
    plain = compose_track.encode_track

    def slow(*arguments, **options):
        unit = plain(*arguments, **options)
        media_store.files[key] = b"what the other attempt stored"
        return unit

    monkeypatch.setattr(compose_track, "encode_track", slow)

    with pytest.raises(StoredMeanwhile):
        run(job, services)

    assert media_store.files[key] == b"what the other attempt stored"


@pytest.mark.parametrize("reference", ["dummy/ambient", "mubert/low"])
def test_a_cancelled_track_is_not_made(make_job, services, media_store, reference, folders):
    job = make_job(track(reference, seconds=20.0))
    job.pulse.stopped = True
    services.settings = Settings(mubert_customer_id="c", mubert_base_url="http://127.0.0.1:9")

    with pytest.raises(StopWork):
        run(job, services)

    assert media_store.files == {}
    assert list(folders.iterdir()) == []


def test_a_track_without_time_left_is_tried_again(make_job, services, media_store):
    with pytest.raises(Transient, match="ran out"):
        run(make_job(track("dummy/ambient"), seconds=-1.0), services)

    assert media_store.files == {}


def test_an_unknown_provider_names_the_field(make_job, services):
    with pytest.raises(InvalidInput, match=r"^provider: .*allowed: dummy, mubert, beatoven, elevenlabs"):
        run(make_job(track("acme/music")), services)


def test_a_whole_track_of_a_service_from_asking_to_the_file(make_job, services, media_store, provider_server):
    services.settings = Settings(
        mubert_base_url=provider_server.url, mubert_customer_id="c", mubert_access_token=SecretStr("key")
    )
    wanted = track(seconds=float(music_replies.TRACK_SECONDS))

    waiting = run(make_job(wanted), services)
    provider_server.will(
        Answer(body=music_replies.mubert(provider_server.url.removeprefix("http://"))), Answer(403, b"expired")
    )
    with pytest.raises(Transient, match="has expired"):
        run(make_job(wanted, state=waiting.state, attempt=2), services)
    output = run(make_job(wanted, state=waiting.state, attempt=3), services).output

    assert [request.path for request in provider_server.requests] == [
        "/public/tracks",
        "/public/tracks/0193c1f2",
        "/files/track.wav",
        "/public/tracks/0193c1f2",
        "/files/track.wav",
    ]
    assert output.seconds == pytest.approx(20.0, abs=0.03)
    assert output.provider_track_id == "0193c1f2"
