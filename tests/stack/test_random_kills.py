"""A short version of `make chaos-stack`: functions and the host are killed at random, and storage misbehaves."""

from __future__ import annotations

import time

from tests.rigs.stack_chaos import StackChaos

KILLS = 12


def test_random_kills_and_storage_faults_lose_and_double_nothing(tmp_path_factory):
    state = tmp_path_factory.mktemp("trouble")
    with StackChaos(state, seed=1, probability=0.1) as chaos:
        for kill in range(KILLS):
            if kill % 3 == 0:
                chaos.ask()
            time.sleep(chaos.random.uniform(0.2, 0.8))  # at no particular moment
            chaos.remember()
            if kill == KILLS // 2:
                chaos.kill_the_host()
            elif kill % 4 == 1:
                chaos.pause_a_function()
            else:
                chaos.kill_a_function()
        chaos.storage.heal()
        chaos.wait_until_all_complete()

        assert chaos.violations() == {}
        assert chaos.did["killed the host"] == 1
        assert any(what.endswith("at work") for what in chaos.did)
        assert chaos.storage.met.total() > 0
