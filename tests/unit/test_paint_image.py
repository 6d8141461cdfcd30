"""The stage: one picture and its loop, paid for once, whatever fails on the way."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import paint_image
from gentler_prompt import gentler
from paint_image import REMEMBER_IMAGE, PaintImageInput, run
from painting import MOST_WAIT_SECONDS
from showrunner.errors import BadOutput, ContentRefused, InvalidInput, Transient
from showrunner.media.album.h264 import read_stream
from showrunner.providers.image import ImageResult, Pending
from showrunner.settings import Settings
from showrunner.stage import Deferral, Outcome, StopWork
from showrunner.usage import ProviderCall
from tests.provider_server import Answer
from tests.unit.image_adapters import (
    REFERENCES,
    file_answer,
    gemini_reply,
    leonardo_found,
    leonardo_started,
    picture,
    settings_for,
)

PROMPT = "16:9 background of misty mountains at dawn"


def wanted(prompt=PROMPT, provider="dummy/painter", motion="still", order=3):
    return PaintImageInput(order=order, prompt=prompt, provider=provider, mood="calm", niche="Alps", motion=motion)


class Scripted:
    """An image provider that does what `script` says, one step per request; notes what it was asked."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []

    def start(self, wish, out, remaining):
        return self._step(("start", wish.prompt), out)

    def poll(self, state, out, remaining):
        return self._step(("poll", state), out)

    def _step(self, asked, out):
        self.asked.append(asked)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, bytes):
            out.write_bytes(step)
            return ImageResult("id-1", ProviderCall("fake", "m", images=1) if asked[0] == "start" else None)
        return step


@pytest.fixture(autouse=True)
def short_loops(monkeypatch):
    """A loop of half a second: its length is the media core's to test."""
    encode = paint_image.encode_loop
    monkeypatch.setattr(paint_image, "encode_loop", lambda *args, **named: encode(*args, **named, seconds=0.48))


@pytest.fixture
def provider(monkeypatch):
    def use(*script):
        images = Scripted(*script)
        monkeypatch.setattr(paint_image, "open_images", lambda reference, settings: (images, "fake"))
        return images

    return use


def pending(number=1):
    return Pending({"generation": f"gen-{number}"}, call=ProviderCall("fake", "m", images=1))


def test_a_prompt_becomes_a_picture_and_its_loop(make_job, services, media_store):
    job = make_job(wanted())

    outcome = run(job, services)

    output = outcome.output
    folder = f"organizations/{job.organization_id}"
    assert output.image.key == f"{folder}/image/{job.input_hash}.jpg"
    assert output.loop.key == f"{folder}/loop_unit/{job.input_hash}.h264"
    assert media_store.content_types == {output.image.key: "image/jpeg", output.loop.key: "video/h264"}
    image = Image.open(io.BytesIO(media_store.files[output.image.key]))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (1920, 1080))
    assert output.frames == len(read_stream(media_store.files[output.loop.key]).frames) == 12
    assert (output.order, output.width, output.height) == (3, 1920, 1080)
    assert (output.provider, output.provider_image_id) == ("dummy", None)
    assert [(call.provider, call.images) for call in job.calls] == [("dummy", 1)]


def test_the_files_and_the_row_are_written_with_the_outcome(make_job, services):
    job = make_job(wanted())

    image, loop, row = run(job, services).statements

    assert (image.params["kind"], loop.params["kind"]) == ("image", "loop_unit")
    assert loop.params["duration_seconds"] == 0.48
    assert row.params == {
        "organization": job.organization_id,
        "video_job": job.subject_id,
        "order": 3,
        "provider": "dummy",
        "provider_image_id": None,
        "asset": image.params["id"],
        "loop_asset": loop.params["id"],
        "prompt": PROMPT,
    }


def test_equal_work_gives_an_equal_outcome(make_job, services, new_media_store):
    first = run(make_job(wanted()), services).output
    elsewhere = SimpleNamespace(settings=Settings(bucket="media"), media_store=new_media_store(), database=None)

    assert run(make_job(wanted()), elsewhere).output == first


def test_another_order_of_the_same_prompt_is_another_picture(make_job, services, media_store):
    keys = [run(make_job(wanted(order=order)), services).output.image.key for order in (1, 2)]

    one, other = (np.asarray(Image.open(io.BytesIO(media_store.files[key])), dtype=int) for key in keys)
    assert np.abs(one - other).mean() > 8


