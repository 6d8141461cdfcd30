"""Ports of this machine's own servers."""

from __future__ import annotations

import random
import socket

# Below those that a system hands out for outgoing connections (from 32768 on Linux, 49152 by IANA): what is free now
# is still free a moment later, when the server binds it.
_PORTS = range(20_000, 32_000)
_TRIES = 200
_BACKLOG = 128


def free_port(preferred: int = 0) -> int:
    """`preferred` when nothing listens there, else any free port of the loopback address."""
    for port in (preferred, *random.sample(_PORTS, _TRIES)):
        if port and is_free(port):
            return port
    raise RuntimeError("no free port on the loopback address")


def listen(preferred: int = 0) -> socket.socket:
    """A socket that listens on `preferred`, or on any free port: from now on nobody else can."""
    for port in (preferred, *random.sample(_PORTS, _TRIES)):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if port:
                listener.bind(("127.0.0.1", port))
                listener.listen(_BACKLOG)
                return listener
        except OSError:
            pass
        listener.close()
    raise RuntimeError("no free port on the loopback address")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
