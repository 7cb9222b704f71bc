"""Cut apart digits that touch each other."""

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.pictures.strokes import Ink

_MAX_WIDTH = 1.25  # of its height; hardly any digit is wider
_MAX_DIGITS = 10  # heights; what is wider is no row of digits
_MIN_HEIGHT = 0.5  # of the digits' height; what is lower is a line
_MIN_PIXELS = 10  # of a digit's height
_MIN_PART = 0.35  # of the height; narrower parts are not cut off
# To enter a stroke costs 1.
_SIDEWAYS = np.array([0.02, 0, 0.02], np.float32)[:, np.newaxis]  # cost of a step to each side
_ALONG = 0.05  # cost of each pixel within a stroke


def separate(ink: Ink, height: int) -> list[Ink]:
    """Cut ink that is too wide for one digit along the ways that cross the fewest strokes.

    Args:
        ink: ``(height, width)`` of one or more digits side by side.
        height: of the digits.

    Returns:
        The digits from the left, each with the size of ``ink``.
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    width = np.ptp(columns) + 1 if len(columns) else 0
    is_low = len(rows) < _MIN_HEIGHT * height
    if is_low or height < _MIN_PIXELS or not _MAX_WIDTH * height < width <= _MAX_DIGITS * height:
        return [ink]
    margin = round(_MIN_PART * height)
    first = columns[0] + margin
    cut = first + _find_cut(ink[:, first : columns[-1] + 1 - margin])
    is_left = np.arange(ink.shape[1]) < cut[:, np.newaxis]
    left, right = np.where(is_left, ink, np.float32(0)), np.where(is_left, np.float32(0), ink)
    return separate(left, height) + separate(right, height)


def _find_cut(ink: Ink) -> NDArray[np.intp]:
    """Find the way from the top to the bottom that crosses the fewest strokes.

    Returns:
        Its column in each row.
    """
    height, width = ink.shape
    total, moves = ink[0], np.zeros((height, width), np.intp)
    for row in range(1, height):
        before, above = (
            np.stack([padded[:-2], padded[1:-1], padded[2:]])
            for padded in (
                np.pad(total, 1, constant_values=np.inf),
                np.pad(ink[row - 1], 1),
            )
        )
        costs = before + np.maximum(ink[row] - above, 0) + _SIDEWAYS
        moves[row] = costs.argmin(axis=0) - 1
        total = costs.min(axis=0) + _ALONG * ink[row]
    columns = np.empty(height, np.intp)
    columns[-1] = total.argmin()
    for row in range(height - 1, 0, -1):
        columns[row - 1] = columns[row] + moves[row, columns[row]]
    return columns
