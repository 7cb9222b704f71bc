"""One digit in the form that MNIST has."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.pictures.decode import Grey
from mnist_kedro.pictures.ink import Ink, find_ink

_BOX = 20  # pixels; the digit's longer side (LeCun et al. 1998, doi:10.1109/5.726791)
_STROKE = 2.0  # pixels; thinner strokes are made as wide
_FINE = 80  # pixels; larger digits are reduced to it before their strokes are measured
_OFF_CENTRE = 1.0  # pixels


def prepare_digit(grey: Grey) -> Pixels | None:
    """A picture of one digit as MNIST has it: light on black, 20 × 20, centred by its mass.

    A picture that is of this form already, or is but inverted, keeps its pixels.

    Args:
        grey: ``(height, width)`` uint8, dark on light or light on dark.

    Returns:
        ``(28, 28)`` uint8, 0 paper and 255 ink; None if nothing is written.
    """
    pixels = as_it_is(grey)
    if pixels is not None:
        return pixels
    ink = find_ink(grey)
    return place_digit(ink) if ink.any() else None


def as_it_is(grey: Grey) -> Pixels | None:
    """The pixels of a picture that has MNIST's form already, or is but inverted; else None."""
    if grey.shape == (IMAGE_SIDE, IMAGE_SIDE):
        for pixels in (grey, 255 - grey):
            if _is_prepared(pixels):
                return pixels
    return None


def place_digit(ink: Ink) -> Pixels:
    """Scale ink to 20 × 20 pixels, and move its centre of mass to the middle of 28 × 28.

    Args:
        ink: ``(height, width)`` float32 in 0–1, not all 0.
    """
    rows, columns = np.nonzero(ink)
    cropped = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    fine = _resize(cropped, min(1, _FINE / max(cropped.shape)))
    thick = _thicken(fine, _STROKE / _BOX * max(fine.shape))
    small = _resize(thick, _BOX / max(thick.shape))
    small = np.rint(255 * np.clip(small / small.max(), 0, 1)).astype(np.uint8)
    return _centre(small)


def _is_prepared(pixels: Grey) -> bool:
    """Whether ink on blank paper is no larger than 20 × 20 and has its mass in the middle."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) >= _BOX:
        return False
    return bool(np.abs(_off_centre(pixels)).max() <= _OFF_CENTRE)


def _off_centre(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far the centre of mass is from the middle, (rows, columns)."""
    places = np.arange(len(pixels)) - len(pixels) / 2
    across = np.arange(pixels.shape[1]) - pixels.shape[1] / 2
    total = pixels.sum(dtype=float)
    return np.array([pixels.sum(axis=1) @ places, pixels.sum(axis=0) @ across]) / total


def _thicken(ink: Ink, wanted: float) -> Ink:
    """Make strokes as wide as wanted, in pixels, if they are not."""
    padded = np.pad(ink, 1)
    # Relative to the strongest ink: a thin stroke that was reduced is nowhere half as strong as 1.
    inside = padded > 0.5 * padded.max()
    # In a straight stroke the pixels' mean distance to the paper is a quarter of its width, and
    # half a pixel more, as it is measured from their middles to those of the paper.
    width = 4 * (ndimage.distance_transform_edt(inside)[inside].mean() - 0.5)
    missing = round(wanted - width)
    if missing < 1:
        return ink
    return ndimage.grey_dilation(np.pad(ink, (missing + 1) // 2), (missing + 1, missing + 1))


def _resize(ink: Ink, scale: float) -> Ink:
    if scale == 1:
        return ink
    height, width = (max(1, round(scale * side)) for side in ink.shape)
    picture = Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def _centre(small: NDArray[np.uint8]) -> Pixels:
    height, width = small.shape
    pixels = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    top, left = (
        int(np.clip(round((IMAGE_SIDE - side) / 2 - off), 0, IMAGE_SIDE - side))
        for side, off in zip((height, width), _off_centre(small), strict=True)
    )
    pixels[top : top + height, left : left + width] = small
    return pixels
