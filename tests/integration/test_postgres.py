"""The embedded server survives what happens to laptops: kills, leftovers, a port that is taken."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat

import psycopg
import pytest

from local.postgres import WHEEL, Postgres, PostgresError


def answers(server: Postgres) -> bool:
    with server.connect() as connection:
        return connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("version", [16, 18])
def test_the_server_is_of_the_version_asked_for(postgres_home, version):
    server = Postgres(postgres_home, version, fast=True)

    server.start()

    with server.connect() as connection:
        assert connection.info.server_version // 10000 == version


def test_starting_again_adopts_the_running_server(postgres_home):
    first = Postgres(postgres_home, fast=True)
    first.start()

    second = Postgres(postgres_home, fast=True)
    second.start()

    assert second.process == first.process
    assert answers(second)


def test_committed_rows_survive_a_kill(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()
    server.create_database("kept")
    with server.connect("kept") as connection:
        connection.execute("create table kept as select 1 as one")

    server.kill()
    was_running = server.is_running
    server.start()

    with server.connect("kept") as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)
    assert not was_running


def test_a_postmaster_killed_from_outside_is_replaced_on_the_same_port(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()
    port = server.port
    os.kill(server.process.pid, signal.SIGKILL)

    server.start()

    assert answers(server)
    assert server.port == port


def test_the_pid_file_of_another_process_is_no_running_server(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")

    was_running = server.is_running
    server.start()

    assert not was_running
    assert answers(server)


def test_a_port_that_was_taken_meanwhile_is_replaced(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()
    server.stop()

    with socket.create_server(("127.0.0.1", server.port)) as taken:
        server.start()

        assert server.port != taken.getsockname()[1]
        assert answers(server)


def test_stopping_leaves_no_process_and_restarting_keeps_the_data(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()
    process = server.process
    server.create_database("kept")

    server.restart()

    assert server.has_database("kept")
    assert server.process != process
    server.stop()
    assert server.process is None


def test_without_the_password_nobody_connects(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url().replace(server.password, "wrong"))

    assert stat.S_IMODE((server.home / "password").stat().st_mode) == 0o600


def test_an_installation_that_was_interrupted_is_begun_anew(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()
    server.stop()
    (server.home / "installed").unlink()
    shutil.rmtree(server.data / "base")

    server.start()

    assert answers(server)


def test_what_postgres_says_about_a_broken_cluster_is_told(postgres_home):
    server = Postgres(postgres_home, fast=True)
    server.start()
    server.stop()
    shutil.rmtree(server.data / "global")

    with pytest.raises(PostgresError, match="pg_ctl failed"):
        server.start()


def test_a_directory_that_others_cannot_reach_still_gets_a_server(tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir(mode=0o700)
    server = Postgres(secret / "postgres", fast=True)

    try:
        server.start()

        assert answers(server)
        assert Postgres(secret / "postgres").home == server.home
    finally:
        server.remove()


def test_an_installed_wheel_that_others_cannot_reach_still_gives_a_server(postgres_home, monkeypatch):
    monkeypatch.setattr("local.postgres._others_can_traverse", lambda path: WHEEL not in str(path))
    server = Postgres(postgres_home, fast=True)

    server.start()

    assert answers(server)
