"""Kills process groups when the process that owns them is gone.

Reads `+pid` and `-pid` lines from its standard input. The end of the input means that the owner has died, however
it died, since the kernel closes its pipes: every group that is still listed is killed. Standard library only, so
that it starts in a moment.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line.startswith("+"):
            groups.add(pid)
        else:
            groups.discard(pid)
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
