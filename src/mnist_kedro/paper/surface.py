"""Paper as it lies under a camera: light, ruling, frames, shadows and what lies beside it.

Levels are ``(height, width)`` float32, 0 black and 1 white. Each function returns new levels.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Levels = NDArray[np.float32]
Box = tuple[int, int, int, int]  # left, top, right, bottom of what is written
Random = np.random.Generator


def illuminate(shape: tuple[int, int], random: Random) -> Levels:
    """Make blank paper in light from one side, with dark corners and texture."""
    down, right = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    slopes = random.normal(0, 0.1, 2)
    levels = random.uniform(0.45, 0.97) * (1 + slopes[0] * down + slopes[1] * right)
    if random.random() < 0.5:
        squared = (down - random.normal(0, 0.2)) ** 2 + (right - random.normal(0, 0.2)) ** 2
        dark = np.clip(squared / 2, 0, 1.2) ** random.uniform(1, 2.5)
        levels *= 1 - random.uniform(0, 0.8) * dark
    if random.random() < 0.3:  # waves
        levels *= 1 + random.uniform(0.03, 0.12) * _noise(shape, random.uniform(15, 60), random)
    for _ in range(random.integers(0, 3)):  # fibers
        levels *= 1 + random.uniform(0.002, 0.02) * _noise(shape, random.uniform(0.7, 5), random)
    return levels.astype(np.float32)


def rule(levels: Levels, _box: Box, random: Random) -> Levels:
    """Print lines in one direction."""
    return _rule(levels, random, squared=False)


def square(levels: Levels, _box: Box, random: Random) -> Levels:
    """Print squares, or dots at their corners."""
    return _rule(levels, random, squared=True)


def frame(levels: Levels, box: Box, random: Random) -> Levels:
    """Print a box of a form around the writing, which may touch it, with or without neighbors."""
    left, top, right, bottom = box
    gaps = random.uniform(-0.03, 0.35, 4) * max(right - left, bottom - top)
    sides = left - gaps[0], top - gaps[1], right + gaps[2], bottom + gaps[3]
    down, across = _coordinates(levels.shape, random.normal(0, 0.02))
    width, depth = random.uniform(0.5, 2.5), random.uniform(0.2, 0.95)
    outside = np.maximum.reduce(
        [sides[0] - across, across - sides[2], sides[1] - down, down - sides[3]]
    )
    lines = _line(outside, width)
    if random.random() < 0.5:
        between = (down > sides[1] - width) & (down < sides[3] + width)
        borders = _repeat(across - sides[0], max(8, sides[2] - sides[0]))
        lines = np.maximum(lines, np.where(between, _line(borders, width), 0))
        for y in (sides[1], sides[3]):
            lines = np.maximum(lines, _line(down - y, width))
    tint = random.uniform(0.8, 1.1) if random.random() < 0.15 else 1
    return levels * (1 - depth * lines) * np.where(outside < 0, np.float32(tint), 1)


def underline(levels: Levels, box: Box, random: Random) -> Levels:
    """Draw a straight line below the writing."""
    left, top, right, bottom = box
    down, across = _coordinates(levels.shape, random.normal(0, 0.03))
    y = bottom + random.uniform(0.05, 0.3) * (bottom - top)
    reach = random.uniform(0, 1, 2) * (right - left)
    line = _line(down - y, random.uniform(0.5, 2))
    line *= (across > left - reach[0]) & (across < right + reach[1])
    return levels * (1 - random.uniform(0.2, 0.9) * line)


def speckle(levels: Levels, _box: Box, random: Random) -> Levels:
    """Add up to eleven specks of dirt."""
    levels = levels.copy()
    for _ in range(random.integers(1, 12)):
        y, x = (random.integers(0, side) for side in levels.shape)
        side = random.integers(1, 4)
        levels[y : y + side, x : x + side] *= random.uniform(0.2, 0.9)
    return levels


def shade(levels: Levels, _box: Box, random: Random) -> Levels:
    """Throw the shadow of a hand or telephone over a part of the paper."""
    down, across = _coordinates(levels.shape, random.uniform(0, 2 * np.pi))
    middle = float(np.quantile(down, random.uniform(0.15, 0.85)))
    edge = middle + random.uniform(0, 10) * np.sin(across / random.uniform(15, 80))
    dark: Levels = np.clip((down - edge) / random.uniform(0.7, 10) + 0.5, 0, 1)
    return levels * (1 - random.uniform(0.15, 0.7) * dark)


def cover(levels: Levels, _box: Box, random: Random) -> Levels:
    """Show what is beside the page, or a finger on its border."""
    return _beside(levels, random) if random.random() < 0.75 else _finger(levels, random)


MARKS: dict[Callable[[Levels, Box, Random], Levels], float] = {  # shares of pages that have them
    frame: 0.3,
    underline: 0.06,
    speckle: 0.08,
}


def _rule(levels: Levels, random: Random, *, squared: bool) -> Levels:
    axes = [*_coordinates(levels.shape, random.normal(0, 0.05))]
    distance = random.uniform(0.05, 0.35) * min(levels.shape)
    width, depth = random.uniform(0.3, 1.4), random.uniform(0.04, 0.5)
    if not squared:
        axes = axes[:1] if random.random() < 0.85 else axes[1:]
    lines = [_line(_repeat(axis + random.uniform(0, distance), distance), width) for axis in axes]
    if squared and random.random() < 0.25:
        return levels * (1 - depth * ndimage.maximum_filter(lines[0] * lines[1], 2))
    for line in lines:
        levels = levels * (1 - depth * line)
    if random.random() < 0.3:  # a margin
        axis = _coordinates(levels.shape, 0)[random.integers(2)]
        off = axis - random.uniform(0.05, 0.95) * max(levels.shape)
        levels = levels * (1 - random.uniform(0.1, 0.5) * _line(off, random.uniform(0.5, 2)))
    return levels


def _beside(levels: Levels, random: Random) -> Levels:
    parallel = random.choice([0, 0.5, 1, 1.5]) * np.pi + random.normal(0, 0.08)
    angle = parallel if random.random() < 0.9 else random.uniform(0, 2 * np.pi)
    down, _ = _coordinates(levels.shape, angle)
    edge = np.quantile(down, random.uniform(0.86, 0.995))
    beyond = np.clip((down - edge) / random.uniform(0.5, 4) + 0.5, 0, 1)
    level = random.uniform(0, 0.5) if random.random() < 0.7 else random.uniform(0.5, 1.2)
    found = levels * (1 - beyond) + beyond * level * (1 + 0.1 * _noise(levels.shape, 8, random))
    if random.random() < 0.4:  # the edge's own line
        off = down - edge + random.uniform(2, 6)
        found = found * (1 - random.uniform(0.1, 0.6) * np.clip(2 - np.abs(off), 0, 1))
    return found.astype(np.float32)


def _finger(levels: Levels, random: Random) -> Levels:
    height, width = levels.shape
    down, across = np.indices(levels.shape, np.float32)
    y = random.choice([0, height]) if random.random() < 0.5 else random.uniform(0, height)
    x = random.choice([0, width])
    radius = random.uniform(0.05, 0.2) * min(levels.shape)
    distance = np.hypot((down - y) * random.uniform(0.5, 1.5), across - x)
    finger = np.clip((radius - distance) / random.uniform(1, 5) + 0.5, 0, 1)
    return (levels * (1 - finger) + finger * random.uniform(0, 0.7)).astype(np.float32)


def _coordinates(shape: tuple[int, ...], angle: float) -> tuple[Levels, Levels]:
    """Return how far down and right each pixel lies on a sheet that is turned by an angle."""
    down, across = np.indices(shape, np.float32)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * down + sin * across, cos * across - sin * down


def _line(off: Levels, width: float) -> Levels:
    """Return the ink, 0 to 1, of a line of half a width, given the distances to its middle."""
    return np.clip(width - np.abs(off) + 0.5, 0, 1)


def _repeat(along: Levels, distance: float) -> Levels:
    """Return the distances to lines that repeat at a distance; the first is at 0."""
    return (along + distance / 2) % distance - distance / 2


def _noise(shape: tuple[int, ...], size: float, random: Random) -> Levels:
    """Return smooth noise with details of a size in pixels, and a standard deviation of 1."""
    step = max(1, int(size / 2))
    coarse = random.normal(size=(shape[0] // step + 3, shape[1] // step + 3))
    smooth = ndimage.zoom(ndimage.gaussian_filter(coarse, size / step), step, order=1)
    noise = smooth[: shape[0], : shape[1]]
    return (noise / max(noise.std(), 1e-6)).astype(np.float32)
