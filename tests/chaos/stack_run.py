"""The whole laptop edition under load and in trouble: python -m tests.chaos.stack_run [--seconds 300] [--seed 1].

Episodes are asked for while processes of functions are killed (-9) or paused beyond their lease at random, the host
itself is killed, and storage fails, stalls and mislays files. Then the trouble ends, everything has to complete, and
what is lost or doubled is counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.rigs.stack_chaos import StackChaos

OPEN_AT_MOST = 6
HOST_EVERY_SECONDS = 45


def make_trouble(chaos: StackChaos, seconds: float) -> None:
    """Keep several productions open, and kill something every second or so."""
    began = time.monotonic()
    hosts_killed = 0
    while (passed := time.monotonic() - began) < seconds:
        chaos.ask(OPEN_AT_MOST)
        chaos.retry_failed()
        time.sleep(chaos.random.uniform(0.3, 2.0))
        chaos.remember()
        chaos.wake_paused()
        if passed > HOST_EVERY_SECONDS * (hosts_killed + 1):
            chaos.kill_the_host()
            hosts_killed += 1
        else:
            chaos.random.choice((chaos.kill_a_function, chaos.pause_a_function))()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=float, default=0.1, help="share of puts and gets that meet a fault")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        state = Path(directory) / "laptop"
        state.mkdir(mode=0o711)
        with StackChaos(state, arguments.seed, arguments.faults) as chaos:
            make_trouble(chaos, arguments.seconds)
            chaos.storage.heal()
            chaos.wait_until_all_complete()
            violations = chaos.violations()
            attempts = chaos.laptop.rows("select count(*), sum(attempt) from public.jobs")[0]
    print(f"{len(chaos.productions)} episodes completed: {attempts[0]} jobs in {attempts[1]} attempts")
    for what, times in sorted((chaos.did + chaos.storage.met).items()):
        print(f"  {what:<28}{times:>5}")
    for sentence, rows in violations.items():
        print(f"BROKEN: {sentence}: {rows[:3]}")
    print(f"{len(violations)} promises broken")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
