"""Find all digits of a picture, line by line."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mnist_kedro.contracts import Pixels
from mnist_kedro.pictures.decode import GrayPicture, PictureError
from mnist_kedro.pictures.digit import match_mnist, place_digit, prepare_ink
from mnist_kedro.pictures.groups import Box, Group, group_strokes, ink_of
from mnist_kedro.pictures.ink import WORKING_SIDE, find_ink
from mnist_kedro.pictures.lines import find_angle, group_lines
from mnist_kedro.pictures.strokes import Ink, Strokes, find_strokes, is_writing
from mnist_kedro.pictures.touching import separate

_FEW_DIGITS_HEIGHT = 32  # pixels, at the side at which single digits are found
_GOOD_DIGIT_HEIGHT, _MIN_DIGIT_HEIGHT = 48, 12  # pixels; ten digits may be side by side
_MIN_ANGLE = 1.0  # degrees; lines at less are taken as they are
_MIN_MASS = 0.02  # of the largest stroke; smaller ones are specks
_MAX_STROKES = 200  # This limits the time for a picture.


class FoundDigit(NamedTuple):
    """One digit of a picture, and its place."""

    pixels: Pixels  # (28, 28) in MNIST's form
    box: Box  # in pixels of the picture
    in_mnist_form: bool = False  # whether the picture had this form already


def find_digits(picture: GrayPicture) -> list[FoundDigit]:
    """Find the digits of a picture, in reading order: line by line, from the left.

    Lines may climb or fall. Strokes above or close to each other are merged into one digit.

    Args:
        picture: ``(height, width)`` uint8, dark on light or light on dark.

    Returns:
        Zero or more digits.

    Raises:
        PictureError: if there are over 200 strokes.
    """
    pixels = match_mnist(picture)
    if pixels is not None:
        return [FoundDigit(pixels, _box_of(pixels), in_mnist_form=True)]
    page = first = _look(picture, WORKING_SIDE)
    height = np.median([digit.height for digit in page.digits] or [_MIN_DIGIT_HEIGHT])
    if height < _FEW_DIGITS_HEIGHT and page.scale < 1:  # Small digits are found in more detail.
        larger = WORKING_SIDE * _GOOD_DIGIT_HEIGHT / max(height, _MIN_DIGIT_HEIGHT)
        detailed = _look(picture, round(larger))
        page = detailed if detailed.digits else first
    if not page.digits:
        return []
    angle = find_angle(_boxes(page))
    turned = page
    if abs(angle) >= _MIN_ANGLE:
        turned = _arrange(np.clip(ndimage.rotate(page.ink, angle, order=1), 0, 1), page.scale)
    if not turned.digits:  # Their strokes were too faint to be turned.
        turned, angle = page, 0.0
    found = [turned.digits[i] for line in group_lines(_boxes(turned)) for i in line]
    tall = int(np.median([digit.height for digit in found]))
    parts = [
        part
        for digit in found
        for part in separate(ink_of(digit, turned.strokes, turned.ink), tall)
    ]
    if len(parts) == 1 and (prepared := prepare_ink(first.ink)):
        return [FoundDigit(prepared.pixels, _box_before(found[0].box, turned, page, angle))]
    return [
        FoundDigit(place_digit(part), _box_before(_box_of(part), turned, page, angle))
        for part in parts
    ]


class _Page(NamedTuple):
    ink: Ink
    scale: float  # of the picture
    strokes: Strokes
    digits: list[Group]


def _look(picture: GrayPicture, side: int) -> _Page:
    return _arrange(*find_ink(picture, side))


def _arrange(ink: Ink, scale: float) -> _Page:
    """Group the strokes of writing into digits.

    Raises:
        PictureError: if there are over 200 strokes.
    """
    strokes = find_strokes(ink)
    keep = strokes.clear & is_writing(strokes)
    keep = keep if keep.any() else strokes.clear  # of a picture that is cut tight
    keep &= strokes.mass >= _MIN_MASS * strokes.mass[keep].max(initial=0)
    if keep.sum() > _MAX_STROKES:
        found = int(keep.sum())
        raise PictureError(f"too many strokes: expected at most {_MAX_STROKES}, found {found}")
    strokes = strokes._replace(clear=keep)
    return _Page(ink, scale, strokes, group_strokes(strokes))


def _box_of(ink: NDArray[Any]) -> Box:
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _boxes(page: _Page) -> NDArray[np.intp]:
    return np.array([digit.box for digit in page.digits], np.intp).reshape(-1, 4)


def _box_before(box: Box, turned: _Page, page: _Page, angle: float) -> Box:
    """Return the place of a box in the picture, before the ink was turned and reduced."""
    left, top, right, bottom = box
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    across = np.array([left, right, left, right]) - turned.ink.shape[1] / 2
    down = np.array([top, top, bottom, bottom]) - turned.ink.shape[0] / 2
    columns = np.clip(cos * across - sin * down + page.ink.shape[1] / 2, 0, page.ink.shape[1])
    rows = np.clip(sin * across + cos * down + page.ink.shape[0] / 2, 0, page.ink.shape[0])
    corners = np.array([columns.min(), rows.min(), columns.max(), rows.max()]) / page.scale
    first, above, last, below = np.rint(corners).astype(int).tolist()
    return first, above, last, below
