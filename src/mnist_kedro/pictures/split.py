"""Several digits in one picture."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mnist_kedro.contracts import Pixels
from mnist_kedro.pictures.decode import Grey, PictureError
from mnist_kedro.pictures.digit import as_it_is, place_digit
from mnist_kedro.pictures.ink import Ink, find_ink

_SHARED = 0.5  # of the narrower stroke's width above another: both are of one digit
_SHORT = 0.45  # of its neighbour's height: no digit by itself
_SMALLEST = 0.25  # of the tallest digit's height
_MOST = 200  # strokes, for the time that it takes
_EIGHT = np.ones((3, 3), bool)


class FoundDigit(NamedTuple):
    """One digit of a picture."""

    pixels: Pixels  # (28, 28), as MNIST has it
    box: tuple[int, int, int, int]  # left, top, right, bottom in pixels of the picture


def find_digits(grey: Grey) -> list[FoundDigit]:
    """The digits of a picture in the order of reading: line by line, from the left.

    Strokes above each other are one digit; digits that touch are not told apart.

    Args:
        grey: ``(height, width)`` uint8, dark on light or light on dark.

    Returns:
        None or more digits.

    Raises:
        PictureError: when there are over 200 strokes.
    """
    pixels = as_it_is(grey)
    if pixels is not None:
        return [FoundDigit(pixels, _box(pixels))]
    ink = find_ink(grey)
    if not ink.any():
        return []
    labels, count = ndimage.label(ink > 0, _EIGHT)
    if count > _MOST:
        raise PictureError(f"over {_MOST} strokes: no picture of a few digits")
    groups = _join([_Stroke([n], *box) for n, box in enumerate(_boxes(labels), start=1)])
    tallest = max(stroke.bottom - stroke.top for stroke in groups)
    digits = [s for s in groups if s.bottom - s.top >= _SMALLEST * tallest]
    if len(digits) == 1:
        return [FoundDigit(place_digit(ink), digits[0].box)]
    return [
        FoundDigit(place_digit(_only(digit, labels, ink)), digit.box)
        for line in _lines(digits)
        for digit in line
    ]


def _only(digit: "_Stroke", labels: NDArray[np.integer], ink: Ink) -> Ink:
    here = np.s_[digit.top : digit.bottom, digit.left : digit.right]
    return np.where(np.isin(labels[here], digit.labels), ink[here], np.float32(0))


def _box(ink: NDArray[np.generic]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(ink)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


class _Stroke(NamedTuple):
    labels: list[int]
    left: int
    top: int
    right: int
    bottom: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom


def _boxes(labels: NDArray[np.integer]) -> list[tuple[int, int, int, int]]:
    return [
        (columns.start, rows.start, columns.stop, rows.stop)
        for rows, columns in ndimage.find_objects(labels)
    ]


def _join(strokes: list[_Stroke]) -> list[_Stroke]:
    """Strokes that lie above each other, and near, become one."""
    joined: list[_Stroke] = []
    for stroke in sorted(strokes, key=lambda s: s.top - s.bottom):  # the tallest first
        for i, other in enumerate(joined):
            if _of_one_digit(stroke, other):
                joined[i] = _Stroke(
                    [*other.labels, *stroke.labels],
                    min(stroke.left, other.left),
                    min(stroke.top, other.top),
                    max(stroke.right, other.right),
                    max(stroke.bottom, other.bottom),
                )
                break
        else:
            joined.append(stroke)
    return joined


def _of_one_digit(stroke: _Stroke, other: _Stroke) -> bool:
    height = other.bottom - other.top
    shared = min(stroke.right, other.right) - max(stroke.left, other.left)
    narrower = min(stroke.right - stroke.left, other.right - other.left)
    gap = max(stroke.top, other.top) - min(stroke.bottom, other.bottom)
    if shared >= _SHARED * narrower:
        return gap <= 0.3 * height
    # The bar of a five, beside what it belongs to.
    return stroke.bottom - stroke.top < _SHORT * height and -shared <= 0.15 * height and gap < 0


def _lines(digits: list[_Stroke]) -> list[list[_Stroke]]:
    """Digits whose middles are at each other's height are one line."""
    lines: list[list[_Stroke]] = []
    for digit in sorted(digits, key=lambda d: d.top + d.bottom):
        middle = (digit.top + digit.bottom) / 2
        if lines and middle < np.mean([other.bottom for other in lines[-1]]):
            lines[-1].append(digit)
        else:
            lines.append([digit])
    return [sorted(line, key=lambda d: d.left) for line in lines]
