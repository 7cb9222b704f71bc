"""Convert a picture of one digit to MNIST's form."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.pictures.decode import GrayPicture
from mnist_kedro.pictures.groups import find_full_digits
from mnist_kedro.pictures.ink import find_ink
from mnist_kedro.pictures.strokes import (
    Ink,
    cover,
    find_main_stroke,
    find_strokes,
    select_near,
)

_DIGIT_SIDE = 20  # pixels; the digit's longer side (LeCun et al. 1998, doi:10.1109/5.726791)
_MIN_STROKE_WIDTH = 2.0  # pixels
# MNIST has many 1s as slim as some people's 7s and 9s, so digits of these widths are widened.
_SLIM = (0.25, 0.6)  # of the height
_WIDENING = 1.1
_MAX_THICKENED_SIDE = 80  # pixels; larger digits are reduced before their strokes are measured
_MAX_OFFSET = 1.0  # pixels
_MAX_PAPER, _MIN_INK = 64, 128  # levels of a small picture whose pixels are kept
_FULL_INK = 254  # All digits of MNIST have a pixel of at least this level; others are dim.


class Prepared(NamedTuple):
    """Hold the main digit of a picture."""

    pixels: Pixels  # (28, 28) in MNIST's form
    several: bool  # whether the picture shows other digits, too
    in_mnist_form: bool = False  # whether the picture had this form already


def prepare_digit(picture: GrayPicture) -> Pixels | None:
    """Return the pixels of the main digit of a picture; see :func:`prepare`."""
    prepared = prepare(picture)
    return prepared and prepared.pixels


def prepare(picture: GrayPicture) -> Prepared | None:
    """Convert a picture to MNIST's form: light on black, 20 × 20, centered by its mass.

    A picture that already has this form, or has it inverted, keeps its pixels.

    Args:
        picture: ``(height, width)`` uint8, dark on light or light on dark.

    Returns:
        The main digit; None if nothing is written.
    """
    pixels = match_mnist(picture)
    if pixels is not None:
        return Prepared(pixels, several=False, in_mnist_form=True)
    return prepare_ink(find_ink(picture).ink)


def prepare_ink(ink: Ink) -> Prepared | None:
    """Convert the ink of a picture to MNIST's form; None if no stroke is clear."""
    strokes = find_strokes(ink)
    main = find_main_stroke(strokes)
    if main is None:
        return None
    digits = find_full_digits(strokes)
    several = len(digits) > 1
    numbers = select_near(strokes, main)
    if several:
        own = [digit.numbers for digit in digits if main in digit.numbers]
        numbers = np.array(own[0] if own else [main])
    return Prepared(place_digit(np.where(cover(strokes, numbers), ink, np.float32(0))), several)


def match_mnist(picture: GrayPicture) -> Pixels | None:
    """Return the pixels of a picture that already has MNIST's form or its inverse, else None."""
    if picture.shape == (IMAGE_SIDE, IMAGE_SIDE):
        for pixels in (picture, 255 - picture):
            if _is_prepared(pixels):
                return pixels
    return None


def match_size(picture: GrayPicture) -> Pixels | None:
    """Return a picture of MNIST's size with plain borders as light on dark; None for any other.

    MNIST that was saved as JPEG has this form, but no longer MNIST's exact background.
    """
    if picture.shape != (IMAGE_SIDE, IMAGE_SIDE):
        return None
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    dark = border.mean() < 127.5
    pixels, paper = (picture, border.max()) if dark else (255 - picture, 255 - border.min())
    return pixels if paper <= _MAX_PAPER and pixels.max() >= _MIN_INK else None


def place_digit(ink: Ink) -> Pixels:
    """Scale ink to 20 × 20 pixels, and move its center of mass to the middle of 28 × 28.

    Args:
        ink: ``(height, width)`` float32 in 0–1, not all 0.
    """
    rows, columns = np.nonzero(ink)
    cropped = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    reduced = _resize(cropped, min(1, _MAX_THICKENED_SIDE / max(cropped.shape)))
    thick = _thicken(reduced, _MIN_STROKE_WIDTH / _DIGIT_SIDE * max(reduced.shape))
    height, width = thick.shape
    scale = _DIGIT_SIDE / max(height, width)
    widening = _WIDENING if _SLIM[0] <= width / height <= _SLIM[1] else 1
    small = _resize_to(thick, height * scale, width * scale * widening)
    small = np.rint(255 * np.clip(small / small.max(), 0, 1)).astype(np.uint8)
    return _center(small)


def _is_prepared(pixels: GrayPicture) -> bool:
    """Return whether the ink fits into 20 × 20, with its mass in the middle, on blank paper."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if pixels.max() < _FULL_INK or max(np.ptp(rows), np.ptp(columns)) >= _DIGIT_SIDE:
        return False
    return bool(np.abs(_mass_offset(pixels)).max() <= _MAX_OFFSET)


def _mass_offset(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the distance (rows, columns) from the middle to the center of mass."""
    down = np.arange(len(pixels)) - len(pixels) / 2
    right = np.arange(pixels.shape[1]) - pixels.shape[1] / 2
    total = pixels.sum(dtype=float)
    return np.array([pixels.sum(axis=1) @ down, pixels.sum(axis=0) @ right]) / total


def _thicken(ink: Ink, min_width: float) -> Ink:
    """Thicken strokes to a minimum width in pixels."""
    padded = np.pad(ink, 1)
    # The threshold is relative, because a reduced thin stroke may be below 0.5 everywhere.
    inside = padded > 0.5 * padded.max()
    # In a straight stroke, the mean distance from pixel centers to the nearest paper pixel's center
    # is a quarter of the stroke's width plus half a pixel.
    width = 4 * (ndimage.distance_transform_edt(inside)[inside].mean() - 0.5)
    missing = round(min_width - width)
    if missing < 1:
        return ink
    return ndimage.grey_dilation(np.pad(ink, (missing + 1) // 2), (missing + 1, missing + 1))


def _resize(ink: Ink, scale: float) -> Ink:
    if scale == 1:
        return ink
    return _resize_to(ink, scale * ink.shape[0], scale * ink.shape[1])


def _resize_to(ink: Ink, height: float, width: float) -> Ink:
    size = max(1, round(width)), max(1, round(height))
    return np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC))


def _center(small: NDArray[np.uint8]) -> Pixels:
    height, width = small.shape
    pixels = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    top, left = (
        int(np.clip(round((IMAGE_SIDE - side) / 2 - offset), 0, IMAGE_SIDE - side))
        for side, offset in zip((height, width), _mass_offset(small), strict=True)
    )
    pixels[top : top + height, left : left + width] = small
    return pixels
