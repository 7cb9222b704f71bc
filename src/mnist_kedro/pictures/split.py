"""Split a picture into its digits."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mnist_kedro.contracts import Pixels
from mnist_kedro.pictures.decode import GrayPicture, PictureError
from mnist_kedro.pictures.digit import match_mnist, place_digit
from mnist_kedro.pictures.ink import EIGHT_NEIGHBORS, Ink, find_ink

_MIN_OVERLAP = 0.5  # of the narrower stroke's width, for two strokes to belong to one digit
_MAX_BAR_HEIGHT = 0.45  # of the stroke beside it; a lower stroke is no digit by itself
_MIN_DIGIT_HEIGHT = 0.25  # of the tallest digit
_MAX_STROKES = 200  # This limits the time for a picture.


class FoundDigit(NamedTuple):
    """One digit of a picture, and its place."""

    pixels: Pixels  # (28, 28) in MNIST's form
    box: tuple[int, int, int, int]  # left, top, right, bottom in pixels of the picture


def find_digits(picture: GrayPicture) -> list[FoundDigit]:
    """Find the digits of a picture, in reading order: line by line, from the left.

    Strokes above each other are merged into one digit; touching digits are not separated.

    Args:
        picture: ``(height, width)`` uint8, dark on light or light on dark.

    Returns:
        Zero or more digits.

    Raises:
        PictureError: if there are over 200 strokes.
    """
    pixels = match_mnist(picture)
    if pixels is not None:
        return [FoundDigit(pixels, _bounding_box(pixels))]
    ink = find_ink(picture)
    if not ink.any():
        return []
    labels, count = ndimage.label(ink > 0, EIGHT_NEIGHBORS)
    if count > _MAX_STROKES:
        raise PictureError(f"too many strokes: expected at most {_MAX_STROKES}, found {count}")
    boxes = enumerate(_bounding_boxes(labels), start=1)
    groups = _merge_strokes([_Stroke([label], *box) for label, box in boxes])
    min_height = _MIN_DIGIT_HEIGHT * max(group.height for group in groups)
    digits = [group for group in groups if group.height >= min_height]
    if len(digits) == 1:
        return [FoundDigit(place_digit(ink), digits[0].box)]
    return [
        FoundDigit(place_digit(_crop(digit, labels, ink)), digit.box)
        for line in _group_lines(digits)
        for digit in line
    ]


def _crop(digit: "_Stroke", labels: NDArray[np.integer], ink: Ink) -> Ink:
    """Crop the ink to one digit, without the strokes of others."""
    box = np.s_[digit.top : digit.bottom, digit.left : digit.right]
    return np.where(np.isin(labels[box], digit.labels), ink[box], np.float32(0))


def _bounding_box(ink: NDArray[np.generic]) -> tuple[int, int, int, int]:
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

    @property
    def height(self) -> int:
        return self.bottom - self.top


def _bounding_boxes(labels: NDArray[np.integer]) -> list[tuple[int, int, int, int]]:
    return [
        (columns.start, rows.start, columns.stop, rows.stop)
        for rows, columns in ndimage.find_objects(labels)
    ]


def _merge_strokes(strokes: list[_Stroke]) -> list[_Stroke]:
    """Merge strokes that belong to one digit, starting from the tallest."""
    merged: list[_Stroke] = []
    for stroke in sorted(strokes, key=lambda s: -s.height):
        for i, other in enumerate(merged):
            if _same_digit(stroke, other):
                merged[i] = _Stroke(
                    [*other.labels, *stroke.labels],
                    min(stroke.left, other.left),
                    min(stroke.top, other.top),
                    max(stroke.right, other.right),
                    max(stroke.bottom, other.bottom),
                )
                break
        else:
            merged.append(stroke)
    return merged


def _same_digit(stroke: _Stroke, other: _Stroke) -> bool:
    overlap = min(stroke.right, other.right) - max(stroke.left, other.left)
    narrower = min(stroke.right - stroke.left, other.right - other.left)
    gap = max(stroke.top, other.top) - min(stroke.bottom, other.bottom)
    if overlap >= _MIN_OVERLAP * narrower:
        return gap <= 0.3 * other.height
    # The bar of a five may lie beside the rest of the digit.
    low = stroke.height < _MAX_BAR_HEIGHT * other.height
    return low and -overlap <= 0.15 * other.height and gap < 0


def _group_lines(digits: list[_Stroke]) -> list[list[_Stroke]]:
    """Group digits into lines; a digit whose middle is below the last line starts a new one."""
    lines: list[list[_Stroke]] = []
    for digit in sorted(digits, key=lambda d: d.top + d.bottom):
        middle = (digit.top + digit.bottom) / 2
        if lines and middle < np.mean([other.bottom for other in lines[-1]]):
            lines[-1].append(digit)
        else:
            lines.append([digit])
    return [sorted(line, key=lambda d: d.left) for line in lines]
