"""Chance with shape: lines like ridges and planes like clouds, made of random points with smooth ways between them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from showrunner.media.album.format import WIDTH
from showrunner.providers.image.painter.canvas import SMALL_HEIGHT, SMALL_WIDTH, Plane


def line(rng: np.random.Generator, waves: float, octaves: int, roughness: float = 0.5) -> Plane:
    """One value for each column, -1 to 1: `waves` swings across the picture, each octave twice as many."""
    total = np.zeros(WIDTH, np.float32)
    strength, reach = 1.0, 0.0
    for octave in range(octaves):
        total += np.float32(strength) * _steps(rng, waves * 2**octave)
        reach += strength
        strength *= roughness
    return total / np.float32(reach)


def peaks(rng: np.random.Generator, waves: float, octaves: int, roughness: float = 0.5) -> Plane:
    """As `line`, 0 to 1, with sharp tops as weathered rock has."""
    total = np.zeros(WIDTH, np.float32)
    strength, reach = 1.0, 0.0
    for octave in range(octaves):
        total += np.float32(strength) * (1 - np.abs(_steps(rng, waves * 2**octave)))
        reach += strength
        strength *= roughness
    return total / np.float32(reach)


def cloud(rng: np.random.Generator, columns: float, rows: float, octaves: int, roughness: float = 0.5) -> Plane:
    """A small plane from 0 to 1 with about so many lumps across and down, each octave with twice as many."""
    total = np.zeros((SMALL_HEIGHT, SMALL_WIDTH), np.float32)
    strength = 1.0
    for octave in range(octaves):
        wide, high = round(columns * 2**octave) + 2, round(rows * 2**octave) + 2
        points = Image.fromarray(rng.random((min(high, SMALL_HEIGHT), min(wide, SMALL_WIDTH)), np.float32))
        smooth = points.resize((SMALL_WIDTH, SMALL_HEIGHT), Image.Resampling.BICUBIC)
        total += np.float32(strength) * np.asarray(smooth, dtype=np.float32)
        strength *= roughness
    low, high_value = float(total.min()), float(total.max())
    return (total - np.float32(low)) / np.float32(max(high_value - low, 1e-6))


def _steps(rng: np.random.Generator, waves: float) -> Plane:
    """Random values, `waves` of them across the picture, joined by half cosines."""
    points = rng.uniform(-1, 1, int(np.ceil(waves)) + 3).astype(np.float32)
    place = np.linspace(0, waves, WIDTH, dtype=np.float32) + np.float32(rng.uniform(0, 1))
    left = place.astype(np.int32)
    share: Plane = (1 - np.cos((place - left.astype(np.float32)) * np.float32(np.pi))) * np.float32(0.5)
    values: Plane = points[left] * (1 - share) + points[left + 1] * share
    return values
