"""Chance that can be repeated: each use has a generator of its own, so that a change in one leaves the others be."""

from __future__ import annotations

import hashlib

import numpy as np


def chance(seed: str, use: str) -> np.random.Generator:
    """Return the generator for one use of a seed."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed}\0{use}".encode()).digest()[:16], "big"))
