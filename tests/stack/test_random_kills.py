"""A short version of `make chaos-stack`: functions and the host are killed at random, and storage misbehaves."""

from __future__ import annotations

import time

from tests.rigs.faulty_storage import GET_FAULTS, PUT_FAULTS
from tests.rigs.stack_chaos import StackChaos

KILLS = 8


def test_random_kills_and_storage_faults_lose_and_double_nothing(tmp_path_factory):
    state = tmp_path_factory.mktemp("trouble")
    with StackChaos(state, seed=1, probability=0) as chaos:
        chaos.storage.next_faults.extend([*PUT_FAULTS, *GET_FAULTS])
        for kill in range(KILLS):
            chaos.ask(most_open=2)
            chaos.retry_failed()
            chaos.wait_for_work()
            time.sleep(chaos.random.uniform(0, 0.5))  # at no particular moment
            chaos.remember()
            if kill == KILLS // 2:
                chaos.kill_the_host()
            elif kill % 4 == 1:
                chaos.pause_a_function()
            else:
                chaos.kill_a_function()
        chaos.wait_until_all_complete()

        assert chaos.violations() == {}
        assert chaos.did["killed the host"] == 1
        assert any(what.endswith("at work") for what in chaos.did)
        assert chaos.storage.met == dict.fromkeys([*PUT_FAULTS, *GET_FAULTS], 1)