def test_a_drifting_picture_moves(make_job, services, media_store):
    still = run(make_job(wanted()), services).output.loop
    drift = run(make_job(wanted(motion="drift")), services).output.loop

    assert len(media_store.files[drift.key]) > len(media_store.files[still.key])


def test_a_picture_that_is_there_already_is_not_paid_for_again(make_job, services, media_store, provider):
    provider(picture())
    first = run(make_job(wanted(provider="fake/m")), services).output
    images = provider()
    job = make_job(wanted(provider="fake/m"), attempt=2)

    second = run(job, services).output

    assert second == first
    assert second.provider_image_id == "id-1"
    assert (images.asked, job.calls) == ([], [])


@pytest.mark.parametrize("spoilt", [b"", b"JFIF", picture(1472, 832, "JPEG"), picture(1920, 1080, "JPEG")[:5_000]])
def test_a_stored_file_that_is_no_such_picture_is_painted_again(spoilt, make_job, services, media_store):
    job = make_job(wanted())
    key = f"organizations/{job.organization_id}/image/{job.input_hash}.jpg"
    media_store.files[key] = spoilt

    run(job, services)

    assert Image.open(io.BytesIO(media_store.files[key])).size == (1920, 1080)


# -- providers that take their time -----------------------------------------------------------------------------------


def test_a_long_painting_is_deferred_and_found_again(make_job, services, provider):
    images = provider(pending(), Pending({"generation": "gen-1"}), picture())
    jobs = [make_job(wanted(provider="fake/m"), attempt=attempt) for attempt in (1, 2, 3)]

    first, second, third = (run(job, services) for job in jobs)

    assert isinstance(first, Deferral) and isinstance(second, Deferral) and isinstance(third, Outcome)
    assert first.state == {"generation": "gen-1"}
    assert 0 < first.seconds < second.seconds, "the longer it takes, the less often it is looked at"
    assert [asked[0] for asked in images.asked] == ["start", "poll", "poll"]
    assert [len(job.calls) for job in jobs] == [1, 0, 0]
    assert third.output.provider_image_id == "id-1"


def test_what_was_asked_for_is_found_again_after_a_crash(make_job, services, provider):
    images = provider(pending(), picture())
    run(make_job(wanted(provider="fake/m")), services)  # and the deferral is lost

    run(make_job(wanted(provider="fake/m"), attempt=2), services)

    assert [asked[0] for asked in images.asked] == ["start", "poll"]


def test_a_provider_that_never_finishes_is_given_up_and_asked_anew(make_job, services, provider):
    images = provider(pending(1), *[Pending({"generation": "gen-1"})] * 200)
    waited = 0.0

    with pytest.raises(Transient, match="did not finish the picture in 15 minutes"):
        for attempt in range(1, 200):
            waited += run(make_job(wanted(provider="fake/m"), attempt=attempt), services).seconds

    assert waited <= MOST_WAIT_SECONDS
    images.script[:] = [picture()]
    run(make_job(wanted(provider="fake/m"), attempt=99), services)
    assert images.asked[-1][0] == "start"


@pytest.mark.parametrize(
    "failure", [BadOutput("Failed there."), ContentRefused("No."), picture(300, 200), b"no picture at all"]
)
def test_a_painting_that_came_to_nothing_is_asked_for_anew(failure, make_job, services, provider):
    images = provider(pending(1), failure, pending(2))
    run(make_job(wanted(provider="fake/m")), services)
    with pytest.raises((BadOutput, ContentRefused)):
        run(make_job(wanted(provider="fake/m"), attempt=2), services)

    run(make_job(wanted(provider="fake/m"), attempt=3), services)

    assert [asked[0] for asked in images.asked] == ["start", "poll", "start"]


def test_a_fault_of_the_moment_does_not_throw_away_what_was_paid_for(make_job, services, provider):
    images = provider(pending(), Transient("The address has expired."), picture())
    run(make_job(wanted(provider="fake/m")), services)
    with pytest.raises(Transient):
        run(make_job(wanted(provider="fake/m"), attempt=2), services)

    run(make_job(wanted(provider="fake/m"), attempt=3), services)

    assert [asked[0] for asked in images.asked] == ["start", "poll", "poll"]


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_refused_prompt_is_said_once_more_in_gentler_words(make_job, services, provider):
    asked = wanted("A battle at dawn, blood on the snow, with Gandalf the Grey", provider="fake/m")
    images = provider(ContentRefused("No."), picture())
    with pytest.raises(ContentRefused):
        run(make_job(asked), services)

    row = run(make_job(asked, attempt=2, state={"rewrite": True}), services).statements[2]

    (_, first), (_, second) = images.asked
    assert first == asked.prompt
    assert "snow" in second and "dawn" in second
    assert not {"battle", "blood", "gandalf", "grey"} & set(second.lower().replace(",", " ").split())
    assert row.params["prompt"] == asked.prompt


