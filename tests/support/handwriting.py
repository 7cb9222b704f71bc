"""The strokes of a pen that would write one of MNIST's digits."""

import numpy as np
from PIL import Image

_INK = 110
_FINE = 3  # times as fine as the digit
_RING = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]  # clockwise


def strokes(digit: np.ndarray) -> list[list[tuple[float, float]]]:
    """The lines in the middle of the ink, as places (x, y) in pixels of the digit.

    Args:
        digit: ``(28, 28)`` uint8.
    """
    side = 28 * _FINE
    fine = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    left = {(int(r), int(c)) for r, c in np.argwhere(thin(np.asarray(fine) > _INK))}
    lines = []
    while left:
        ends = [pixel for pixel in sorted(left) if len(_around(pixel, left)) == 1]
        line = [ends[0] if ends else min(left)]
        left.discard(line[0])
        while near := _around(line[-1], left):
            ahead = np.subtract(line[-1], line[max(0, len(line) - 4)])
            step = max(near, key=lambda p: float(np.dot(np.subtract(p, line[-1]), ahead)))
            line.append(step)
            left.discard(step)
        if len(line) > _FINE or not lines:  # what is shorter is a corner left over
            kept = [*line[:: 2 * _FINE], line[-1]]
            lines.append([((c + 0.5) / _FINE, (r + 0.5) / _FINE) for r, c in kept])
    return lines


def _around(pixel: tuple[int, int], pixels: set[tuple[int, int]]) -> list[tuple[int, int]]:
    found = [(pixel[0] + down, pixel[1] + right) for down, right in _RING]
    return [other for other in found if other in pixels]


def thin(ink: np.ndarray) -> np.ndarray:
    """Lines of one pixel, by Zhang and Suen 1984 (doi:10.1145/357994.358023)."""
    ink = np.pad(ink, 1).astype(np.uint8)
    changed = True
    while changed:
        changed = False
        for one, other in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            ring = [np.roll(ink, (-down, -right), (0, 1)) for down, right in _RING]
            count = sum(ring)
            turns = sum((a == 0) & (b == 1) for a, b in zip(ring, ring[1:] + ring[:1], strict=True))
            gone = (ink == 1) & (count >= 2) & (count <= 6) & (turns == 1)
            for corner in (one, other):
                gone &= np.prod([ring[i] for i in corner], axis=0) == 0
            ink[gone] = 0
            changed |= bool(gone.any())
    return ink[1:-1, 1:-1]
