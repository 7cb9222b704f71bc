"""Cut apart digits that touch each other, so that the parts look like digits."""

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.pictures.detector import score_digits
from mnist_kedro.pictures.digit import place_digit
from mnist_kedro.pictures.strokes import Ink

# Of the digits' height:
_MIN_WIDTH, _MAX_WIDTH = 0.95, 1.6  # of one digit that may be two; what is wider is several
_MIN_PART, _MAX_PART = 0.12, 1.6  # width
_MIN_HEIGHT = 0.5  # what is lower is a line
_MAX_DIGITS = 10  # width; what is wider is no row of digits
_STEP, _BAND = 0.15, 0.15  # between the middles of two cuts, and on each side of one
_MIN_PIXELS = 10  # of a digit's height
_LOOKS_LIKE_A_DIGIT = 0.3  # a score
_MIN_SCORE = 1e-6
_CUT = 1.5  # cost of a cut, as the logarithm of a score
# To enter a stroke costs 1.
_SIDEWAYS = np.array([0.02, 0, 0.02], np.float32)[:, np.newaxis]  # cost of a step to each side
_ALONG = 0.05  # cost of each pixel within a stroke

Cut = NDArray[np.intp]  # (height,), its column in each row


def separate(ink: Ink, height: int) -> list[Ink]:
    """Cut ink that does not look like one digit into parts that do.

    Args:
        ink: ``(height, width)`` of one or more digits side by side.
        height: of the digits.

    Returns:
        The digits from the left, each with the size of ``ink``.
    """
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    width = np.ptp(columns) + 1 if len(columns) else 0
    is_low = len(rows) < _MIN_HEIGHT * height
    if is_low or height < _MIN_PIXELS or not _MIN_WIDTH * height < width <= _MAX_DIGITS * height:
        return [ink]
    may_be_one = width <= _MAX_WIDTH * height
    if may_be_one and _score([ink])[0] >= _LOOKS_LIKE_A_DIGIT:
        return [ink]
    cuts = _find_cuts(ink, height, columns[0], columns[-1] + 1)
    parts = {
        (i, j): part
        for i in range(len(cuts))
        for j in range(i + 1, len(cuts))
        if (part := _cut_out(ink, cuts[i], cuts[j], height)) is not None
    }
    chosen = _choose(parts, len(cuts))
    return [parts[pair] for pair in chosen] or [ink]


def _choose(parts: dict[tuple[int, int], Ink], count: int) -> list[tuple[int, int]]:
    """Choose the parts, from the first cut to the last, that look most like digits."""
    if not parts:
        return []
    gains = np.log(np.maximum(_score([*parts.values()]), _MIN_SCORE)) - _CUT
    best: list[tuple[float, list[tuple[int, int]]]] = [(0.0, []), *[(-np.inf, [])] * (count - 1)]
    for (i, j), gain in sorted(zip(parts, gains, strict=True)):
        if best[i][0] + gain > best[j][0]:
            best[j] = best[i][0] + gain, [*best[i][1], (i, j)]
    return best[-1][1]


def _score(parts: list[Ink]) -> NDArray[np.float32]:
    return score_digits(np.stack([place_digit(part) for part in parts])[..., np.newaxis])


def _find_cuts(ink: Ink, height: int, first: int, last: int) -> list[Cut]:
    """Find ways from the top to the bottom that cross few strokes, from the left border on."""
    band = max(1, round(_BAND * height))
    margin = _MIN_PART * height
    cuts = [np.full(len(ink), first)]
    for middle in np.arange(first + margin, last - margin + 1, _STEP * height):
        left = max(first, round(middle) - band)
        cuts.append(left + _find_cut(ink[:, left : min(last, round(middle) + band + 1)]))
    return [*cuts, np.full(len(ink), last)]


def _cut_out(ink: Ink, left: Cut, right: Cut, height: int) -> Ink | None:
    """Return the ink between two cuts; None if they cross, or if it cannot be a digit."""
    if not _MIN_PART * height <= np.mean(right - left) <= 1.5 * _MAX_PART * height:
        return None
    if (left > right).any():
        return None
    column = np.arange(ink.shape[1])
    inside = (column >= left[:, np.newaxis]) & (column < right[:, np.newaxis])
    part = np.where(inside, ink, np.float32(0))
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    if not len(rows) or np.ptp(rows) + 1 < _MIN_HEIGHT * height:
        return None
    return part if _MIN_PART * height <= np.ptp(columns) + 1 <= _MAX_PART * height else None


def _find_cut(ink: Ink) -> Cut:
    """Find the way from the top to the bottom that crosses the fewest strokes."""
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