def test_a_rewritten_prompt_does_not_look_at_the_refused_painting(make_job, services, provider):
    images = provider(pending(1), pending(2), picture())
    run(make_job(wanted(provider="fake/m")), services)
    rewritten = {"generation": "gen-1", "rewrite": True}

    deferred = run(make_job(wanted(provider="fake/m"), attempt=3, state=rewritten), services)
    run(make_job(wanted(provider="fake/m"), attempt=4, state=deferred.state), services)

    assert deferred.state == {"generation": "gen-2", "rewrite": True}
    assert images.asked[1][0] == "start" and images.asked[2] == ("poll", {"generation": "gen-2"})


@pytest.mark.parametrize(
    ("prompt", "gentle"),
    [
        ("A war-torn castle (in the style of Someone), at night", "castle, at night"),
        ("Moonlit sea, inspired by Claude Monet", "Moonlit sea, inspired by"),
        ('A sword called "Excalibur" in a lake', "in a lake"),
        ("naked", ""),
    ],
)
def test_gentler_words_keep_the_scene(prompt, gentle):
    assert gentle in gentler(prompt)
    assert gentler(prompt).startswith("A peaceful scenery without people")


def test_an_empty_prompt_names_the_field(make_job, services):
    with pytest.raises(InvalidInput, match=r"^prompt: "):
        run(make_job(wanted(" \n ")), services)


def test_a_picture_of_the_wrong_size_is_bad_output_and_nothing_is_stored(make_job, services, media_store, provider):
    provider(picture(512, 512))
    job = make_job(wanted(provider="fake/m"))

    with pytest.raises(BadOutput, match="512 x 512"):
        run(job, services)

    assert media_store.files == {}
    assert len(job.calls) == 1, "it was paid for all the same"


def test_a_cancelled_job_stops(make_job, services, media_store):
    job = make_job(wanted())
    job.pulse.stopped = True

    with pytest.raises(StopWork):
        run(job, services)

    assert media_store.files == {}


def test_no_time_left_is_transient(make_job, services):
    with pytest.raises(Transient, match="time for this picture"):
        run(make_job(wanted(), seconds=0.0), services)


def test_temporary_files_are_gone_whatever_happens(make_job, services, provider, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    provider(picture(), b"no picture")

    run(make_job(wanted(provider="fake/m")), services)
    with pytest.raises(BadOutput):
        run(make_job(wanted("Another", provider="fake/m")), services)

    assert list(tmp_path.iterdir()) == []


# -- over HTTP --------------------------------------------------------------------------------------------------------


def test_gemini_paints_a_picture(make_job, media_store, provider_server):
    services = SimpleNamespace(settings=settings_for(provider_server.url), media_store=media_store, database=None)
    provider_server.will(Answer(body=gemini_reply(picture(1344, 768))))

    output = run(make_job(wanted(provider=REFERENCES["gemini"])), services).output

    assert (output.provider, output.provider_image_id) == ("gemini", "mZ1waKXqDrSAnvgP")
    assert Image.open(io.BytesIO(media_store.files[output.image.key])).size == (1920, 1080)


def test_leonardo_paints_a_picture_in_two_visits(make_job, media_store, provider_server):
    services = SimpleNamespace(settings=settings_for(provider_server.url), media_store=media_store, database=None)
    provider_server.will(Answer(body=leonardo_started()))
    provider_server.will(Answer(body=leonardo_found(url=f"{provider_server.url}/1.jpg")), file_answer(picture()))
    asked = wanted(provider=REFERENCES["leonardo"])

    deferred = run(make_job(asked), services)
    output = run(make_job(asked, attempt=2, state=deferred.state), services).output

    assert (output.provider, output.provider_image_id) == ("leonardo", "image-1")


def test_the_row_has_a_value_for_every_column(make_job, services):
    [*_, row] = run(make_job(wanted()), services).statements

    assert row.sql == REMEMBER_IMAGE
    assert all(f"%({name})s" in REMEMBER_IMAGE for name in row.params)
    assert REMEMBER_IMAGE.count("%(") == len(row.params)
