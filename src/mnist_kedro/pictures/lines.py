"""Find the lines of writing that boxes of strokes or digits stand in."""

import numpy as np
from numpy.typing import NDArray

_MAX_ANGLE = 20  # degrees
_ANGLES = np.linspace(-_MAX_ANGLE, _MAX_ANGLE, 81)
_CORE = 0.3  # of a box's height on each side of its middle; the rest may reach into other lines


def find_angle(boxes: NDArray[np.intp]) -> float:
    """Find the angle of lines of writing.

    Along their own angle, lines cover the least height of the page.

    Args:
        boxes: ``(n, 4)`` left, top, right, bottom of digits.

    Returns:
        Degrees in −20 to 20, positive if the lines fall; 0 for fewer than three boxes.
    """
    if len(boxes) < 3:
        return 0.0
    heights = np.array([_covered(*_extents(boxes, angle)) for angle in _ANGLES])
    best = np.flatnonzero(heights <= 1.02 * min(heights))
    return float(_ANGLES[best[np.abs(_ANGLES[best]).argmin()]])


def group_lines(boxes: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Group boxes into horizontal lines, and sort them in reading order.

    Args:
        boxes: ``(n, 4)`` left, top, right, bottom.

    Returns:
        For each line, from above, the indices of its boxes from the left.
    """
    tops, bottoms = _extents(boxes, 0)
    order = np.argsort(tops, kind="stable")
    reached = np.maximum.accumulate(bottoms[order])
    starts = np.flatnonzero(tops[order][1:] > reached[:-1]) + 1
    return [line[np.argsort(boxes[line, 0], kind="stable")] for line in np.split(order, starts)]


def _extents(
    boxes: NDArray[np.intp], angle: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the upper and lower ends of the boxes' cores, along lines of an angle."""
    left, top, right, bottom = boxes.T
    middle = (top + bottom) / 2 - np.tan(np.deg2rad(angle)) * (left + right) / 2
    core = _CORE * (bottom - top)
    return middle - core, middle + core


def _covered(tops: NDArray[np.float64], bottoms: NDArray[np.float64]) -> float:
    """Return the length of the union of intervals."""
    order = np.argsort(tops)
    reached = np.maximum.accumulate(bottoms[order])
    new = np.maximum(tops[order], np.concatenate([[-np.inf], reached[:-1]]))
    return float(np.maximum(bottoms[order] - new, 0).sum())
