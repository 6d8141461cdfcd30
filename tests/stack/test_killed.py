"""Kill -9 any part of the running system: the episode is finished all the same, nothing is done or counted twice."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import psutil

from local.postgres import Postgres
from local.processes import marked
from local.stack import database_home
from tests.rigs.laptop import kill_groups


def held_in_mid_sentence(laptop):
    """A production whose third line is being spoken, and what was accepted before."""
    laptop.provider.hold(3)
    production = laptop.request(laptop.show())
    laptop.wait(laptop.provider.held.is_set, "a line is being spoken")
    laptop.wait(lambda: laptop.accepted(production), "a line is accepted")
    return production, laptop.accepted(production)


def test_a_killed_speaker_is_replaced_and_no_accepted_line_is_spoken_again(stack, laptop):
    production, before = held_in_mid_sentence(laptop)

    killed = kill_groups(stack.host.pids("speak_line"))
    laptop.provider.release()

    laptop.wait_until_completed(production)
    assert killed >= 1
    laptop.assert_unharmed(production, before)


def test_a_killed_mastering_starts_anew_from_the_spoken_lines(stack, laptop):
    laptop.provider.hold(0)
    production = laptop.request(laptop.show())
    family = []

    def encoding():
        for pid in stack.host.pids("master_episode"):
            with contextlib.suppress(psutil.NoSuchProcess):
                children = psutil.Process(pid).children(recursive=True)
                family[:] = [pid] if any("ffmpeg" in child.name() for child in children) else []
        return family

    laptop.wait(encoding, "ffmpeg runs")
    before = laptop.accepted(production)
    encoders = [child for pid in family for child in psutil.Process(pid).children(recursive=True)]
    kill_groups(family)

    laptop.wait_until_completed(production)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in encoders)
    attempts = laptop.rows(
        "select attempt from public.jobs where production_id = %s and stage = 'master_episode'", production
    )
    assert attempts == [(2,)]
    laptop.assert_unharmed(production, before)


def test_a_killed_render_starts_anew_from_the_same_tracks_and_pictures(stack, laptop):
    production = laptop.request_video()
    family = []

    def rendering():
        for pid in stack.host.pids("render_video"):
            with contextlib.suppress(psutil.NoSuchProcess):
                encoders = [child for child in psutil.Process(pid).children(recursive=True) if "ffmpeg" in child.name()]
                family[:] = [pid, *encoders] if encoders else []
        return family

    laptop.wait(rendering, "ffmpeg runs")
    pid, *encoders = family
    folders = list(Path(tempfile.gettempdir()).glob(f"video-{pid}-*"))
    kill_groups([pid])
    before = parts_of(laptop, production)

    laptop.wait_until_completed(production)
    assert len(folders) == 1
    assert not folders[0].exists(), "what was killed leaves nothing on the disk"
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in encoders)
    assert parts_of(laptop, production) == before
    assert len(before) == 6
    attempts = laptop.rows(
        "select status::text, error_message from public.render_tasks where production_id = %s order by created_at",
        production,
    )
    assert attempts == [("failed", "It was interrupted."), ("completed", None)]
    jobs = "select attempt, status from public.jobs where production_id = %s and stage = 'render_video'"
    assert laptop.rows(jobs, production) == [(2, "succeeded")]
    videos = "select count(*) from public.assets where production_id = %s and kind = 'video'"
    assert laptop.rows(videos, production) == [(1,)]
    laptop.assert_books_balance(production)


def parts_of(laptop, production):
    """Each file that a render joins, with the version of its row."""
    return laptop.rows(
        "select id, kind, key, sha256, xmin::text from public.assets "
        "where production_id = %s and kind in ('track_audio', 'image', 'loop_unit') order by id",
        production,
    )


def test_a_killed_database_recovers_with_every_accepted_line(running_stack, laptop):
    production, before = held_in_mid_sentence(laptop)

    Postgres(database_home(running_stack.state)).kill()
    laptop.provider.release()

    laptop.wait_until_completed(production)
    laptop.assert_unharmed(production, before)


def test_killed_storage_and_queues_come_back_and_lost_messages_are_sent_again(running_stack, laptop):
    production, before = held_in_mid_sentence(laptop)

    servers = [item for item in marked(str(running_stack.state)) if "local.cloud_server" in item.cmdline()]
    for server in servers:
        server.kill()
    laptop.provider.release()

    laptop.wait_until_completed(production)
    assert servers
    laptop.assert_unharmed(production, before)
